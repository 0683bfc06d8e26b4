"""Clock: the wall clock and the sandbox's movable one. Handed in, never read inside a rule."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC, always aware."""

    def now(self) -> datetime: ...


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads it


class MovableClock:
    """Runs like the wall clock from wherever it was last set; only ever set forward."""

    def __init__(self, start: datetime, wall: Clock | None = None) -> None:
        self._wall = wall or WallClock()
        self._shift = start - self._wall.now()

    def now(self) -> datetime:
        return self._wall.now() + self._shift

    def move_to(self, moment: datetime) -> None:
        """Jump to `moment`; a moment already passed leaves the clock as it is."""
        self._shift += max(moment - self.now(), timedelta(0))


class FixedClock:
    """Stands still where it was put; for tests and for stepping through days."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Until it is set, at most so long in real time.

    asyncio.wait_for of Python 3.11 swallows a cancellation that comes together with the
    event, and then a loop that should end goes on for ever.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
