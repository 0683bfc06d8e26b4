"""Small made-up tables of opportunities for the tests of the forecaster."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from handlers.machine_forecast.reading import read
from handlers.machine_forecast.table import Table

FIRST = date(2025, 1, 6)
COLUMNS = ("id", "rep", "team", "product", "list_price", "created", "stage", "closed", "value")


@dataclass(frozen=True, slots=True)
class Deal:
    """A row of the table; closed is None while it is open."""

    id: str
    team: str
    product: str
    price: str
    created: date
    closed: date | None = None
    value: float = 0.0

    @property
    def stage(self) -> str:
        if self.closed is None:
            return "open"
        return "won" if self.value else "lost"

    def cells(self) -> tuple[str, ...]:
        ended = (self.closed.isoformat(), f"{self.value:.2f}") if self.closed else ("", "")
        what = (self.id, "rep", self.team, self.product, self.price)
        return (*what, self.created.isoformat(), self.stage, *ended)


def deals(
    days: int = 240,
    *,
    per_day: float = 2.0,
    lag_days: int = 25,
    teams: tuple[str, ...] = ("北区", "南区"),
    seed: int = 1,
) -> list[Deal]:
    """Steady sales: every fifth stays open for ever, half of the others are won."""
    dice = np.random.default_rng(seed)
    made = []
    for day in range(days):
        for _ in range(dice.poisson(per_day)):
            price = int(dice.choice([100, 500, 900]))
            closing = day + 1 + int(dice.integers(0, 2 * lag_days))
            ends = closing < days and dice.random() < 0.8
            made.append(
                Deal(
                    id=str(len(made)),
                    team=str(dice.choice(teams)),
                    product=f"P{price}",
                    price=str(price),
                    created=on(day),
                    closed=on(closing) if ends else None,
                    value=price * 0.9 if ends and dice.random() < 0.5 else 0.0,
                )
            )
    return made


def usual_within(days: int) -> float:
    """What `deals` with its defaults wins in so many days, on average."""
    return days * 2.0 * 0.8 * 0.5 * 500 * 0.9


def on(day: int) -> date:
    return date.fromordinal(FIRST.toordinal() + day)


def counted(sales: Iterable[Deal]) -> list[Deal]:
    """The same sales without prices, where every win counts one."""
    return [replace(deal, price="", value=1.0 if deal.value else 0.0) for deal in sales]


def write(path: Path, sales: Iterable[Deal]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(deal.cells() for deal in sales)
    return path


def table(folder: Path, sales: Iterable[Deal]) -> Table:
    return read(write(folder / "sales.csv", sales))
