"""External contacts and customer groups, kept as the platforms have them."""
