"""Why a forecast is what it is: where it starts, and what pulls it away from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlers.forecasting.grid import Grid
from handlers.forecasting.table import Floats, Ints, Table
from handlers.forecasting.views import DEALS, PIPELINE, REVENUE
from handlers.texts import forecasts as texts

VERSION = "gendan-1"
RECENT_DAYS = 91


@dataclass(frozen=True, slots=True)
class Story:
    """What went into the forecast of one horizon.

    over: past origins k at which it was judged. sees, weight: [view]. total, past: [k], what was
    foreseen and what then happened.
    """

    known: Table
    grid: Grid
    horizon: int
    over: Ints
    sees: Floats
    weight: Floats
    total: Floats
    past: Floats

    def method(self) -> str:
        shares = list(zip(texts.VIEWS, self.weight.tolist(), strict=True))
        happened = float(self.past[self.over].sum())
        missed = float(np.abs(self.total - self.past)[self.over].sum())
        error = missed / happened if happened > 0 else None
        return texts.method(VERSION, self.horizon, shares, len(self.over), error)

    def reasons(self) -> list[str]:
        """The recent run rate, and how far rhythm and open opportunities pull away from it."""
        won = self.known.where(self.known.won)
        since = max(self.grid.origin - RECENT_DAYS, int(self.grid.edges[0]) - 1)
        days = self.grid.origin - since
        start = float(won.value[won.closed > since].sum()) / days * self.horizon
        by_rhythm = texts.by_rhythm(len(won))
        by_pipeline = texts.by_pipeline(int(self.known.is_open.sum()))
        return [
            texts.start(days, self.horizon, start),
            self._pull(by_rhythm, [DEALS, REVENUE], start),
            self._pull(by_pipeline, [PIPELINE], start),
        ]

    def _pull(self, name: str, views: list[int], start: float) -> str:
        weight = self.weight[views]
        share = float(weight.sum())
        seen = float((self.sees[views] * weight).sum()) / max(share, 1e-300)
        return texts.pull(name, sees=seen, weight=share, by=share * (seen - start))

    def lacks(self, enough: bool) -> list[str]:
        if enough:
            return []
        days = self.grid.origin - int(self.grid.edges[0]) + 1
        return [texts.little_history(days, int(self.known.won.sum()))]


def nothing_won(still_open: int) -> tuple[str, list[str]]:
    """The method and the reasons where nothing was ever won."""
    return VERSION, [texts.nothing_won(still_open)]
