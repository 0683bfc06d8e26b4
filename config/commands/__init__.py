"""The command line: a file for each command, named in `run_bot.COMMANDS`."""
