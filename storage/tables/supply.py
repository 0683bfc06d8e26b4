"""Notices to warehouse and planning, who acknowledged them, and their daily numbers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table, UniqueConstraint

from storage.tables.columns import Utc, id_column, metadata, ref

supply_notices = Table(  # append only; the newest of an opportunity is how it stands there
    "supply_notices",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id", index=False),
    Column("kind", String(10), nullable=False),  # see bot.domain.supply.NoticeKind
    Column("generation", Integer, nullable=False),
    Column("evidence_id", String(20), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("before_fen", BigInteger),
    Column("reason", String(200), nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("opportunity_id", "generation"),
    UniqueConstraint("evidence_id", "generation"),
    Index("ix_supply_notices_at", "at", "id"),
)

supply_acks = Table(
    "supply_acks",
    metadata,
    ref("notice_id", "supply_notices.id", primary_key=True, index=False),
    Column("station", String(10), primary_key=True),  # see bot.domain.supply.Station
    ref("person_id", "people.id", index=False),
    Column("at", Utc, nullable=False),
)

supply_numbers = Table(  # the last number that was given on a day
    "supply_numbers",
    metadata,
    Column("day", Date, primary_key=True),
    Column("last", Integer, nullable=False),
)

supply_reminders = Table(  # whom silence about a notice was told, once each
    "supply_reminders",
    metadata,
    ref("notice_id", "supply_notices.id", primary_key=True, index=False),
    Column("station", String(10), primary_key=True),
    Column("step", String(12), primary_key=True),  # see bot.domain.supply.Step
    Column("at", Utc, nullable=False),
)
