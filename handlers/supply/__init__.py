"""Large sales told to warehouse and planning: pushed, changed, withdrawn, acknowledged."""
