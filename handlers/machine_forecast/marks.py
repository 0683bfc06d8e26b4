"""What was on record of each deal, day by day: its intent level and the stage it stood in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from handlers.machine_forecast.arrays import Bools, Ints

LEVEL, STAGE = 0, 1
UNKNOWN = ""
"""Code 0 of both: a deal without a level, or whose stage nobody has noted."""


@dataclass(frozen=True, slots=True)
class Marks:
    """One entry each time a deal came to another level or stage, in the order of days.

    row: of the deal in its table. day: at whose end it stood there. kind: LEVEL or STAGE. code:
    index into the names of its kind. opening: the stage in which it began. Whether a level has
    decayed is a level of its own (L2.5).
    """

    row: Ints
    day: Ints
    kind: Ints
    code: Ints
    opening: Bools
    levels: tuple[str, ...]
    stages: tuple[str, ...]

    def where(self, entries: Bools) -> Marks:
        return replace(
            self,
            row=self.row[entries],
            day=self.day[entries],
            kind=self.kind[entries],
            code=self.code[entries],
            opening=self.opening[entries],
        )

    def of_rows(self, rows: Bools) -> Marks:
        """Of these rows of the table alone, counted anew."""
        kept = self.where(rows[self.row])
        return replace(kept, row=(np.cumsum(rows) - 1)[kept.row])

    def until(self, day: int) -> Marks:
        return self.where(self.day <= day)

    def with_stages(self, most: int) -> Marks:
        """The most used stages alone; deals in others count as in no known one."""
        of_stage = self.kind == STAGE
        used = np.bincount(self.code[of_stage], minlength=len(self.stages))
        kept = [0, *np.sort(np.argsort(-used[1:], kind="stable")[:most] + 1).tolist()]
        anew = np.zeros(max(len(self.stages), len(self.levels)), dtype=np.int64)
        anew[kept] = np.arange(len(kept))
        code = np.where(of_stage, anew[self.code], self.code)
        return replace(self, code=code, stages=tuple(self.stages[one] for one in kept))

    def replay(self, size: int, days: Ints) -> Iterator[tuple[Ints, Ints]]:
        """(level, stage) of each row of the table at the end of each of these days, which rise.
        What is given holds until the next is asked for."""
        now = np.zeros((2, size), dtype=np.int64)
        start = 0
        for end in np.searchsorted(self.day, days, side="right").tolist():
            part = slice(start, end)
            now[self.kind[part], self.row[part]] = self.code[part]
            start = end
            yield now[LEVEL], now[STAGE]


@dataclass(slots=True)
class MarkColumns:
    """Marks that grow one by one; those of a deal, of one kind, in their order."""

    row: list[int] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    opening: list[bool] = field(default_factory=list)
    names: tuple[dict[str, int], dict[str, int]] = field(
        default_factory=lambda: ({UNKNOWN: 0}, {UNKNOWN: 0})
    )

    def add(self, row: int, day: int, kind: int, name: str, *, opening: bool) -> None:
        self.row.append(row)
        self.day.append(day)
        self.kind.append(kind)
        self.code.append(self.names[kind].setdefault(name, len(self.names[kind])))
        self.opening.append(opening)

    def marks(self) -> Marks:
        day = np.array(self.day, dtype=np.int64)
        order = np.argsort(day, kind="stable")
        row, kind, code = (
            np.array(one, dtype=np.int64)[order] for one in (self.row, self.kind, self.code)
        )
        opening = np.array(self.opening, dtype=np.bool_)[order]
        levels, stages = (tuple(names) for names in self.names)
        return Marks(row, day[order], kind, code, opening, levels, stages)
