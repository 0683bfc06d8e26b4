"""History and horizon cut into spans that never straddle a month, and days weighed by weekday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints, tally
from handlers.machine_forecast.table import Table

SPAN_STARTS = (1, 9, 17, 25)
"""Days of the month on which a span begins: four a month, the last one its end."""
LONGEST_SPAN = 8
"""Days, of a span that is not cut by an origin."""
SILENCE_DAYS, USUAL_PAUSES = 182, 20.0
"""A silence is long that lasts so many days and so many times the usual pause."""
MOST_DAYS = 3 * 366
"""Older history says little about the next quarter, and would only cost time."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`edges[i] .. edges[i+1]-1` is span i. The first `known` spans end at the origin."""

    edges: Ints
    known: int
    weekday: Floats
    """How much of an ordinary day each weekday is worth; Monday first, mean 1."""

    @property
    def starts(self) -> Ints:
        return self.edges[:-1]

    @property
    def ends(self) -> Ints:
        """The last day of each span."""
        return self.edges[1:] - 1

    @property
    def origin(self) -> int:
        return int(self.edges[self.known]) - 1

    def weight(self, day: Ints) -> Floats:
        """Ordinary days from the first edge to the end of `day`."""
        per_day = self.weekday[(np.arange(self.edges[0], self.edges[-1]) - 1) % 7]
        so_far = np.concatenate([[0.0], np.cumsum(per_day)])
        return np.asarray(so_far[np.clip(day + 1 - self.edges[0], 0, len(so_far) - 1)])

    def days(self) -> Floats:
        """Ordinary days in each span."""
        return np.maximum(self.weight(self.ends) - self.weight(self.starts - 1), 1e-6)

    def sums(self, day: Ints, amount: Floats, group: Ints | None = None, groups: int = 1) -> Floats:
        """[span] or [span, group]: amounts of known days, added up; earlier days are left out."""
        inside = (day >= self.edges[0]) & (day <= self.origin)
        span = np.searchsorted(self.edges, day[inside], side="right") - 1
        cell = span if group is None else span * groups + group[inside]
        sums = tally(cell, amount[inside], self.known * groups)
        return sums if group is None else sums.reshape(self.known, groups)

    def inside(self, horizon: int) -> Floats:
        """[k, i]: what part of span i lies within `horizon` days after span k-1 ends."""
        after = self.edges[: self.known + 1, None] - 1
        until = np.minimum(self.ends[None, :], after + horizon)
        part = (self.weight(until) - self.weight(self.starts - 1)[None, :]) / self.days()[None, :]
        return np.where(self.starts[None, :] > after, np.clip(part, 0.0, 1.0), 0.0)


def grid_for(known: Table, origin: int, horizon: int) -> Grid:
    """From the first closing (at most three years back) to the end of the span that holds the
    last day of the horizon.

    Before the first closing the table may not have been kept, so those days count for nothing.
    """
    first = _first_day(known, origin)
    after = range(first + 1, origin + horizon + LONGEST_SPAN + 2)
    cuts = [day for day in after if day == origin + 1 or date.fromordinal(day).day in SPAN_STARTS]
    beyond = next(place for place, day in enumerate(cuts) if day > origin + horizon)
    edges = np.array([first, *cuts[: beyond + 1]], dtype=np.int64)
    return Grid(edges, int(np.searchsorted(edges, origin + 1)), _weekdays(known, first))


def _first_day(known: Table, origin: int) -> int:
    """The first closing or, if opportunities were just beginning to be written down then, the
    day when most of the earliest have run their course; at most a third of the time later."""
    ended = known.where(~known.is_open)
    first = _after_silence(np.sort(ended.closed))
    cycle = int(np.quantile(ended.closed - ended.created, 0.9))
    filled = int(known.created.min()) + cycle
    return max(first, min(filled, first + (origin - first) // 3), origin - MOST_DAYS)


def _after_silence(closed: Ints) -> int:
    """The first closing that no long silence follows: a stray record of years ago, or a team
    that began anew, says nothing about today."""
    pauses = np.diff(closed)
    if not len(pauses):
        return int(closed[0])
    long = max(SILENCE_DAYS, USUAL_PAUSES * float(np.median(pauses)))
    silences = np.flatnonzero(pauses > long)
    return int(closed[silences[-1] + 1 if len(silences) else 0])


def _weekdays(known: Table, first: int) -> Floats:
    """Wins by weekday, drawn together (James and Stein) as far as chance would explain them."""
    day = known.closed[known.won & (known.closed >= first)]
    wins = tally((day - 1) % 7, np.ones(len(day)), 7)
    if not wins.any():
        return np.ones(7)
    share = wins / wins.mean()
    chance = 6.0 / max(6.0, float(((share - 1) ** 2).sum() * wins.mean()))
    return np.asarray(1 + (share - 1) * (1 - chance))


def spread(values: Floats) -> float:
    """Variance of a sum of independent deals over its mean: 1 if each counts one."""
    total = float(values.sum())
    return float((values**2).sum()) / total if total > 0 else 1.0
