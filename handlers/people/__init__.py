"""Who works here, leads whom, is away, leaves, and has which accounts."""
