"""Sending limits, judged by the handed-in clock.

aiolimiter measures the event loop's time, which stands still when the sandbox's clock
jumps ahead; it also waits, where the outbox wants to be told when to come back.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import RateLimited

_SWEEP_AT_KEYS = 10_000


class Window:
    """At most `limit` takes per key in any `seconds` seconds."""

    def __init__(self, limit: int, seconds: int, clock: Clock) -> None:
        self._limit = limit
        self._span = timedelta(seconds=seconds)
        self._clock = clock
        self._taken: dict[str, deque[datetime]] = {}

    def take(self, key: str) -> None:
        """Count one. Raises RateLimited, with the wait, when there is no room."""
        take_all((self,), key)

    def wait_s(self, key: str) -> float:
        """Seconds until there is room; 0.0 when there is. Counts nothing."""
        now = self._clock.now()
        taken = self._taken.get(key)
        if taken is None:
            return 0.0
        while taken and taken[0] <= now - self._span:
            taken.popleft()
        if len(taken) < self._limit:
            return 0.0
        return (taken[0] + self._span - now).total_seconds()

    def count(self, key: str, at: datetime | None = None) -> None:
        """Count one without asking; for what was sent anyway. at: when; now, if not said."""
        if len(self._taken) >= _SWEEP_AT_KEYS and key not in self._taken:
            self._sweep()
        self._taken.setdefault(key, deque()).append(at or self._clock.now())

    @property
    def keys_remembered(self) -> int:
        return len(self._taken)

    def _sweep(self) -> None:
        gone = self._clock.now() - self._span
        self._taken = {
            key: taken for key, taken in self._taken.items() if taken and taken[-1] > gone
        }


def take_all(windows: tuple[Window, ...], key: str) -> None:
    """Count one in every window, or in none. Raises RateLimited with the longest wait."""
    wait_s = max(window.wait_s(key) for window in windows)
    if wait_s > 0:
        raise RateLimited(f"own sending limit reached for {key}", retry_after_s=wait_s)
    for window in windows:
        window.count(key)
