"""The growth fund: consents, a double-entry book, what can be had for it, and who asked for it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from storage.tables.columns import Json, Utc, id_column, metadata, ref

growth_consents = Table(  # given in writing, taken back for the future; never deleted
    "growth_consents",
    metadata,
    id_column(),
    ref("person_id", "people.id"),
    Column("share_bp", Integer, nullable=False),
    Column("words", Text, nullable=False),  # to which the person agreed, word for word
    Column("given_at", Utc, nullable=False),
    Column("ended_at", Utc),
)

growth_postings = Table(  # append only
    "growth_postings",
    metadata,
    id_column(),
    Column("key", String(200), nullable=False, unique=True),  # the same cause is posted once
    ref("person_id", "people.id"),
    Column("kind", String(10), nullable=False),  # see bot.domain.payouts.growth.Kind
    Column("entries", Json, nullable=False),  # account -> fen, to zero
    Column("quarter", String(6), nullable=False, server_default=""),
    Column("why", String(200), nullable=False),
    ref("by_id", "people.id", nullable=True, index=False),
    Column("at", Utc, nullable=False),
)

growth_items = Table(  # the catalogue; another price is another row
    "growth_items",
    metadata,
    id_column(),
    Column("kind", String(10), nullable=False),  # course, ticket, training
    Column("name", String(80), nullable=False),
    Column("price_fen", BigInteger, nullable=False),
    Column("note", String(200), nullable=False),
    ref("added_by", "people.id", index=False),
    Column("added_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Index("uq_growth_items_name", "name", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip

growth_redemptions = Table(
    "growth_redemptions",
    metadata,
    id_column(),
    ref("person_id", "people.id"),
    ref("item_id", "growth_items.id", index=False),
    ref("hold_id", "growth_postings.id", index=False),
    Column("state", String(10), nullable=False),  # waiting, approved, rejected, withdrawn
    Column("asked_at", Utc, nullable=False),
    ref("decided_by", "people.id", nullable=True, index=False),
    Column("decided_at", Utc),
)
