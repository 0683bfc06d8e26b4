"""An opportunity's stages, amount, loss; funnels and conversion worked out from its events."""
