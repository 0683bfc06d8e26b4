"""Which of several processes on one PostgreSQL does what. Empty where there is one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from storage.tables.columns import Utc, metadata

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("alive_until", Utc, nullable=False),  # by the database's clock
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),  # bot/domain/sharing.py
    Column("node", String(60), nullable=False),
    Column("term", BigInteger, nullable=False),  # another with each take-over
    Column("ends_at", Utc, nullable=False),  # by the database's clock
)
