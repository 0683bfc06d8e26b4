"""One forecast: the views weighed by their past error, shared among the teams, with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import threadpool_limits

from handlers.machine_forecast import choosing, explaining, sharing, views
from handlers.machine_forecast.arrays import Floats, tally
from handlers.machine_forecast.bands import Bands
from handlers.machine_forecast.grid import Grid, grid_for
from handlers.machine_forecast.standing import Lift, Standing
from handlers.machine_forecast.table import Table, as_known

LOW, HIGH = 0.2, 0.8
ENOUGH_DAYS, ENOUGH_WINS = 56, 20
"""Below either there is not enough history: the bands are widened, and it is said."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Revenue expected within a horizon, in the unit of the table, with the bounds below which it
    stays in 20 and in 80 of 100 cases."""

    point: float
    p20: float
    p80: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Revenue within each horizon, in days. The points of the teams add up to the total's."""

    total: dict[int, Estimate]
    by_team: dict[str, dict[int, Estimate]]
    method: str
    reasons: tuple[str, ...]
    version: str = explaining.VERSION
    lifts: Mapping[str, tuple[Lift, ...]] = field(default_factory=dict)
    """What level and stage do to each team within the longest horizon, the heaviest first; empty
    where they were not heard."""


def predict(table: Table, origin: int, horizons: Sequence[int]) -> Forecast:
    """Revenue won in (origin, origin + horizon], foreseen from what was known at the end of day
    `origin`; later facts in the table change nothing."""
    with threadpool_limits(1, user_api="blas"):  # many small matrices: threads only get in the way
        known = as_known(table, origin)
        return (
            _from_wins(known, origin, horizons) if known.won.any() else _from_none(known, horizons)
        )


def _from_wins(known: Table, origin: int, horizons: Sequence[int]) -> Forecast:
    judged_on = sorted({*horizons, *choosing.REFERENCE})
    ahead = np.array(judged_on, dtype=np.int64)
    grid = grid_for(known, origin, judged_on[-1])
    seen = views.look(known, grid, ahead)
    past = views.happened(known, grid, ahead)
    whole = past.sum(axis=2, keepdims=True)
    weight = choosing.weigh(seen.foreseen[..., None], whole, seen.judged, grid, ahead)
    total = np.einsum("vh,vkh->kh", weight, seen.foreseen)[..., None]
    share = sharing.shares(known, grid, ahead, seen, past)
    enough = _enough(known, grid)
    bands = Bands(known, grid, seen.judged, enough)
    estimates: dict[int, list[Estimate]] = {}
    for horizon in horizons:
        h = judged_on.index(horizon)
        promised = seen.promised[:, h].sum(axis=1)
        chance = bands.left_to_chance(promised, seen.settled[:, h])
        one = bands.around(total[:, h], whole[:, h], horizon, chance)
        each = bands.around(total[:, h] * share[:, h], past[:, h], horizon, chance)
        middle = bands.middle(total[-1, h])
        estimates[horizon] = [
            *_estimates(middle, one.quantile(LOW), one.quantile(HIGH)),
            *_estimates(middle * share[-1, h], each.quantile(LOW), each.quantile(HIGH)),
        ]
    h = judged_on.index(horizons[0])
    told = explaining.Story(
        known,
        grid,
        horizon=horizons[0],
        over=choosing.finished(seen.judged, grid, horizons[0]),
        sees=seen.foreseen[:, -1, h],
        weight=weight[:, h],
        total=total[:, h, 0],
        past=whole[:, h, 0],
        lifts=None if seen.standing is None else _of_all(seen.standing, horizons[0]),
    )
    reasons = (*told.lacks(enough), *told.reasons())
    found = _forecast(known, estimates, told.method(), reasons)
    if seen.standing is None:
        return found
    lifts = seen.standing.lifts.get(max(horizons), ())
    by_team = dict(zip(known.teams, lifts, strict=False))  # after the teams come those of all
    return replace(found, version=told.version, lifts=by_team)


def _of_all(standing: Standing, horizon: int) -> tuple[Lift, ...]:
    lifts = standing.lifts.get(horizon)
    return lifts[-1] if lifts else ()


def _enough(known: Table, grid: Grid) -> bool:
    days = grid.origin - int(grid.edges[0]) + 1
    return days >= ENOUGH_DAYS and int(known.won.sum()) >= ENOUGH_WINS


def _from_none(known: Table, horizons: Sequence[int]) -> Forecast:
    """Nothing was ever won: nothing is foreseen, and all that is open might come."""
    at_best = np.where(np.isnan(known.price), 1.0, known.price) * known.is_open
    teams = tally(known.team, at_best, len(known.teams))
    amounts = np.concatenate([[teams.sum()], teams])
    nothing = np.zeros(len(amounts))
    estimates = {horizon: _estimates(nothing, nothing, amounts) for horizon in horizons}
    return _forecast(known, estimates, *explaining.nothing_won(int(known.is_open.sum())))


def _estimates(point: Floats, low: Floats, high: Floats) -> list[Estimate]:
    """Rounded to a cent; a band holds its point."""
    rows = zip(
        point.round(2).tolist(),
        np.minimum(point, low).round(2).tolist(),
        np.maximum(point, high).round(2).tolist(),
        strict=True,
    )
    return [Estimate(*row) for row in rows]


def _forecast(
    known: Table, estimates: dict[int, list[Estimate]], method: str, reasons: Sequence[str]
) -> Forecast:
    """estimates: of each horizon, the total and then the teams. The total's point becomes the
    sum of theirs, which differs by the rounding."""
    total = {}
    for horizon, (one, *teams) in estimates.items():
        point = round(sum((team.point for team in teams), 0.0), 2)
        total[horizon] = Estimate(point, min(point, one.p20), max(point, one.p80))
    by_team = {
        name: {horizon: rows[place] for horizon, rows in estimates.items()}
        for place, name in enumerate(known.teams, start=1)
    }
    return Forecast(total, by_team, method, tuple(reasons))
