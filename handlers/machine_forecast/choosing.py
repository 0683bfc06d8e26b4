"""Weights by past error: who foretold the past better is believed more, and more so the longer."""

from __future__ import annotations

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.grid import Grid

REFERENCE = (30, 60, 90)
"""Horizons that are judged in any case, so that a forecast does not hang on what else is asked."""
OTHER_HORIZONS = 0.5
"""How much an error at a reference horizon tells of another horizon."""
MOST_WINDOWS = 6.0
"""More windows than these are not counted: what was best long ago need not be so now."""
LUCK = 0.01
"""An error below this part of the amount was luck."""


def finished(judged: Ints, grid: Grid, horizon: int) -> Ints:
    """The judged past origins whose horizon is over by now."""
    return np.asarray(judged[grid.edges[judged] + horizon <= grid.edges[grid.known]])


def windows(over: Ints, grid: Grid, horizon: int) -> float:
    """How many windows that do not overlap these past origins amount to."""
    if not len(over):
        return 0.0
    return 1.0 + float(grid.edges[over[-1]] - grid.edges[over[0]]) / horizon


def weigh(foreseen: Floats, past: Floats, judged: Ints, grid: Grid, horizons: Ints) -> Floats:
    """[candidate, h]: weights that add up to 1 over the candidates.

    foreseen: [candidate, k, h, part], past: [k, h, part], what then happened; the parts (teams,
    or the total alone) are judged together. A weight is the likelihood of the candidate's
    errors, drawn from a normal whose variance is theirs: error to the power of minus windows.
    """
    belief = np.zeros((len(foreseen), len(horizons)))
    for h, horizon in enumerate(horizons):
        over = finished(judged, grid, int(horizon))
        size = float(past[over, h].sum(axis=-1).mean()) if len(over) else 0.0
        if size <= 0:
            continue
        squares = ((foreseen[:, over, h] - past[over, h]) ** 2).sum(axis=-1).mean(axis=1)
        count = min(windows(over, grid, int(horizon)), MOST_WINDOWS)
        elsewhere = OTHER_HORIZONS if horizon in REFERENCE else 0.0
        heard = np.where(horizons == horizon, 1.0, elsewhere)
        belief -= 0.5 * count * np.outer(np.log(squares / size**2 + LUCK**2), heard)
    weight = np.exp(belief - belief.max(axis=0))
    return np.asarray(weight / weight.sum(axis=0))
