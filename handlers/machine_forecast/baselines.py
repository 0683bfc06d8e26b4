"""What anybody could say without a model. Each gives an amount for every team, so sums agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handlers.machine_forecast.arrays import Floats, tally
from handlers.machine_forecast.table import Table

QUARTER_DAYS = 91
"""Thirteen weeks, so that weekdays meet their like."""

Baseline = Callable[[Table, int, int], Floats]
"""(known, origin, horizon) -> [team]."""


def _won(known: Table, after: int, until: int) -> Floats:
    rows = known.won & (known.closed > after) & (known.closed <= until)
    return tally(known.team[rows], known.value[rows], len(known.teams))


def last_days(known: Table, origin: int, horizon: int) -> Floats:
    return _won(known, origin - horizon, origin)


def average(known: Table, origin: int, horizon: int) -> Floats:
    """Of all days since the first closing."""
    first = int(known.closed.min(initial=origin))
    return _won(known, first - 1, origin) * horizon / (origin - first + 1)


def last_quarter_rate(known: Table, origin: int, horizon: int) -> Floats:
    return _won(known, origin - QUARTER_DAYS, origin) * horizon / QUARTER_DAYS


def quarter_ago(known: Table, origin: int, horizon: int) -> Floats:
    """The same days, a quarter (or as many as the horizon asks for) before."""
    back = QUARTER_DAYS * -(-horizon // QUARTER_DAYS)
    return _won(known, origin - back, origin - back + horizon)


def weighted_pipeline(known: Table, origin: int, horizon: int) -> Floats:
    """Open value times the share of opportunities closed so far that were won, times the share
    of those that were closed within the horizon."""
    ended = ~known.is_open
    if not ended.any():
        return np.zeros(len(known.teams))
    won = known.won[ended].mean()
    in_time = ((known.closed - known.created)[ended] <= horizon).mean()
    usual = known.value[known.won].mean() if known.won.any() else 0.0
    worth = np.where(np.isnan(known.price), usual, known.price) * known.is_open * won * in_time
    return tally(known.team, worth, len(known.teams))


BASELINES: dict[str, Baseline] = {
    "last_days": last_days,
    "average": average,
    "last_quarter_rate": last_quarter_rate,
    "quarter_ago": quarter_ago,
    "weighted_pipeline": weighted_pipeline,
}
