"""What an operator wrote, read once at start; and the two packages that put all parts together."""
