"""A table of opportunities as columns, and what of it was known at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from handlers.machine_forecast.arrays import Bools, Floats, Ints
from handlers.machine_forecast.marks import Marks

OPEN = np.iinfo(np.int64).max // 4
"""`closed` of an open opportunity: later than every day, and still safe to subtract from."""


@dataclass(frozen=True, slots=True)
class Table:
    """One row an opportunity. Days are proleptic ordinals (`date.toordinal`).

    Money is float here: these are sums to be estimated, no amounts that anybody is owed.
    """

    created: Ints
    closed: Ints
    won: Bools
    value: Floats
    """What it was won for; 0 if it was not."""
    price: Floats
    """List price; NaN if unknown."""
    team: Ints
    """Index into `teams`."""
    product: Ints
    teams: tuple[str, ...]
    products: tuple[str, ...]
    marks: Marks | None = None
    """Levels and stages, where the table tells them."""

    def __len__(self) -> int:
        return len(self.created)

    @property
    def is_open(self) -> Bools:
        return np.asarray(self.closed == OPEN)

    @property
    def last_day(self) -> int:
        """The last day of which the table tells anything; 0 if it is empty."""
        ended = self.closed[~self.is_open]
        return int(max(self.created.max(initial=0), ended.max(initial=0)))

    def where(self, rows: Bools) -> Table:
        return replace(
            self,
            created=self.created[rows],
            closed=self.closed[rows],
            won=self.won[rows],
            value=self.value[rows],
            price=self.price[rows],
            team=self.team[rows],
            product=self.product[rows],
            marks=None if self.marks is None else self.marks.of_rows(rows),
        )


def as_known(table: Table, origin: int) -> Table:
    """What was known at the end of day `origin`: rows created later are gone with the teams and
    products that only they name, closings later are open again, and nobody knows yet what they
    will be won for, nor how far they will come."""
    known = table.where(table.created <= origin)
    later = known.closed > origin
    team, teams = _named(known.team, table.teams)
    product, products = _named(known.product, table.products)
    return replace(
        known,
        closed=np.where(later, OPEN, known.closed),
        won=known.won & ~later,
        value=np.where(later | ~known.won, 0.0, known.value),
        team=team,
        teams=teams,
        product=product,
        products=products,
        marks=None if known.marks is None else known.marks.until(origin),
    )


def _named(codes: Ints, names: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """The codes counted anew over the names that are used."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    anew = np.zeros(len(names), dtype=np.int64)
    anew[used] = np.arange(len(used))
    return anew[codes], tuple(names[code] for code in used)
