"""One file per change of schema. `python -m storage.migrations "what changed"` writes the
next one from the difference to storage/tables; read it before you keep it."""
