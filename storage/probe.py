"""Whether the database takes a write."""

from __future__ import annotations

import asyncio

from bot.clock import Clock
from storage.database import Database

FRESH_S = 3.0
TIMEOUT_S = 5.0


class WriteProbe:
    """Finds out by writing, since a full disk still answers readers. At most once in FRESH_S,
    because anybody may ask."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._trouble = ""

    async def trouble(self) -> str:
        """ "" when it can be written to, else the kind of error."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at > FRESH_S:
                self._trouble = await self._write()
                self._asked_at = now
            return self._trouble

    async def _write(self) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S), self._database.begin() as tx:
                await tx.settings.put("probe.was_here", True, self._clock.now())
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be stored
            return type(error).__name__
        return ""
