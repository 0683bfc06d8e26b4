"""Bonuses: rules, estimates, months, statements, evidence packs, disputes."""
