"""Mails of mailboxes: read, filed by whom they are with, entered into customers' streams."""
