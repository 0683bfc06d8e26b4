"""Every sentence the bot says, a file for each subject."""
