"""Action libraries per industry: in memory, uploaded, switched."""
