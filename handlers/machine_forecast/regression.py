"""A logistic regression on cells, whose start is another chance: what to add to it, and how much
to believe it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlers.machine_forecast.arrays import Floats

STEPS, LONGEST_STEP = 12, 2.0
"""Newton's steps, and how far one may go (log odds)."""
SURE = 1e-4
"""No chance is nearer to 0 or 1."""
ANY_START = 5.0
SLOPE_DOUBT = 0.5
EFFECT_DOUBT = 1.0
"""Prior standard deviations in log odds: of the general level; of how far the first chance is
stretched or shrunk (1: as it is); and of what one mark adds (0)."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression over cells. marks: [cell, mark], 1 where a cell bears it. weights:
    start, slope, and of each mark."""

    marks: Floats
    weights: Floats
    usual: Floats
    """[mark]: how often each was borne in what was learnt from."""

    def chance(self, first: Floats, without: slice | None = None) -> Floats:
        """first: [cell]. without: marks whose effect is that of the average instead."""
        weights = self.weights.copy()
        if without is not None:
            of_marks = weights[2:]
            share = self.usual[without] / max(float(self.usual[without].sum()), 1e-300)
            weights[0] += float(share @ of_marks[without])
            of_marks[without] = 0.0
        return _inverse(_features(first, self.marks) @ weights)


def regress(tried: Floats, won: Floats, first: Floats, marks: Floats) -> Regression:
    """The most likely weights (MAP) by Newton's method. tried, won: [cell], how many, whole or
    not. first: [cell], the chance that is known before."""
    seen = tried > 0
    tried, won = tried[seen], won[seen]
    features = _features(first[seen], marks[seen])
    count = marks.shape[1]
    believed = np.concatenate([[0.0, 1.0], np.zeros(count)])
    doubt = np.concatenate([[ANY_START, SLOPE_DOUBT], np.full(count, EFFECT_DOUBT)])
    weights = believed.copy()
    for _ in range(STEPS):
        chance = _inverse(features @ weights)
        pull = features.T @ (won - tried * chance) - (weights - believed) / doubt**2
        bend = (features.T * (tried * chance * (1 - chance))) @ features + np.diag(doubt**-2)
        step = np.linalg.solve(bend, pull)
        weights += step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
    return Regression(marks, weights, tried @ marks[seen])


def _features(first: Floats, marks: Floats) -> Floats:
    sure = np.clip(first, SURE, 1 - SURE)
    return np.column_stack([np.ones(len(first)), np.log(sure / (1 - sure)), marks])


def _inverse(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30.0, 30.0))))
