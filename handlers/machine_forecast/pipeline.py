"""What the open opportunities promise: chances of winning by age, and those yet to come.

An opportunity is won at age a (days since creation) with the share of those at risk at that age
that were won then; likewise closed. Ages are pooled until each pool saw enough closings. These
are Kaplan and Meier's competing risks on left-truncated data: days before the first closing of
the table count for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints, tally
from handlers.machine_forecast.grid import LONGEST_SPAN, Grid, spread
from handlers.machine_forecast.rhythm import Rhythms
from handlers.machine_forecast.table import Table

MOST_AGE = 730
POOL = 12
"""Closings that an age pool should have seen."""
POOLS = 16
DOUBT = 5.0
"""Won deals of its own that a product needs to be believed half."""


@dataclass(frozen=True, slots=True)
class Chances:
    """By age 0..MOST_AGE: the chance per day to be won, and to be closed at all."""

    won: Floats
    closed: Floats
    pool: Ints
    """The number of the pool of each age."""

    def within(self, days: int) -> Floats:
        """[j, a]: chance to be won within j = 0..days days, if open at the end of age a-1."""
        ahead = np.zeros((days + 1, len(self.won) + 1))
        stay = 1 - self.closed
        for j in range(1, days + 1):
            ahead[j, :-1] = self.won + stay * ahead[j - 1, 1:]
            ahead[j, -1] = ahead[j, -2]
        return ahead


def chances(known: Table, grid: Grid) -> Chances:
    first = int(grid.edges[0])
    end = np.minimum(known.closed, grid.origin)
    youngest = np.maximum(first - known.created, 0)
    oldest = end - known.created
    seen = oldest >= youngest
    risk = np.cumsum(_by_age(youngest[seen]) - _by_age(oldest[seen] + 1))
    risk[-1] += (oldest[seen] >= MOST_AGE).sum()
    ended = ~known.is_open & (known.closed >= first)
    age = known.closed - known.created
    closed, won = _by_age(age[ended]), _by_age(age[ended & known.won])
    pool = _pools(closed)
    at_risk = np.maximum(np.bincount(pool, weights=risk), 1.0)
    return Chances(
        won=(np.bincount(pool, weights=won) / at_risk)[pool],
        closed=np.minimum(np.bincount(pool, weights=closed) / at_risk, 1.0)[pool],
        pool=pool,
    )


def _by_age(age: Ints) -> Floats:
    return tally(np.minimum(age, MOST_AGE), np.ones(len(age)), MOST_AGE + 1)


def _pools(closed: Floats) -> Ints:
    """Age -> number of its pool: about equal closings in each, and never too few."""
    so_far = np.cumsum(closed)
    pools = max(1, min(POOLS, int(so_far[-1] // POOL)))
    raw = np.minimum((so_far - closed) * pools // max(so_far[-1], 1), pools - 1)
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


def worth(known: Table) -> Floats:
    """What each opportunity would bring if it were won: its list price, times what the wins of
    its product paid of theirs, drawn towards all products when they were few."""
    won = known.won
    overall = known.value[won].mean() if won.any() else 0.0
    kinds = len(known.products)
    wins = np.bincount(known.product[won], minlength=kinds)
    paid = tally(known.product[won], known.value[won], kinds)
    usual = (paid + DOUBT * overall) / (wins + DOUBT)
    priced = won & (known.price > 0)
    if not priced.any():
        return usual[known.product] if kinds else np.zeros(0)
    listed = tally(known.product[priced], known.price[priced], kinds)
    paid = tally(known.product[priced], known.value[priced], kinds)
    ratio = known.value[priced].sum() / known.price[priced].sum()
    typical = known.price[priced].mean()
    factor = (paid + DOUBT * ratio * typical) / (listed + DOUBT * typical)
    return np.where(known.price > 0, known.price * factor[known.product], usual[known.product])


@dataclass(frozen=True, slots=True)
class Promise:
    """Revenue that nothing but the age of the opportunities lets expect."""

    past: Floats
    """[i]: in each known span, from those then at risk."""
    ahead: Floats
    """[k, i]: in span i, as seen from the end of span k-1; 0 for past and far spans, and where
    nobody asked."""
    by_team: Floats
    """[k, h, team]: within each horizon, as seen from the end of span k-1."""
    settled: Floats
    """[k, h]: sum over the open opportunities of the square of what each is expected to bring."""
    chance: Chances
    within: Floats
    """[h, a]: `Chances.within` each horizon."""
    bring: Floats
    """[deal]: see `worth`."""


def promise(known: Table, grid: Grid, rhythms: Rhythms, horizons: Ints, asked: Ints) -> Promise:
    """asked: the values of k that matter. Spans that reach beyond the longest horizon by more
    than a span are not foreseen."""
    chance, bring = chances(known, grid), worth(known)
    born = grid.sums(known.created, bring)
    inflow = rhythms.foresee(born, grid.days()[: grid.known], spread(bring))
    longest = int(horizons.max()) + LONGEST_SPAN  # the span a horizon ends in counts whole here
    within = chance.within(longest)
    ahead = np.zeros_like(inflow)
    by_team = np.zeros((len(inflow), len(horizons), len(known.teams)))
    settled = np.zeros((len(inflow), len(horizons)))
    for k in asked:
        since = int(grid.edges[k]) - 1
        won = _open_by_day(known, bring, within, since)
        share = _share_of_new(known, bring, since)
        won += np.outer(_new_by_day(grid, inflow[k], within[:, 0], since), share)
        until = np.clip(grid.edges - 1 - since, 0, longest)
        ahead[k] = np.diff(won.sum(axis=1)[until])
        by_team[k] = won[horizons]
        settled[k] = _open_by_day(known, bring**2, within[horizons] ** 2, since).sum(axis=1)
    past = _past(known, grid, bring, chance)
    return Promise(past, ahead, by_team, settled, chance, within[horizons], bring)


def _open_by_day(known: Table, bring: Floats, within: Floats, since: int) -> Floats:
    """[j, team]: expected of those open at the end of day `since`, by the end of day since+j."""
    rows = (known.created <= since) & (known.closed > since)
    ages = within.shape[1]
    age = np.minimum(since - known.created[rows] + 1, ages - 1)
    cell = known.team[rows] * ages + age
    teams = len(known.teams)
    stock = tally(cell, bring[rows], teams * ages).reshape(teams, ages)
    return np.asarray(within @ stock.T)


def _new_by_day(grid: Grid, inflow: Floats, within: Floats, since: int) -> Floats:
    """[j]: expected by the end of day since+j of what is created after `since`."""
    days = np.arange(since + 1, since + len(within))
    span = np.searchsorted(grid.edges, days, side="right") - 1
    born = inflow[np.minimum(span, len(inflow) - 1)]
    return np.concatenate([[0.0], np.convolve(born, within[1:])[: len(born)]])


def _share_of_new(known: Table, bring: Floats, since: int) -> Floats:
    age = since - known.created
    fresh = np.where(age >= 0, np.exp(-np.maximum(age, 0) / 60.0), 0.0) * bring
    by_team = tally(known.team, fresh, len(known.teams))
    return by_team / max(float(by_team.sum()), 1e-300)


def _past(known: Table, grid: Grid, bring: Floats, chance: Chances) -> Floats:
    so_far = np.concatenate([[0.0], np.cumsum(chance.won)])
    expected = np.zeros(grid.known)
    for i in range(grid.known):
        start, end = int(grid.starts[i]), int(grid.ends[i])
        rows = (known.created <= end) & (known.closed >= start)
        oldest = np.minimum(known.closed[rows], end) - known.created[rows]
        youngest = np.maximum(start - known.created[rows], 0)
        passed = so_far[np.minimum(oldest, MOST_AGE) + 1] - so_far[np.minimum(youngest, MOST_AGE)]
        expected[i] = (passed * bring[rows]).sum()
    return expected
