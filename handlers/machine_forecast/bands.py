"""How far the truth may lie from a forecast: the noise of the deals, scaled by past misses."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.choosing import finished, windows
from handlers.machine_forecast.grid import Grid, spread
from handlers.machine_forecast.table import Table

BELIEF = 3.0
"""Windows of past misses that weigh as much as the noise which the deals themselves explain."""
WIDENED = 4.0
"""The variance of a forecast from too little history, in units of what it would be."""


@dataclass(frozen=True, slots=True)
class Band:
    """A gamma distribution for each part: never negative, and longer upwards."""

    mean: Floats
    variance: Floats

    def quantile(self, probability: float) -> Floats:
        """By the cube of Wilson and Hilferty (1931)."""
        square = 9 * self.mean**2
        ninth = np.divide(self.variance, square, out=np.zeros_like(square), where=square > 0)
        z = NormalDist().inv_cdf(probability)
        return np.asarray(self.mean * np.maximum(0.0, 1 - ninth + z * np.sqrt(ninth)) ** 3)


class Bands:
    """Draws bands around forecasts of one table."""

    def __init__(self, known: Table, grid: Grid, judged: Ints, enough: bool) -> None:
        self._noise = spread(known.value[known.won])
        self._grid = grid
        self._judged = judged[judged >= grid.known / 3]
        self._widened = 1.0 if enough else WIDENED

    def left_to_chance(self, promised: Floats, settled: Floats) -> Floats:
        """[k]: what part of that variance is left when part of the wins is expected of deals that
        are open now: one that is won with chance p varies by p(1 - p), not by p."""
        part = np.divide(
            settled, self._noise * promised, out=np.zeros_like(settled), where=promised > 0
        )
        return 1 - np.minimum(part, 1.0)

    def around(self, foreseen: Floats, past: Floats, horizon: int, chance: Floats) -> Band:
        """foreseen, past: [k, part]. Independent deals would give a variance of noise times the
        mean; what past misses show beyond that, all parts together, widens it."""
        over = finished(self._judged, self._grid, horizon)
        expected = 1 + horizon / float(self._grid.edges[self._grid.known] - self._grid.edges[0])
        count = windows(over, self._grid, horizon)
        explained = self._noise * chance[over] * foreseen[over].sum(axis=1)
        misses = ((foreseen[over] - past[over]) ** 2).sum(axis=1)
        seen = float(np.mean(misses / np.maximum(explained, 1e-9))) if len(over) else 0.0
        times = (BELIEF * expected + count * seen) / (BELIEF + count)
        return Band(foreseen[-1], self._noise * chance[-1] * times * self._widened * foreseen[-1])

    def middle(self, mean: Floats) -> Floats:
        """What is as likely exceeded as not. Only the deals' own noise is lopsided: past misses
        say how far off, not which way."""
        return Band(mean, self._noise * mean).quantile(0.5)
