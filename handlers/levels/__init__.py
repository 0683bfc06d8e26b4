"""Intent levels: claimed with evidence, recognised on papers, changed, expiring."""
