"""What level and stage tell of an open deal beyond its age, learnt from the company's own past.

At past origins every deal then open is looked at as it stood: its age, its level (L2.5 is an L2
that decayed), its stage; and whether it was won within the horizon. These are landmarks (van
Houwelingen, Scand. J. Stat. 34, 2007): what becomes of a deal on the way, a PO or a decay, is in
the outcome. A logistic regression that starts from the chance by age learns what each mark adds.
What is foreseen at a past origin is learnt from the landmarks that were over by then, so that it
is judged by its misses like every other view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints, tally
from handlers.machine_forecast.grid import LONGEST_SPAN, Grid
from handlers.machine_forecast.landmarks import Cells, Ground, Landmark, landmarks
from handlers.machine_forecast.marks import LEVEL, STAGE, Marks
from handlers.machine_forecast.regression import Regression, regress
from handlers.machine_forecast.table import Table

TELLING_WINS = 20
"""Won deals of which a level, or a stage after the first, was noted before the day they were won;
with fewer, levels and stages are not heard."""
MOST_STAGES = 12
IN_USE = 0.5
"""Those landmarks teach at which levels and stages were noted at least so often as now: where
nobody wrote levels down yet, a deal without one was no worse for it."""


@dataclass(frozen=True, slots=True)
class Lift:
    """By how much a team's open deals at one level, or in one stage, promise more than without
    that mark (less: below 0). kind: LEVEL or STAGE. name: "" for none on record. amount: what
    they would bring if all were won, like `more` in the unit of the table."""

    kind: int
    name: str
    deals: int
    amount: float
    more: float


@dataclass(frozen=True, slots=True)
class Standing:
    """k, h, team as in `Promise`."""

    by_team: Floats
    """[k, h, team]: the promise, corrected by how the open deals stand."""
    ratio: Floats
    """[k, h]: the corrected promise of all teams over the one by age; about 1 over the past."""
    lifts: Mapping[int, Sequence[tuple[Lift, ...]]]
    """horizon -> [team]: at the origin, the heaviest first; after the last team those of all.
    Without the horizons of which nothing was learnt."""

    def in_units_of(self, foreseen: Floats, horizons: Ints) -> Standing:
        """With lifts that are parts of what is foreseen instead of the promise. foreseen: [h]."""
        promised = self.by_team[-1].sum(axis=1)
        times = foreseen / np.where(promised > 0, promised, 1.0)
        lifts = {
            horizon: [
                tuple(replace(one, more=one.more * by) for one in of)
                for of in self.lifts.get(horizon, ())
            ]
            for horizon, by in zip(horizons.tolist(), times.tolist(), strict=True)
        }
        return replace(self, lifts=lifts)


def look(ground: Ground, asked: Ints) -> Standing | None:
    """None where the table tells too little of levels and stages. asked: the values of k for
    which the promise was asked."""
    known, grid, promise = ground.known, ground.grid, ground.promise
    if known.marks is None or not _tell(known, known.marks):
        return None
    marks = known.marks.with_stages(MOST_STAGES)
    cells = Cells(marks.levels, marks.stages, int(promise.chance.pool.max()) + 1)
    by_team, ratio = promise.by_team.copy(), np.ones(promise.by_team.shape[:2])
    past: list[Landmark] = []
    lifts: dict[int, tuple[tuple[Lift, ...], ...]] = {}
    for here in landmarks(ground, marks, cells, asked):
        past.append(here.without_deals())
        for h, horizon in enumerate(ground.horizons.tolist()):
            learnt = _learn(_over(past, grid, horizon), h, horizon, cells)
            if learnt is None:
                continue
            by_team[here.k, h] += _more(known, here, h, learnt.factor(here, h))
            whole = float(promise.by_team[here.k, h].sum())
            ratio[here.k, h] = by_team[here.k, h].sum() / whole if whole > 0 else 1.0
            if here.k == grid.known:
                lifts[horizon] = _lifts(ground, here, h, learnt)
    return Standing(np.maximum(by_team, 0.0), ratio, lifts)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """scale, plain: what makes the chances of those that taught add up to the chances by age,
    with the marks of a kind and without: season and trend are the rhythm's to know."""

    regression: Regression
    cells: Cells
    scale: float
    plain: tuple[float, float]

    def factor(self, here: Landmark, h: int) -> Floats:
        """[cell]: the chance over the one by age."""
        first = here.chance(h)
        return self._over(first, self.regression.chance(first) * self.scale)

    def lift(self, here: Landmark, h: int, kind: int) -> Floats:
        """[cell]: what the marks of a kind add to that."""
        first = here.chance(h)
        without = self.regression.chance(first, self.cells.kinds[kind]) * self.plain[kind]
        return self.factor(here, h) - self._over(first, without)

    def _over(self, first: Floats, chance: Floats) -> Floats:
        return np.divide(np.minimum(chance, 1.0), first, out=np.ones_like(first), where=first > 0)


