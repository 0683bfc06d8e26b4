"""Which customer a conversation belongs to: proposals, orders, and what is said in bound groups."""
