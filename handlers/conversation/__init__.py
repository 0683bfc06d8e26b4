"""What is said in a chat becomes drafts and records: heard, asked about, shown, stored, undone."""
