"""What pages show: queries to plain data, no HTML."""
