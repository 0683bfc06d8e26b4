"""CSV -> Table. Two layouts: ours, and that of the public CRM data set with its sibling files."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from bot.errors import InvalidInput
from handlers.machine_forecast.table import OPEN, Table
from handlers.texts import machine_forecast as texts

OURS = {
    name: name
    for name in ("id", "team", "product", "list_price", "created", "stage", "closed", "value")
}
PUBLIC = {
    "id": "opportunity_id",
    "rep": "sales_agent",
    "product": "product",
    "created": "engage_date",
    "stage": "deal_stage",
    "closed": "close_date",
    "value": "close_value",
}
STAGES = {
    "open": "open",
    "won": "won",
    "lost": "lost",
    "prospecting": "open",
    "engaging": "open",
}

Row = dict[str, str]


def read(path: Path) -> Table:
    """Raises InvalidInput with one line: the file, the line, what is wrong there.

    Open rows without a day of creation are left out: they cannot be placed in time.
    """
    for encoding in ("utf-8-sig", "gb18030"):  # what spreadsheets write in China
        try:
            return _Reader(path, encoding).table()
        except UnicodeDecodeError:
            continue
    raise InvalidInput(texts.not_text(path.name))


class _Reader:
    """Reads one file once; knows the line it stands at."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        self._days: dict[str, int] = {}
        self._lines = csv.reader([])

    def table(self) -> Table:
        columns = _Columns()
        seen: set[str] = set()
        with self._path.open(newline="", encoding=self._encoding) as file:
            self._lines = csv.reader(file, strict=True)
            try:
                for row in self._rows():
                    if row["id"] in seen:
                        raise self._fail(texts.twice(row["id"]))
                    seen.add(row["id"])
                    if row["created"] or row["stage"] != "open":
                        self._take(row, columns)
            except csv.Error as problem:
                raise self._fail(texts.broken(str(problem))) from None
        return columns.table()

    def _rows(self) -> Iterator[Row]:
        """Rows under our column names, with what the sibling files add."""
        header = [name.strip().lower() for name in next(self._lines, [])]
        layout = PUBLIC if PUBLIC["id"] in header else OURS
        missing = [name for name in layout.values() if name not in header]
        if missing:
            raise self._fail(texts.columns_missing(missing))
        siblings = _Siblings.beside(self._path) if layout is PUBLIC else None
        places = {ours: header.index(theirs) for ours, theirs in layout.items()}
        for cells in self._lines:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise self._fail(texts.cells(len(cells), len(header)))
            row = {name: cells[place].strip() for name, place in places.items()}
            row["stage"] = self._stage(row["stage"])
            yield siblings.complete(row) if siblings else row

    def _stage(self, said: str) -> str:
        if said.lower() not in STAGES:
            raise self._fail(texts.not_a_stage(said))
        return STAGES[said.lower()]

    def _take(self, row: Row, columns: _Columns) -> None:
        created = self._day(row, "created")
        ended = row["stage"] != "open"
        closed = self._day(row, "closed") if ended else OPEN
        if closed < created:
            raise self._fail(texts.closed_before_created(row["closed"], row["created"]))
        won = row["stage"] == "won"
        columns.created.append(created)
        columns.closed.append(closed)
        columns.won.append(won)
        columns.value.append(self._amount(row, "value") if won else 0.0)
        columns.price.append(self._amount(row, "list_price") if row["list_price"] else math.nan)
        columns.team.append(row["team"] or texts.NO_TEAM)
        columns.product.append(row["product"])

    def _day(self, row: Row, name: str) -> int:
        said = row[name]
        if said not in self._days:
            try:
                self._days[said] = date.fromisoformat(said).toordinal()
            except ValueError:
                raise self._fail(texts.not_a_day(name, said)) from None
        return self._days[said]

    def _amount(self, row: Row, name: str) -> float:
        try:
            amount = float(row[name])
        except ValueError:
            amount = math.nan
        if not 0 <= amount < math.inf:
            raise self._fail(texts.not_an_amount(name, row[name]))
        return amount

    def _fail(self, what: str) -> InvalidInput:
        return InvalidInput(texts.at_line(self._path.name, max(1, self._lines.line_num), what))


@dataclass(slots=True)
class _Columns:
    created: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    won: list[bool] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    price: list[float] = field(default_factory=list)
    team: list[str] = field(default_factory=list)
    product: list[str] = field(default_factory=list)

    def table(self) -> Table:
        teams = {name: index for index, name in enumerate(sorted(set(self.team)))}
        products = {name: index for index, name in enumerate(sorted(set(self.product)))}
        return Table(
            created=np.array(self.created, dtype=np.int64),
            closed=np.array(self.closed, dtype=np.int64),
            won=np.array(self.won, dtype=np.bool_),
            value=np.array(self.value, dtype=np.float64),
            price=np.array(self.price, dtype=np.float64),
            team=np.array([teams[name] for name in self.team], dtype=np.int64),
            product=np.array([products[name] for name in self.product], dtype=np.int64),
            teams=tuple(teams),
            products=tuple(products),
        )


@dataclass(frozen=True, slots=True)
class _Siblings:
    """What the public data set keeps in files of their own; a file that is absent adds nothing."""

    prices: Mapping[str, str]
    teams: Mapping[str, str]

    @classmethod
    def beside(cls, path: Path) -> _Siblings:
        prices = _pairs(path.with_name("products.csv"), "product", "sales_price")
        return cls(
            prices={_spelled(product): price for product, price in prices.items()},
            teams=_pairs(path.with_name("sales_teams.csv"), "sales_agent", "manager"),
        )

    def complete(self, row: Row) -> Row:
        price = self.prices.get(_spelled(row["product"]), "")
        return row | {"list_price": price, "team": self.teams.get(row["rep"], "")}


def _spelled(product: str) -> str:
    """The set writes GTXPro here and GTX Pro there."""
    return "".join(product.split()).lower()


def _pairs(path: Path, key: str, value: str) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {key, value} <= set(reader.fieldnames or ()):
            raise InvalidInput(texts.at_line(path.name, 1, texts.columns_missing([key, value])))
        return {row[key]: row[value] for row in reader}
