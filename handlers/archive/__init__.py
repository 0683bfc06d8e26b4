"""Archived chats: read, kept by consent, entered into customers' streams."""
