"""What all tables are made of: the metadata and the types of columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware datetime in and out; UTC inside. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # Some thirty moments are written for a message: each in one step instead of three.
        return as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        # Each row that is read passes here: in one step instead of three.
        return (
            _read_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)
        )


def as_text(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a moment into SQLite."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime reached the database")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[: len("2026-01-28 15:00:00.000000")]


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys up by itself
Json = JSON().with_variant(postgresql.JSONB, "postgresql")


def id_column() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def ref(
    name: str,
    target: str,
    *,
    nullable: bool = False,
    index: bool = True,
    primary_key: bool = False,
) -> Column[int]:
    return Column(
        name,
        Id,
        ForeignKey(target),
        nullable=nullable,
        index=index,
        primary_key=primary_key,
        autoincrement=False if primary_key else "auto",
    )
