"""Approvals and attendance: read from the platforms, kept, and let take effect."""
