"""What comes in and goes out: inbox, outbox, ticks of jobs, tokens, counted calls."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata

inbox = Table(  # on PostgreSQL in partitions by month of received_at; see storage/partitions.py
    "inbox",
    metadata,
    id_column(),
    Column("channel", String(80), nullable=False),
    Column("delivery_id", String(200), nullable=False),
    Column("conversation", String(300), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),  # new, done, dead
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Utc),
    Column("finished_at", Utc),
    Column("reason", Text, nullable=False, default=""),
    Column("replayed", Boolean, nullable=False, default=False),
    UniqueConstraint("channel", "delivery_id",  # on PostgreSQL by inbox_keys
                     info={"only_on": "sqlite"}).ddl_if(dialect="sqlite"),
    Index("ix_inbox_unfinished", "sent_at", "id", sqlite_where=text("state = 'new'"),
          postgresql_where=text("state = 'new'")),
    Index("ix_inbox_next", "conversation", "sent_at", "id",  # where processes share the work
          postgresql_where=text("state = 'new'"),
          info={"only_on": "postgresql"}).ddl_if(dialect="postgresql"),
    Index("ix_inbox_failed", "finished_at", sqlite_where=text("reason <> ''"),
          postgresql_where=text("reason <> ''")),
    Index("ix_inbox_dead", "id", sqlite_where=text("state = 'dead'"),
          postgresql_where=text("state = 'dead'")),
)  # fmt: skip

_BY_BYTES = String(200).with_variant(String(200, collation="C"), "postgresql")
"""An index over it knows where a prefix begins and ends."""

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    Column("dedupe_key", _BY_BYTES, nullable=False, unique=True),
    Column("platform", String(20), nullable=False),
    Column("app", String(40), nullable=False),
    Column("user_id", String(128)),
    Column("chat_id", String(128)),
    Column("webhook", String(80)),
    Column("address", String(300), nullable=False),  # Address.key
    Column("content", Text, nullable=False),
    Column("subject", String(120), nullable=False, default=""),
    Column("card_id", String(64)),  # of a Card or CardUpdate
    Column("queued_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),  # not_before, later the next attempt
    Column("expires_at", Utc),
    Column("state", String(10), nullable=False),  # queued, sent, dead, dropped
    Column("attempts", Integer, nullable=False, default=0),
    Column("reason", Text, nullable=False, default=""),
    Column("finished_at", Utc),  # sent, given up or dropped
    Column("handle", String(300), nullable=False, default=""),
    Column("response_code", String(300), nullable=False, default=""),
    Column("undelivered", Json),
    Column("trace", String(60)),  # W3C's traceparent of what caused it, where traces are collected
    Index("ix_outbox_app", "platform", "app", "due_at", "id", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_expiring", "expires_at",
          sqlite_where=text("state = 'queued' AND expires_at IS NOT NULL"),
          postgresql_where=text("state = 'queued' AND expires_at IS NOT NULL")),
    Index("ix_outbox_heads", "address", "due_at", "id", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_retrying", "address",
          sqlite_where=text("state = 'queued' AND attempts > 0"),
          postgresql_where=text("state = 'queued' AND attempts > 0")),
    Index("ix_outbox_dead", "id", sqlite_where=text("state = 'dead'"),
          postgresql_where=text("state = 'dead'")),
    Index("ix_outbox_subject", "subject", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_card", "card_id", "id"),
)  # fmt: skip

ticks = Table(
    "ticks",
    metadata,
    Column("job", String(60), primary_key=True),
    Column("scheduled_at", Utc, primary_key=True),
    Column("claimed_at", Utc, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(120), primary_key=True),  # "<platform>:<app>"
    Column("token", Text, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

call_counts = Table(  # the monthly quota of DingTalk, and calls worth watching
    "call_counts",
    metadata,
    Column("name", String(120), primary_key=True),  # "dingtalk:<app>:api"
    Column("month", String(7), primary_key=True),  # "2026-11", in the team's zone
    Column("calls", Integer, nullable=False),
)
