"""Past origins at which every open deal is looked at as it then stood, counted by cells.

A cell is a level, a stage and a pool of ages: what is learnt costs the same for a thousand deals
and for a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from handlers.machine_forecast.arrays import Floats, Ints, tally
from handlers.machine_forecast.grid import Grid
from handlers.machine_forecast.marks import Marks
from handlers.machine_forecast.pipeline import MOST_AGE, Promise
from handlers.machine_forecast.table import Table


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells by which open deals are counted: level, stage and pool together."""

    levels: tuple[str, ...]
    stages: tuple[str, ...]
    pools: int

    @property
    def kinds(self) -> tuple[slice, slice]:
        """Where in `marks` the levels stand, and the stages."""
        levels, both = len(self.levels), len(self.levels) + len(self.stages)
        return slice(0, levels), slice(levels, both)

    @property
    def size(self) -> int:
        return len(self.levels) * len(self.stages) * self.pools

    def code(self, level: Ints, stage: Ints, pool: Ints) -> Ints:
        return np.asarray((level * len(self.stages) + stage) * self.pools + pool)

    def level(self) -> Ints:
        """The level that each cell stands for, by the cell's code."""
        return np.asarray(np.arange(self.size) // self.pools // len(self.stages))

    def stage(self) -> Ints:
        return np.asarray(np.arange(self.size) // self.pools % len(self.stages))

    def marks(self) -> Floats:
        """[cell, mark]: 1 for its level and for its stage; levels first, each with its unknown."""
        levels = np.equal.outer(self.level(), np.arange(len(self.levels)))
        stages = np.equal.outer(self.stage(), np.arange(len(self.stages)))
        return np.hstack([levels, stages]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Landmark:
    """The deals open at the end of span k-1. row: in the table; cell: of each. tried: [cell], how
    many. expected, won: [h, cell], how many would be won within each horizon by age alone, and
    were; what lies beyond the origin is not counted in `won`. amount: [h, row], what age alone
    lets expect of each. noted: [2], the parts of which a level, and a stage, is on record.
    """

    k: int
    row: Ints
    cell: Ints
    tried: Floats
    expected: Floats
    won: Floats
    amount: Floats
    noted: Floats

    def chance(self, h: int) -> Floats:
        """[cell], by age; 0 where nothing was tried."""
        none = np.zeros_like(self.tried)
        return np.asarray(np.divide(self.expected[h], self.tried, out=none, where=self.tried > 0))

    def without_deals(self) -> Landmark:
        """The counts alone, which are small."""
        none = np.zeros(0, dtype=np.int64)
        return replace(self, row=none, cell=none, amount=np.zeros((len(self.won), 0)))


@dataclass(frozen=True, slots=True)
class Ground:
    """What is looked at: the deals, the past cut into spans, the horizons, the promise by age."""

    known: Table
    grid: Grid
    horizons: Ints
    promise: Promise


def landmarks(ground: Ground, marks: Marks, cells: Cells, asked: Ints) -> Iterator[Landmark]:
    """asked: the values of k, which rise."""
    table, grid, promise = ground.known, ground.grid, ground.promise
    oldest = promise.within.shape[1] - 1
    replayed = marks.replay(len(table), grid.edges[asked] - 1)
    for k, (level, stage) in zip(asked.tolist(), replayed, strict=True):
        since = int(grid.edges[k]) - 1
        row = np.flatnonzero((table.created <= since) & (table.closed > since))
        age = since - table.created[row]
        pool = promise.chance.pool[np.minimum(age, MOST_AGE)]
        cell = cells.code(level[row], stage[row], pool)
        chance = promise.within[:, np.minimum(age + 1, oldest)]
        won, closed = table.won[row], table.closed[row]
        in_time = [won & (closed <= since + int(horizon)) for horizon in ground.horizons]
        yield Landmark(
            k=k,
            row=row,
            cell=cell,
            tried=tally(cell, np.ones(len(row)), cells.size),
            expected=np.array([tally(cell, one, cells.size) for one in chance]),
            won=np.array([tally(cell[one], np.ones(one.sum()), cells.size) for one in in_time]),
            amount=chance * promise.bring[row],
            noted=np.array([(of[row] > 0).sum() for of in (level, stage)]) / max(len(row), 1),
        )
