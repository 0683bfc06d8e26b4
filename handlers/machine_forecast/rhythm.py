"""A rate that wanders, grows and has seasons: Gaussian processes averaged by their evidence.

Every model is a sum of parts: a level that drifts, a trend, and seasons by place in the month,
the quarter and the year. Nobody says which parts a team has: each combination is weighed by how
well it foretold every span of the history from the spans before it (its marginal likelihood is
just that product; Rasmussen and Williams, Gaussian Processes for Machine Learning, 5.4.1). The
Cholesky factor of a prefix of the history is a prefix of the factor, so what each past origin
would have foreseen comes without fitting again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.grid import SPAN_STARTS, Grid

ANY_MEAN = 4.0
"""Prior variance of the mean rate, in units of the mean seen: as good as unknown."""
KEPT = 16
"""Models that are averaged; the others would not be heard."""
BORDER = 1e12
"""More than any evidence, so that the bordered matrix stays positive."""


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a covariance. belief: prior probability, among the parts of its kind."""

    belief: float
    covariance: Floats


class Rhythms:
    """All combinations of level, trend, season and noise over the spans of one grid."""

    def __init__(self, grid: Grid) -> None:
        self._known = grid.known
        middle = (grid.starts + grid.ends) / 2
        years = (middle - grid.origin) / 365.25
        self._levels = _levels(np.abs(middle[:, None] - middle[None, :]))
        self._trends = _trends(years)
        self._seasons = _seasons([date.fromordinal(int(day)) for day in grid.starts], years)

    def foresee(self, amount: Floats, exposure: Floats, noise: float) -> Floats:
        """[k, i]: rate of `amount` per `exposure` in span i, as foreseen from the first k spans.

        amount, exposure: of each known span. noise: variance of an amount over its mean, 1 for
        counts. Row 0, foreseen from nothing, is 0.
        """
        spans = len(self._trends[0].covariance)
        total = float(exposure.sum())
        mean = float(amount.sum()) / total if total > 0 else 0.0
        if mean <= 0:
            return np.zeros((self._known + 1, spans))
        exposure = np.maximum(exposure, 1e-3 * exposure.mean())
        seen = amount / exposure / mean - 1
        models = list(self._models(noise / mean / exposure))
        evidence = np.array([_evidence(model.covariance, seen) for model in models])
        evidence += np.log([model.belief for model in models])[:, None]
        best = np.argsort(-_shares(evidence).mean(axis=1), kind="stable")[:KEPT]
        weight = _shares(evidence[best])
        foreseen = np.zeros((self._known, spans))
        for place, share in zip(best, weight, strict=True):
            foreseen += share[:, None] * _foreseen(models[place].covariance, seen)
        return np.vstack([np.zeros(spans), np.maximum(0.0, 1 + foreseen) * mean])

    def _models(self, noise: Floats) -> Iterator[Part]:
        place = np.arange(self._known)
        parts = product(self._levels, self._trends, self._seasons, DISPERSIONS)
        for level, trend, season, times in parts:
            covariance = ANY_MEAN + level.covariance + trend.covariance + season.covariance
            covariance[place, place] += times * noise
            yield Part(level.belief * trend.belief * season.belief, covariance)


DISPERSIONS = (1.0, 2.0)
"""Noise, in units of what independent deals would give."""


def _levels(apart: Floats) -> list[Part]:
    """Constant, or drifting so far (variance) and forgetting so fast (days)."""
    drifts = [(0.02, 60.0), (0.02, 365.0), (0.15, 365.0)]
    constant = Part(0.4, np.zeros_like(apart))
    return [constant, *(Part(0.2, by * np.exp(-apart / days)) for by, days in drifts)]


def _trends(years: Floats) -> list[Part]:
    line = np.outer(years, years)
    return [Part(0.75, np.zeros_like(line)), Part(0.25, 0.15 * line)]


def _seasons(starts: list[date], years: Floats) -> list[Part]:
    """None, faint or strong ones, and those that team up."""
    month = np.array([day.month for day in starts])
    part = np.searchsorted(SPAN_STARTS, [day.day for day in starts], side="right")
    of_month = _same(part)
    of_quarter = _same(month % 3)
    of_year = np.exp(-8 * np.sin(np.pi * (years[:, None] - years[None, :])) ** 2)
    part_of_quarter = _same(month % 3 * 10 + part)
    seasons = [
        0.03 * of_quarter,
        0.12 * of_quarter,
        0.04 * of_month,
        0.3 * of_month,
        0.05 * of_quarter + 0.1 * part_of_quarter,
        0.1 * of_quarter + 0.5 * part_of_quarter,
        0.06 * of_year,
        0.06 * of_year + 0.06 * of_quarter,
        0.06 * of_year + 0.15 * of_month,
        0.05 * _same(month),
    ]
    none = Part(0.3, np.zeros_like(of_month))
    return [none, *(Part(0.7 / len(seasons), season) for season in seasons)]


def _same(phase: Ints) -> Floats:
    return np.equal.outer(phase, phase).astype(np.float64)


def _evidence(covariance: Floats, seen: Floats) -> Floats:
    """[k]: log probability of the first k+1 spans. What each span says that those before it did
    not is the last row of the factor of the covariance bordered by what was seen."""
    known = len(seen)
    bordered = np.empty((known + 1, known + 1))
    bordered[:known, :known] = covariance[:known, :known]
    bordered[known, :known] = bordered[:known, known] = seen
    bordered[known, known] = BORDER
    factor = np.linalg.cholesky(bordered)
    surprise = factor[known, :known]
    return np.cumsum(-0.5 * surprise**2 - np.log(np.diagonal(factor)[:known]))


def _foreseen(covariance: Floats, seen: Floats) -> Floats:
    """[k, i]: span i as foreseen from the first k+1 spans."""
    known = len(seen)
    inverse = np.linalg.inv(np.linalg.cholesky(covariance[:known, :known]))
    gain = (inverse @ covariance[:known]) * (inverse @ seen)[:, None]
    return np.cumsum(gain, axis=0)


def _shares(evidence: Floats) -> Floats:
    weight = np.exp(evidence - evidence.max(axis=0))
    return np.asarray(weight / weight.sum(axis=0))
