"""The administrator's pages: people, bindings, libraries, numbers, and how the bot itself fares."""
