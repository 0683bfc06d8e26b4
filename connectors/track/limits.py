"""How many events are taken: of a site, and of one of its visitors."""

from __future__ import annotations

MAX_KNOWN = 50_000  # visitors remembered at once; the longest idle are forgotten first


class Buckets:
    """A bucket of tokens for each key: it fills by `per_s` and holds `burst`."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._known: dict[str, tuple[float, float]] = {}

    def take(self, key: str, count: int, now: float) -> bool:
        """Whether `count` were left. now: seconds of any clock that does not jump back; where it
        does, nothing is filled."""
        left, at = self._known.pop(key, (self._burst, now))
        left = min(self._burst, left + max(now - at, 0.0) * self._per_s)
        allowed = left >= count
        self._known[key] = (left - count if allowed else left, now)
        if len(self._known) > MAX_KNOWN:
            self._known.pop(next(iter(self._known)))
        return allowed

    def give_back(self, key: str, count: int) -> None:
        """What was taken was not used after all."""
        if key in self._known:
            left, at = self._known[key]
            self._known[key] = (min(self._burst, left + count), at)
