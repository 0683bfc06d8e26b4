"""What was read for one message and may serve those of the same moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

FRESH_FOR = timedelta(seconds=1)


class JustRead:
    """A cache for what many messages of the same moment read. One per program, for what changes
    seldom and where a second makes no difference. Keep values that nobody changes, under few
    keys."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[datetime, Any]] = {}

    async def get(self, key: Hashable, at: datetime, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` gave for this key within the last FRESH_FOR, else what it gives now."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] <= at < kept[0] + FRESH_FOR:
            value: T = kept[1]
            return value
        value = await read()
        self._kept[key] = at, value
        return value
