"""What customers do by themselves, and what that was found to mean."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Id, Json, Utc, id_column, metadata, ref

signal_events = Table(  # as they were told, each once; meetings, too
    "signal_events",
    metadata,
    id_column(),
    Column("site", String(32), nullable=False),  # a website's name, or stream
    Column("event_id", String(80), nullable=False),
    Column("visitor", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("page", String(300), nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("link_id", Id),  # by which link the visitor came, where they agreed to be known
    Column("consent", Boolean, nullable=False),
    ref("account_id", "accounts.id", nullable=True, index=False),  # NULL: nobody we know
    Column("state", String(10), nullable=False),  # new, seen, written (into the stream)
    UniqueConstraint("site", "event_id"),
    Index("ix_signal_events_new", "id",
          sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
    Index("ix_signal_events_visitor", "site", "visitor", "at"),
    Index("ix_signal_events_account", "account_id", "at",
          sqlite_where=text("account_id IS NOT NULL"),
          postgresql_where=text("account_id IS NOT NULL")),
    Index("ix_signal_events_age", "received_at"),
)  # fmt: skip

signal_visitors = Table(  # browsers, under ids that they made up
    "signal_visitors",
    metadata,
    id_column(),
    Column("site", String(32), nullable=False),
    Column("visitor", String(64), nullable=False),
    ref("account_id", "accounts.id", nullable=True),
    Column("contact", String(100), nullable=False),
    Column("identified_at", Utc),
    Column("last_at", Utc, nullable=False),
    Column("due_at", Utc),  # when what they did is a finished visit; NULL: all is written
    UniqueConstraint("site", "visitor"),
    Index("ix_signal_visitors_due", "due_at",
          sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_signal_visitors_age", "last_at"),
)  # fmt: skip

signal_links = Table(  # in material that somebody was sent
    "signal_links",
    metadata,
    id_column(),
    Column("site", String(32), nullable=False),
    ref("account_id", "accounts.id"),
    Column("contact", String(100), nullable=False),
    Column("title", String(100), nullable=False),
    Column("url", String(1000), nullable=False),
    ref("person_id", "people.id", index=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

customer_signals = Table(  # what the rules found; appended
    "customer_signals",
    metadata,
    id_column(),
    ref("account_id", "accounts.id", index=False),
    Column("rule", String(40), nullable=False),
    Column("key", String(80), nullable=False),
    Column("at", Utc, nullable=False),
    Column("found_at", Utc, nullable=False),
    Column("events", Json, nullable=False),
    Column("pages", Json, nullable=False),
    Column("task", String(10), nullable=False),  # "", open, done
    UniqueConstraint("account_id", "key"),
    Index("ix_customer_signals_account", "account_id", "at"),
    Index("ix_customer_signals_task", "account_id",
          sqlite_where=text("task = 'open'"), postgresql_where=text("task = 'open'")),
)  # fmt: skip

signal_looks = Table(  # when a rule that waits may have come true
    "signal_looks",
    metadata,
    ref("account_id", "accounts.id", primary_key=True, index=False),
    Column("due_at", Utc, nullable=False, index=True),
)
