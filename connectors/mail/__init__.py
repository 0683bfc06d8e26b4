"""Mailboxes, read over IMAP."""
