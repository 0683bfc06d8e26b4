"""One file per change of schema. `python -m storage.migrations "what changed"` writes the
next one from the difference to storage/tables.py; read it before you keep it."""
