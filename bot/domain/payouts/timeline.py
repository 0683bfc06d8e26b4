"""Time cut into periods: payout runs, and the bounds of the quarters that are closed.

Within a period the order of events does not matter; at its end amounts are booked for good.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.domain.payouts.days import local_day, quarter_bounds

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time whose lines one run pays. run: local day of the run that pays it, known_at:
    its moment; both None after the last run, when everything is known."""

    index: int
    run: date | None
    known_at: datetime | None


class Timeline:
    """Time cut into periods by payout runs and ends of quarters. runs: moments of the payout runs.
    quarters: those that are closed, such as 2026Q1."""

    def __init__(self, runs: Sequence[datetime], quarters: Sequence[str]) -> None:
        runs = sorted(runs)
        edges = [
            edge.astimezone(UTC) - _INSTANT
            for quarter in quarters
            for edge in quarter_bounds(quarter)
        ]
        self._cuts = sorted({*runs, *edges})
        self.periods = tuple(
            _period(index, runs, cut) for index, cut in enumerate([*self._cuts, None])
        )

    def index_of(self, moment: datetime) -> int:
        """Of the period that the moment lies in; a run's own moment belongs to it."""
        return bisect_left(self._cuts, moment)

    def known_from(self, moment: datetime) -> int:
        """Index of the first period whose run knows what was published at `moment`."""
        return next(
            period.index
            for period in self.periods
            if period.known_at is None or period.known_at >= moment
        )

    def quarter(self, quarter: str) -> range:
        """Indexes of the periods of a closed quarter."""
        first, after = quarter_bounds(quarter)
        return range(self.index_of(first), self.index_of(after - _INSTANT) + 1)


def _period(index: int, runs: Sequence[datetime], cut: datetime | None) -> Period:
    if cut is None:
        return Period(index, None, None)
    at = bisect_left(runs, cut)
    if at == len(runs):
        return Period(index, None, None)
    return Period(index, local_day(runs[at]), runs[at])
