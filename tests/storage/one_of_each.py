"""A row in every table, each of which refers to the same person and customer, with given words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    insert,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage.engines import to_json, to_url
from storage.tables import Json, metadata
from storage.tables.columns import Utc
from tests.storage.samples import AT

BY_ITS_OWN_WAY = {"audit", "inbox"}
"""Sealed, and told apart by a trigger."""

Words = Callable[[Column[Any]], Any]
"""What stands in a column of text; None where it makes no difference."""


def is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String | Text | LargeBinary | type(Json))


async def fill(url: str, there: Mapping[str, Any], words: Words) -> None:
    """there: table -> the key of the row that others refer to, where there is one already."""
    keys = dict(there)
    engine = create_async_engine(to_url(url), json_serializer=to_json)
    async with engine.begin() as conn:
        for table in metadata.sorted_tables:
            if table.name not in {*BY_ITS_OWN_WAY, *there}:
                keys[table.name] = await _add(conn, table, keys, words)
    await engine.dispose()


async def _add(conn: AsyncConnection, table: Table, keys: Mapping[str, Any], words: Words) -> Any:
    values = {
        column.name: _value(column, keys, words)
        for column in table.columns
        if not (column.primary_key and column.autoincrement is True)
    }
    added = await conn.execute(insert(table).values(values))
    return added.inserted_primary_key[0] if added.inserted_primary_key else None


def _value(column: Column[Any], keys: Mapping[str, Any], words: Words) -> Any:
    for one in column.foreign_keys:
        return keys.get(one.column.table.name)
    if is_text(column):
        word = words(column)
        if isinstance(column.type, type(Json)):
            return [] if word is None else word
        if isinstance(column.type, LargeBinary):
            return str(word or "").encode()
        return str("x" if word is None else word)[: column.type.length]
    return _plain(column)


def _plain(column: Column[Any]) -> Any:
    kinds = ((Boolean, False), (Utc | DateTime, AT), (Date, date(2026, 1, 28)))
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    assert isinstance(column.type, BigInteger | Integer), column
    return 1


async def where_told(url: str, *words: str) -> set[str]:
    """table.column of every value that has one of the words in it."""
    found = set()
    engine = create_async_engine(to_url(url))
    async with engine.connect() as conn:
        for table in metadata.sorted_tables:
            for row in await conn.execute(table.select()):
                for column, value in zip(table.columns, row, strict=True):
                    text = bytes(value).decode() if isinstance(value, bytes) else str(value)
                    if any(word in text for word in words):
                        found.add(f"{table.name}.{column.name}")
    await engine.dispose()
    return found
