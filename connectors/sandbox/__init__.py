"""Emulators of both platforms, of ERPs and of a mailbox, for trying out and for tests. They share
no code with the connectors, so that a misreading of a protocol cannot hide on both sides."""
