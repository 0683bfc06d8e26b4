"""Each team's share of the total: candidates weighed by how well they shared out the past."""

from __future__ import annotations

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.choosing import weigh
from handlers.machine_forecast.grid import Grid
from handlers.machine_forecast.table import Table
from handlers.machine_forecast.views import Views

FOREVER = np.inf
MEMORIES = (FOREVER, 120.0, 45.0)
"""Days after which a win counts about a third for its team's share: never, a season, weeks."""
DOUBT = 20.0
"""Wins of its own that a team's mean deal needs to be believed half."""


def shares(known: Table, grid: Grid, horizons: Ints, seen: Views, past: Floats) -> Floats:
    """[k, h, team]: shares that add up to 1. past: [k, h, team], what happened."""
    lasting, *recent = (_remembered(known, grid, days) for days in MEMORIES)
    promises = [seen.promised] if seen.standing is None else [seen.promised, seen.standing.by_team]
    promised = [_normal(one) for one in promises]
    everywhere = np.ones((1, len(horizons), 1))
    candidates = np.array(
        [
            *(one[:, None, :] * everywhere for one in (lasting, *recent)),
            *promised,
            *((lasting[:, None, :] + one) / 2 for one in promised),
        ]
    )
    weight = weigh(candidates, _normal(past), seen.judged, grid, horizons)
    return np.asarray(np.einsum("ch,ckht->kht", weight, candidates))


def _remembered(known: Table, grid: Grid, days: float) -> Floats:
    """[k, team]: shares of the wins until span k-1, the older the less; number of wins times the
    team's mean deal, which leans on everybody's while the team has few."""
    won = known.where(known.won)
    teams = len(known.teams)
    new_wins = grid.sums(won.closed, np.ones(len(won)), won.team, teams)
    new_value = grid.sums(won.closed, won.value, won.team, teams)
    wins, value = np.zeros((2, grid.known + 1, teams))
    keep = np.exp(-np.diff(grid.edges) / days)
    for k in range(grid.known):
        wins[k + 1] = wins[k] * keep[k] + new_wins[k]
        value[k + 1] = value[k] * keep[k] + new_value[k]
    overall = value.sum(axis=1) / np.maximum(wins.sum(axis=1), 1e-9)
    return _normal(wins * (value + DOUBT * overall[:, None]) / (wins + DOUBT))


def _normal(amounts: Floats) -> Floats:
    """Shares along the last axis; equal ones where there is nothing to share."""
    total = amounts.sum(axis=-1, keepdims=True)
    equal = 1.0 / max(amounts.shape[-1], 1)
    return np.where(total == 0, equal, amounts / np.where(total == 0, 1.0, total))
