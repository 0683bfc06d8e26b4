"""The customer master: found, created, compared, merged, handed over, pooled, imported, erased."""
