"""Why a forecast is what it is: where it starts, and what pulls it away from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handlers.forecasting.choosing import finished
from handlers.forecasting.grid import Grid
from handlers.forecasting.table import Floats, Table
from handlers.forecasting.views import DEALS, PIPELINE, REVENUE, Views
from handlers.texts import forecasts as texts

VERSION = "gendan-1"
RECENT_DAYS = 91


@dataclass(frozen=True, slots=True)
class Story:
    """What went into a forecast; told for its first horizon.

    weight: [view, h]. total, past: [k, h], what was foreseen and what happened.
    """

    known: Table
    grid: Grid
    seen: Views
    weight: Floats
    total: Floats
    past: Floats
    horizons: Sequence[int]

    def method(self) -> str:
        shares = [(name, float(w)) for name, w in zip(texts.VIEWS, self.weight[:, 0], strict=True)]
        over = finished(self.seen.judged, self.grid, self.horizons[0])
        happened = float(self.past[over, 0].sum())
        missed = float(np.abs(self.total[over, 0] - self.past[over, 0]).sum())
        error = missed / happened if happened > 0 else None
        return texts.method(VERSION, self.horizons[0], shares, len(over), error)

    def reasons(self) -> list[str]:
        """The recent run rate, and how far rhythm and open opportunities pull away from it."""
        won = self.known.where(self.known.won)
        since = max(self.grid.origin - RECENT_DAYS, int(self.grid.edges[0]) - 1)
        days = self.grid.origin - since
        horizon = self.horizons[0]
        start = float(won.value[won.closed > since].sum()) / days * horizon
        by_rhythm = texts.by_rhythm(len(won))
        by_pipeline = texts.by_pipeline(int(self.known.is_open.sum()))
        return [
            texts.start(days, horizon, start),
            self._pull(by_rhythm, [DEALS, REVENUE], start),
            self._pull(by_pipeline, [PIPELINE], start),
        ]

    def _pull(self, name: str, views: list[int], start: float) -> str:
        weight = self.weight[views, 0]
        sees = self.seen.foreseen[views, -1, 0]
        seen = float((sees * weight).sum() / max(float(weight.sum()), 1e-300))
        share = float(weight.sum())
        return texts.pull(name, sees=seen, weight=share, by=share * (seen - start))

    def lacks(self, enough: bool) -> list[str]:
        if enough:
            return []
        days = self.grid.origin - int(self.grid.edges[0]) + 1
        return [texts.little_history(days, int(self.known.won.sum()))]


def nothing_won(still_open: int) -> tuple[str, list[str]]:
    """The method and the reasons where nothing was ever won."""
    return f"{VERSION}", [texts.nothing_won(still_open)]
