"""Everyday Chinese sales talk -> a record, by rules and small models; it begins in `reader.py`."""
