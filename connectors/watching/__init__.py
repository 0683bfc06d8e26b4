"""Metrics and traces of what the engine does."""
