"""When the next connection may be opened: never in a hurry, never all at once. Pure."""

from __future__ import annotations

import random

LEAST_S = 5.0
"""Between two openings of one application, whatever happens (protocol notes 2.4)."""

LONGEST_S = 60.0
REFUSED_S, LONGEST_REFUSED_S = 60.0, 600.0

SETTLED_S = 60.0
"""A connection that lived so long was a good one; what went wrong before it is forgotten."""


class Pace:
    """Times are seconds of one clock that only goes forward."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0
        self._refusals = 0
        self._free_at = 0.0

    def wait_s(self, now: float) -> float:
        """How long until one may be opened; 0.0 when at once."""
        return max(0.0, self._free_at - now)

    def began(self, now: float) -> None:
        """One is being opened."""
        self._free_at = now + LEAST_S

    def failed(self, now: float, *, retry_after_s: float | None = None) -> None:
        """It could not be opened, or it broke before it had lived for long. The wait is drawn
        from nothing to 1, 2, 4 … 60 s, so that many bots do not come back in one moment."""
        self._failures += 1
        most_s = min(LONGEST_S, 2.0 ** min(self._failures - 1, 10))
        wait_s = max(self._chance.uniform(0.0, most_s), retry_after_s or 0.0)
        self._free_at = max(self._free_at, now + wait_s)

    def refused(self, now: float) -> None:
        """Somebody has to mend something first; asking more often helps nobody."""
        self._refusals += 1
        wait_s = min(LONGEST_REFUSED_S, REFUSED_S * 2.0 ** min(self._refusals - 1, 10))
        self._free_at = max(self._free_at, now + wait_s)

    def ended(self, now: float, *, lived_s: float) -> None:
        """A connection is over, or about to be."""
        if lived_s >= SETTLED_S:
            self._failures = self._refusals = 0
        else:
            self.failed(now)