def _tell(known: Table, marks: Marks) -> bool:
    told = ~marks.opening & known.won[marks.row] & (marks.day < known.closed[marks.row])
    return len(np.unique(marks.row[told])) >= TELLING_WINS


def _over(past: Sequence[Landmark], grid: Grid, horizon: int) -> list[Landmark]:
    """Those whose horizon was over at the last one, and at which marks were in use."""
    now = past[-1]
    return [
        one
        for one in past
        if grid.edges[one.k] + horizon <= grid.edges[now.k]
        and (one.noted >= IN_USE * now.noted).all()
    ]


def _learn(over: Sequence[Landmark], h: int, horizon: int, cells: Cells) -> _Learnt | None:
    """Neighbouring landmarks see the same deals, so each counts for the part of the horizon that
    it alone covers."""
    if not over:
        return None
    weight = min(1.0, LONGEST_SPAN / horizon)
    tried = sum((one.tried for one in over), np.zeros(cells.size))
    expected = sum((one.expected[h] for one in over), np.zeros(cells.size))
    won = sum((one.won[h] for one in over), np.zeros(cells.size))
    if not won.any() or not expected.any():
        return None
    first = np.divide(expected, tried, out=np.zeros(cells.size), where=tried > 0)
    found = regress(tried * weight, won * weight, first, cells.marks())
    sums = [float(tried @ found.chance(first, without)) for without in (None, *cells.kinds)]
    scale, *plain = (float(expected.sum()) / max(one, 1e-300) for one in sums)
    return _Learnt(found, cells, scale, (plain[0], plain[1]))


def _more(known: Table, here: Landmark, h: int, factor: Floats) -> Floats:
    """[team]: by how much the open deals promise more than by age."""
    more = here.amount[h] * (factor[here.cell] - 1)
    return tally(known.team[here.row], more, len(known.teams))


def _lifts(ground: Ground, here: Landmark, h: int, learnt: _Learnt) -> tuple[tuple[Lift, ...], ...]:
    found: list[list[Lift]] = [[] for _ in range(len(ground.known.teams) + 1)]
    cells = learnt.cells
    kinds = ((LEVEL, cells.levels, cells.level()), (STAGE, cells.stages, cells.stage()))
    for kind, names, of_cell in kinds:
        more = here.amount[h] * learnt.lift(here, h, kind)[here.cell]
        bring = ground.promise.bring[here.row]
        mark = of_cell[here.cell]
        sums = [
            _by_team(ground.known, here.row, mark, len(names), one)
            for one in (np.ones(len(mark)), bring, more)
        ]
        for team, n in np.argwhere(sums[0] > 0).tolist():
            deals, amount, added = (float(one[team, n]) for one in sums)
            found[team].append(Lift(kind, names[n], int(deals), amount, added))
    return tuple(tuple(sorted(of, key=lambda one: -abs(one.more))) for of in found)


def _by_team(known: Table, row: Ints, mark: Ints, marks: int, amount: Floats) -> Floats:
    """[team, mark]; the last row is their sum."""
    teams = len(known.teams)
    sums = tally(known.team[row] * marks + mark, amount, teams * marks).reshape(teams, marks)
    return np.vstack([sums, sums.sum(axis=0)])
