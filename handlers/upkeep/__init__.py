"""What keeps the bot going: daily jobs, in step with its platforms and with other processes."""
