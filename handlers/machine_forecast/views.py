"""Ways to look at the same history, and what each would have foreseen at past origins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlers.machine_forecast import pipeline, standing
from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.grid import Grid, spread
from handlers.machine_forecast.landmarks import Ground
from handlers.machine_forecast.rhythm import Rhythms
from handlers.machine_forecast.standing import Standing
from handlers.machine_forecast.table import Table

DEALS, REVENUE, PIPELINE, STANDING = range(4)
PAST_ORIGINS = 60
"""Ends of spans at which the past is foreseen again: fifteen months of them."""
YOUNGEST = 4
"""Spans of history, about a month, below which foreseeing again would teach nothing."""


@dataclass(frozen=True, slots=True)
class Views:
    """k counts the spans known at a past origin; the last k is the origin itself."""

    foreseen: Floats
    """[view, k, h]: revenue within each horizon."""
    promised: Floats
    """[k, h, team]: revenue that the open opportunities and those to come promise by age."""
    settled: Floats
    """[k, h]: see `Promise`."""
    judged: Ints
    """The values of k at which all views were asked, the origin left out."""
    standing: Standing | None
    """None, and no such view, where the table tells too little of levels and stages."""


def look(known: Table, grid: Grid, horizons: Ints) -> Views:
    """DEALS: number of wins by its rhythm, times their mean value. REVENUE: won value by its
    rhythm. PIPELINE: by age of the open opportunities and those to come, times the rhythm of
    what came of that. STANDING: the same, corrected by level and stage of those open."""
    won = known.where(known.won)
    rhythms = Rhythms(grid)
    days = grid.days()
    lived = days[: grid.known]
    value = grid.sums(won.closed, won.value)
    wins = grid.sums(won.closed, np.ones(len(won)))
    mean = np.concatenate([[0.0], np.cumsum(value) / np.maximum(np.cumsum(wins), 1)])
    deals = rhythms.foresee(wins, lived, 1.0) * days * mean[:, None]
    revenue = rhythms.foresee(value, lived, spread(won.value)) * days

    asked = np.arange(max(YOUNGEST, grid.known - PAST_ORIGINS), grid.known + 1)
    promise = pipeline.promise(known, grid, rhythms, horizons, asked)
    kept = rhythms.foresee(value, promise.past, spread(won.value))
    views = [deals, revenue, kept * promise.ahead]
    stands = standing.look(Ground(known, grid, horizons, promise), asked)
    if stands is not None:
        # What the marks told of a span must not be taken for its rhythm as well.
        known_then = promise.past * stands.ratio[: grid.known, horizons.argmin()]
        views.append(rhythms.foresee(value, known_then, spread(won.value)) * promise.ahead)
    inside = [grid.inside(int(horizon)) for horizon in horizons]
    foreseen = np.array([(np.array(views) * part).sum(axis=2) for part in inside])
    foreseen = foreseen.transpose(1, 2, 0)
    if stands is not None:
        foreseen[STANDING] *= stands.ratio
        stands = stands.in_units_of(foreseen[STANDING, -1], horizons)
    return Views(foreseen, promise.by_team, promise.settled, asked[:-1], stands)


def happened(known: Table, grid: Grid, horizons: Ints) -> Floats:
    """[k, h, team]: revenue won within each horizon after span k-1; NaN if not yet over."""
    won = known.where(known.won)
    teams = len(known.teams)
    by_day = np.zeros((int(grid.edges[-1] - grid.edges[0]) + 1, teams))
    inside = won.closed >= grid.edges[0]
    np.add.at(
        by_day,
        (won.closed[inside] - grid.edges[0] + 1, won.team[inside]),
        won.value[inside],
    )
    so_far = np.cumsum(by_day, axis=0)
    start = grid.edges[: grid.known + 1] - grid.edges[0]
    until = start[:, None] + horizons[None, :]
    over = until <= start[-1]
    sums = so_far[np.where(over, until, start[:, None])] - so_far[start][:, None, :]
    return np.where(over[:, :, None], sums, np.nan)
