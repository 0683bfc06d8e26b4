"""Rolling weekly origins: what each method would have said then, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from handlers.machine_forecast.arrays import Floats, tally
from handlers.machine_forecast.baselines import BASELINES
from handlers.machine_forecast.predicting import predict
from handlers.machine_forecast.table import Table, as_known

OURS = "gendan"
LEARNING_DAYS = 91
"""A whole quarter was seen before anybody is judged."""

Report = dict[str, dict[str, dict[str, float | int | None]]]


@dataclass(slots=True)
class Score:
    """Sums over origins."""

    amount: float = 0.0
    missed: float = 0.0
    missed_by_team: float = 0.0
    inside: list[bool] = field(default_factory=list)
    origins: int = 0

    def add(self, foreseen: Floats, came: Floats, inside: bool | None = None) -> None:
        """foreseen, came: [team]; teams of which nothing was said count as foreseen with 0."""
        said = np.pad(foreseen, (0, len(came) - len(foreseen)))
        self.amount += float(came.sum())
        self.missed += abs(float(said.sum() - came.sum()))
        self.missed_by_team += float(np.abs(said - came).sum())
        self.origins += 1
        if inside is not None:
            self.inside.append(bool(inside))

    def figures(self) -> dict[str, float | int | None]:
        wape, by_team = (
            round(missed / self.amount, 4) if self.amount > 0 else None
            for missed in (self.missed, self.missed_by_team)
        )
        figures: dict[str, float | int | None] = {
            "wape": wape,
            "accuracy": None if wape is None else round(max(0.0, 1 - wape), 4),
            "wape_manager": by_team,
        }
        if self.inside:
            figures["coverage"] = round(sum(self.inside) / len(self.inside), 4)
        return figures | {"n": self.origins}


def weekly_origins(table: Table, shortest: int) -> range:
    """Every seventh day from a quarter after the first closing (or two thirds of a shorter
    table), as long as the shortest horizon is over by the last day of the table."""
    ended = table.closed[~table.is_open]
    if not len(ended):
        return range(0)
    first, last = int(ended.min()), int(ended.max())
    start = first + min(LEARNING_DAYS, (last - first) * 2 // 3)
    return range(start, last - shortest + 1, 7)


def backtest(table: Table, horizons: Sequence[int], origins: Sequence[int] | None = None) -> Report:
    """{method: {horizon: figures}}; ours first. origins: by default the weekly ones.

    wape is the sum of what was missed over the sum of what came, over all origins whose horizon
    is over; wape_manager sums the misses of the teams. Null where nothing came.
    """
    if origins is None:
        origins = weekly_origins(table, min(horizons))
    scores = {name: {horizon: Score() for horizon in horizons} for name in (OURS, *BASELINES)}
    for origin in origins:
        known = as_known(table, origin)
        forecast = predict(known, origin, horizons)
        for horizon in horizons:
            if origin + horizon > _last_closing(table):
                continue
            came = _came(table, known, origin, horizon)
            ours = np.array([of[horizon].point for of in forecast.by_team.values()])
            band = forecast.total[horizon]
            scores[OURS][horizon].add(ours, came, band.p20 <= came.sum() <= band.p80)
            for name, baseline in BASELINES.items():
                scores[name][horizon].add(baseline(known, origin, horizon), came)
    return {
        name: {str(horizon): score.figures() for horizon, score in of.items()}
        for name, of in scores.items()
    }


def _last_closing(table: Table) -> int:
    return int(table.closed[~table.is_open].max(initial=0))


def _came(table: Table, known: Table, origin: int, horizon: int) -> Floats:
    """[team]: revenue won within the horizon. Teams that came later stand after the known ones,
    where no method has said anything."""
    rows = table.won & (table.closed > origin) & (table.closed <= origin + horizon)
    by_team = tally(table.team[rows], table.value[rows], len(table.teams))
    is_known = np.isin(table.teams, known.teams)
    return np.concatenate([by_team[is_known], by_team[~is_known]])
