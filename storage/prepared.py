"""Statements of the hottest path, compiled once and handed to the driver.

Of what a constant statement costs, most is SQLAlchemy's own steps: finding what was compiled, a
context and a result for each execution, and with an async driver the switches between greenlets.
What it makes of a statement, its parameters and its rows is the same each time, and is asked for
once here. Who executes it: `storage/sqlite_writer.py`, `storage/postgres_connections.py`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Dialect, Executable, Numeric, Table, UpdateBase
from sqlalchemy.exc import InvalidRequestError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

S = TypeVar("S", bound=Executable)
Process = Callable[[Any], Any]

_row_type: Any = namedtuple  # of names that are not known beforehand
_unread: set[Executable] = set()
_constants: dict[Executable, dict[tuple[str | bool, ...], Prepared | None]] = {}


def prepared(constant: S, *, unread: bool = False) -> S:
    """The same statement, which from now on is compiled once for each set of parameters that is
    handed over with it. Only for constants of a module: it is kept for ever. unread: a write of
    which nobody asks what became of it, not even how many rows it found; on PostgreSQL it may be
    executed later in its transaction (storage/waiting_writes.py)."""
    _constants[constant] = {}
    if unread:
        _unread.add(constant)
    return constant


def find(statement: Executable, parameters: Any, dialect: Dialect) -> Prepared | None:
    """What a statement was compiled to; None where that is SQLAlchemy's business."""
    kept = _constants.get(statement)
    if kept is None:
        return None
    many = isinstance(parameters, list)
    first = parameters[0] if many else parameters
    key = (dialect.name, many, *(first or ()))
    if key not in kept:
        kept[key] = _prepare(statement, key[2:], dialect, many=many)
    return kept[key]


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a statement that gives no rows."""

    rowcount: int


class Rows:
    """What a statement gives; of SQLAlchemy's Result what repositories ask."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        if len(self._rows) > 1:
            raise MultipleResultsFound("one row was expected at most")
        return self.first()

    def one(self) -> Any:
        if not self._rows:
            raise NoResultFound("one row was expected")
        return self.one_or_none()

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        return self.scalars().one_or_none()

    def scalars(self) -> Rows:
        """The first value of each."""
        return Rows([row[0] for row in self._rows])


@dataclass(frozen=True, slots=True)
class _Values:
    """The parameters, in the order in which the driver takes them. pick: takes them out of what
    is handed over. fixed: what holds where nothing is, by name. processes: what they go through,
    by place."""

    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    fixed: Mapping[str, Any]
    processes: tuple[tuple[int, Process], ...]

    def of(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        try:
            row = [*self.pick({**self.fixed, **given})]
        except KeyError as missing:
            raise InvalidRequestError(f"a value is required for parameter {missing}") from None
        for place, process in self.processes:
            row[place] = process(row[place])
        return tuple(row)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it. to_row: gives values the names of its columns.
    processes: what a row's values go through, by place. tables: that it names; table: of them, the
    one that it writes to. unread: see `prepared`."""

    sql: str
    values: _Values
    gives_rows: bool
    to_row: Callable[[Iterable[Any]], Any]
    processes: tuple[tuple[int, Process], ...]
    tables: frozenset[Table]
    table: Table | None
    unread: bool

    def arguments(self, parameters: Any) -> Any:
        """As the driver takes them: of one execution, or of each in a list."""
        if isinstance(parameters, list):
            return [self.values.of(one) for one in parameters]
        return self.values.of(parameters or {})

    def result(self, found: Sequence[Sequence[Any]]) -> Rows:
        """found: the driver's rows, of a statement that gives any."""
        to_row, processes = self.to_row, self.processes
        if not processes:
            return Rows([to_row(row) for row in found])
        rows = []
        for row in found:
            values = list(row)
            for place, process in processes:
                values[place] = process(values[place])
            rows.append(to_row(values))
        return Rows(rows)


def _prepare(
    statement: Any, names: Sequence[Any], dialect: Dialect, *, many: bool
) -> Prepared | None:
    """None for what is not the same each time: lists that are written out, values that are made
    in Python; and for numbers on PostgreSQL, whose reading hangs on what the server calls them."""
    compiled: SQLCompiler = statement.compile(
        dialect=dialect, column_keys=list(names), for_executemany=many or statement in _unread
    )
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    made = {
        column.key: column.default.arg
        for column in compiled.insert_prefetch
        if isinstance(column.default, ScalarElementColumnDefault)
    }
    if len(made) < len(compiled.insert_prefetch) or compiled.update_prefetch:
        return None
    binds = [compiled.binds[name] for name in compiled.positiontup or ()]
    columns = statement.exported_columns
    if any(isinstance(column.type, Numeric) for column in columns):
        return None
    return Prepared(
        sql=str(compiled),
        values=_values(binds, made, dialect),
        gives_rows=len(columns) > 0,
        to_row=_row_type("Row", columns.keys())._make,
        processes=tuple(
            (place, process)
            for place, column in enumerate(columns)
            if (process := _impl(column.type, dialect).result_processor(dialect, None)) is not None
        ),
        tables=frozenset(part for part in visitors.iterate(statement) if isinstance(part, Table)),
        table=_written(statement),
        unread=statement in _unread,
    )


def _written(statement: Any) -> Table | None:
    table = statement.table if isinstance(statement, UpdateBase) else None
    return table if isinstance(table, Table) else None


def _values(
    binds: Sequence[BindParameter[Any]], made: Mapping[str, Any], dialect: Dialect
) -> _Values:
    """made: what a column begins with where nobody says otherwise."""
    processes = [_impl(bind.type, dialect).bind_processor(dialect) for bind in binds]
    return _Values(
        pick=_picking([bind.key for bind in binds]),
        fixed={
            **{bind.key: bind.effective_value for bind in binds if not bind.required},
            **made,
        },
        processes=tuple(
            (place, process) for place, process in enumerate(processes) if process is not None
        ),
    )


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """The values under these names."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: tuple([given[name] for name in names])  # one would come without a tuple


def _impl(of: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return of.dialect_impl(dialect)
