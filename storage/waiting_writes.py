"""Writes of a transaction that nobody reads back, sent to PostgreSQL together.

Each statement is a round trip, which costs both sides more than most writes themselves. So those
that are `prepared(…, unread=True)` wait until something is asked of a table that they touch, or
for the end of the transaction. Parts of one statement do not see each other, and have no order:
the server begins with the last. So no two that could matter to each other go together, and rows
of one table, which are numbered as they come, never do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table

from storage.prepared import Prepared

_PLACE = re.compile(r"\$(\d+)")


class WaitingWrites:
    """In the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Prepared, Sequence[Any]]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def are_seen_by(self, asked: Prepared) -> bool:
        """Whether a statement could notice that they are not yet executed."""
        return any(_matters(write, asked) for write, _ in self._waiting)

    def exclude(self, write: Prepared) -> bool:
        """Whether it cannot be sent in one statement with them."""
        return any(
            one.table in write.tables or write.table in one.tables for one, _ in self._waiting
        )

    def add(self, write: Prepared, row: Sequence[Any]) -> None:
        self._waiting.append((write, row))

    def drop(self) -> None:
        self._waiting.clear()

    def take(self) -> tuple[str, list[Any]]:
        """All of them as one statement, and its values; none wait then."""
        taken, self._waiting = self._waiting, []
        return (
            _together(tuple(write.sql for write, _ in taken)),
            [value for _, row in taken for value in row],
        )


def _matters(write: Prepared, asked: Prepared) -> bool:
    """Of writes also to what a key leads to, which the server looks at."""
    if write.table in asked.tables:
        return True
    return asked.table is not None and (
        write.table in _led_to_by(asked.table) or asked.table in _led_to_by(write.table)
    )


@lru_cache(maxsize=256)
def _led_to_by(table: Table) -> frozenset[Any]:
    return frozenset(key.column.table for key in table.foreign_keys)


@lru_cache(maxsize=256)
def _together(writes: tuple[str, ...]) -> str:
    if len(writes) == 1:
        return writes[0]
    parts, places = [], 0
    for number, sql in enumerate(writes):
        found = [int(place) for place in _PLACE.findall(sql)]
        parts.append(f"w{number} AS ({_moved(sql, places)})")
        places += max(found, default=0)
    return f"WITH {', '.join(parts)} SELECT 1"


def _moved(sql: str, places: int) -> str:
    """The same with its values further on."""
    return _PLACE.sub(lambda place: f"${int(place[1]) + places}", sql)
