"""What cards show and chats await."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from storage.tables.columns import Id, Json, Utc, id_column, metadata, ref

cards = Table(  # what each card of ours shows now, so that a late press can be answered
    "cards",
    metadata,
    Column("card_id", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("subject", String(120), nullable=False),  # "draft:12", "lights:5:2026-01-28"
    Column("address", String(300), nullable=False),
    Column("state", String(10), nullable=False),  # open, closed
    Column("data", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

dialogs = Table(  # what we await in a chat beside drafts
    "dialogs",
    metadata,
    Column("conversation", String(300), primary_key=True),
    Column("person_id", Id, primary_key=True),
    Column("state", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

group_words = Table(  # what was said to the bot in a group, for «上面那个记一下»
    "group_words",
    metadata,
    id_column(),
    Column("conversation", String(300), nullable=False),
    ref("person_id", "people.id", index=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("said_at", Utc, nullable=False),
    Column("recorded", Boolean, nullable=False, default=False),
    Index("ix_group_words_said", "conversation", "said_at"),
)
