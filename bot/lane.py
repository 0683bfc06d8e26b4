"""What waits in one conversation, the earliest sent first."""

from __future__ import annotations

import heapq
import itertools
from datetime import datetime

from bot.ports import Pending


class Lane:
    """The same message may stand in it twice: begun by what the database told of, and handed over
    by the process that took it in. Of two alike the one put in first comes first."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, int, Pending]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, pending: Pending) -> None:
        place = (pending.envelope.sent_at, pending.id, next(self._numbers))
        heapq.heappush(self._heap, (*place, pending))

    def pop(self) -> Pending:
        """Raises IndexError when nothing waits."""
        return heapq.heappop(self._heap)[-1]

    def clear(self) -> set[int]:
        """The ids of what waited."""
        waited = {pending.id for *_, pending in self._heap}
        self._heap.clear()
        return waited
