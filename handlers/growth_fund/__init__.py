"""The growth fund (成长基金): consents, what a quarter brings, the catalogue, redemptions."""
