"""What a record still owes: reminded, locked, reopened by who leads."""
