"""Made-up companies whose win rate by level is known, for the tests of the forecaster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlers.machine_forecast.marks import LEVEL, STAGE, MarkColumns
from handlers.machine_forecast.table import OPEN, Table
from tests.handlers.machine_forecast.sales import FIRST

WINS = {"": 0.03, "L3": 0.12, "L2.5": 0.15, "L2": 0.55, "L1": 0.92}
"""The truth: of deals that stand so when they are decided, so many are won."""
STEPS = ("L3", "L2", "L1")
BLOCK = 45
"""Days for which a team has it easy, or hard."""


@dataclass(frozen=True, slots=True)
class Company:
    """teams: their number. per_day: new deals of all. tells: whether levels mean anything."""

    days: int = 620
    teams: int = 5
    per_day: float = 2.5
    tells: bool = True
    decays: float = 0.4
    """Of the L2 that come no further, so many are left alone."""

    def table(self, seed: int) -> Table:
        """Deals are decided 40 to 80 days after they began; how many come as far as a PO changes
        from team to team and from block to block."""
        dice = np.random.default_rng(seed)
        ease = dice.choice([0.45, 0.65, 0.95], (self.teams, self.days // BLOCK + 1))
        marks, rows = MarkColumns(), []
        first = FIRST.toordinal()
        for day in range(self.days):
            for _ in range(dice.poisson(self.per_day)):
                team = int(dice.integers(self.teams))
                closing = day + 40 + int(dice.integers(41))
                level, way = self._walk(ease[team, day // BLOCK], closing - day, dice)
                marks.add(len(rows), first + day, STAGE, "接触", opening=True)
                for step, after in way:
                    marks.add(len(rows), first + day + after, LEVEL, step, opening=False)
                wins = WINS[level] if self.tells else 0.35
                won = closing < self.days and bool(dice.random() < wins)
                worth = float(dice.lognormal(3, 0.4))
                closed = first + closing if closing < self.days else OPEN
                rows.append((first + day, closed, won, worth, team))
        created, closed, won, worth, team = (np.array(of) for of in zip(*rows, strict=True))
        return Table(
            created=created, closed=closed, won=won, value=np.where(won, worth, 0.0), price=worth,
            team=team, product=np.zeros(len(rows), dtype=np.int64),
            teams=tuple(f"组{n}" for n in range(self.teams)), products=("",), marks=marks.marks(),
        )  # fmt: skip

    def _walk(
        self, ease: float, days: int, dice: np.random.Generator
    ) -> tuple[str, list[tuple[str, int]]]:
        """The level at which the deal is decided, and the way there: (level, after days)."""
        way: list[tuple[str, int]] = []
        after = 0
        for step in STEPS:
            after += 3 + int(dice.integers(10))
            if after >= days or dice.random() > ease:
                break
            way.append((step, after))
        if way and way[-1][0] == "L2" and dice.random() < self.decays:
            way.append(("L2.5", min(way[-1][1] + 5, days - 1)))
        return (way[-1][0] if way else ""), way
