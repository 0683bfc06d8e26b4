"""Wakes everybody who waits for something to be committed."""

from __future__ import annotations

import asyncio


class Bell:
    """Each listener has an event of its own, which nobody else clears."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Event] = []

    def listener(self) -> asyncio.Event:
        """Set by every ring from now on."""
        self._listeners.append(asyncio.Event())
        return self._listeners[-1]

    def ring(self) -> None:
        for one in self._listeners:
            one.set()
