"""Why a forecast is what it is: where it starts, and what pulls it away from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints
from handlers.machine_forecast.grid import Grid
from handlers.machine_forecast.marks import LEVEL
from handlers.machine_forecast.standing import Lift
from handlers.machine_forecast.table import Table
from handlers.machine_forecast.views import DEALS, PIPELINE, STANDING
from handlers.texts import machine_forecast as texts

VERSION, WITH_STANDING = "gendan-3", "gendan-4"
"""Of the method: with three views, and with level and stage as a fourth."""
RECENT_DAYS = 91
MOST_NAMED = 2
HEARD = 1 / 3
"""Part of what is said of the open deals from which on their levels and stages are named."""


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
    lifts: Sequence[Lift] | None = None
    """Of all open deals; None where level and stage are no view."""

    @property
    def version(self) -> str:
        return VERSION if self.lifts is None else WITH_STANDING

    def method(self) -> str:
        weights = self.weight.tolist()
        shares = list(zip(texts.VIEWS[: len(weights)], weights, strict=True))
        happened = float(self.past[self.over].sum())
        missed = float(np.abs(self.total - self.past)[self.over].sum())
        error = missed / happened if happened > 0 else None
        return texts.method(self.version, self.horizon, shares, len(self.over), error)

    def reasons(self) -> list[str]:
        """The recent run rate, and how far rhythm and open opportunities pull away from it."""
        won = self.known.where(self.known.won)
        since = max(self.grid.origin - RECENT_DAYS, int(self.grid.edges[0]) - 1)
        days = self.grid.origin - since
        start = float(won.value[won.closed > since].sum()) / days * self.horizon
        return [
            texts.start(days, self.horizon, start),
            self._pull(texts.by_rhythm(len(won)), slice(DEALS, PIPELINE), start),
            self._pull(self._of_open(), slice(PIPELINE, None), start),
        ]

    def _of_open(self) -> str:
        """By which chances the open deals were looked at."""
        waiting = int(self.known.is_open.sum())
        if self.lifts is None or self.weight[STANDING] < HEARD * self.weight[PIPELINE:].sum():
            return texts.by_pipeline(waiting)
        return texts.by_standing(waiting, named(self.lifts))

    def _pull(self, name: str, views: slice, start: float) -> str:
        weight = self.weight[views]
        share = float(weight.sum())
        seen = float((self.sees[views] * weight).sum()) / max(share, 1e-300)
        return texts.pull(name, sees=seen, weight=share, by=share * (seen - start))

    def lacks(self, enough: bool) -> list[str]:
        if enough:
            return []
        days = self.grid.origin - int(self.grid.edges[0]) + 1
        return [texts.little_history(days, int(self.known.won.sum()))]


def named(lifts: Sequence[Lift], least: float = 0.0) -> list[str]:
    """The heaviest marks in words; those that do at least so much (in the table's unit)."""
    told = [one for one in lifts if one.more and abs(one.more) >= least][:MOST_NAMED]
    return [
        texts.lifted(
            texts.level_of(one.name) if one.kind == LEVEL else texts.stage_of(one.name),
            one.deals,
            one.more,
        )
        for one in told
    ]


def nothing_won(still_open: int) -> tuple[str, list[str]]:
    """The method and the reasons where nothing was ever won."""
    return VERSION, [texts.nothing_won(still_open)]
