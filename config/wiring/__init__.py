"""What a bot is built of: the only place that knows every part."""
