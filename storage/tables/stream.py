"""Drafts, the activity stream, what its entries still owe, files."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from storage.tables.columns import Id, Json, Utc, id_column, metadata, ref

drafts = Table(
    "drafts",
    metadata,
    id_column(),
    Column("conversation", String(300), nullable=False),
    ref("person_id", "people.id"),
    Column("unit", String(40), nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("touched_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    ref("account_id", "accounts.id", nullable=True, index=False),
    ref("opportunity_id", "opportunities.id", nullable=True, index=False),
    Column("slots", Json, nullable=False),
    Column("confidence", Json, nullable=False, server_default="{}"),
    Column("file_hashes", Json, nullable=False),
    Column("candidates", Json, nullable=False),
    Column("awaiting", String(40), nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=1),
    Column("activity_id", Id),
    Column("card_no", Integer, nullable=False, default=0),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Index("ix_drafts_open", "conversation", "person_id",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_drafts_expiring", "expires_at",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_drafts_account", "account_id"),
    Index("ix_drafts_opportunity", "opportunity_id"),
)  # fmt: skip

activities = Table(
    "activities",
    metadata,
    id_column(),
    ref("account_id", "accounts.id", index=False),
    ref("opportunity_id", "opportunities.id", nullable=True, index=False),
    ref("actor_id", "people.id", nullable=True, index=False),
    Column("unit", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("slots", Json, nullable=False),
    Column("file_hashes", Json, nullable=False),
    Column("valid", Boolean, nullable=False),
    Column("invalid_reason", String(200), nullable=False, default=""),
    Column("grade", String(4), nullable=False),
    Column("late", Boolean, nullable=False, default=False),
    ref("retracts_id", "activities.id", nullable=True),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Index("ix_activities_stream", "account_id", "occurred_at", "id"),
    Index("ix_activities_opportunity", "opportunity_id", "occurred_at", "id"),
    Index("ix_activities_actor", "actor_id", "recorded_at", "id"),
    Index("ix_activities_notes", "recorded_at",
          sqlite_where=text("unit = ''"), postgresql_where=text("unit = ''")),
)  # fmt: skip

deadlines = Table(  # what an entry of the stream still owes: minutes, fields, a word of unlocking
    "deadlines",
    metadata,
    id_column(),
    Column("activity_id", Id, ForeignKey("activities.id"), nullable=False, unique=True),
    ref("account_id", "accounts.id", index=False),
    ref("opportunity_id", "opportunities.id", nullable=True),
    ref("person_id", "people.id", index=False),
    Column("awaited", String(10), nullable=False),  # minutes, fields, late
    Column("state", String(10), nullable=False),  # open, locked, done, dropped
    Column("acted_at", Utc, nullable=False),
    Column("since", Utc, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("step", Integer, nullable=False, default=0),
    Column("due_at", Utc),  # the next reminder, or the lock; NULL: nothing more
    Column("reopened_at", Utc),
    Column("locked_at", Utc),
    Column("settled_at", Utc),
    Index("ix_deadlines_due", "due_at", "id", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_deadlines_locked", "locked_at", sqlite_where=text("locked_at IS NOT NULL"),
          postgresql_where=text("locked_at IS NOT NULL")),
    *(
        Index(f"ix_deadlines_{name}", f"{name}_id",
              sqlite_where=text("state IN ('open', 'locked')"),
              postgresql_where=text("state IN ('open', 'locked')"))
        for name in ("person", "account")
    ),
    Index("ix_deadlines_all_of_account", "account_id"),
    Index("ix_deadlines_done", "person_id", "settled_at",
          sqlite_where=text("state = 'done'"), postgresql_where=text("state = 'done'")),
)  # fmt: skip

files = Table(
    "files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("name", String(255), nullable=False),
    Column("stored_at", Utc, nullable=False),
    Column("erased_at", Utc),  # the bytes are gone, on somebody's right to it
)

file_uses = Table(  # which customer a file was sent to: the anti-gaming rule asks
    "file_uses",
    metadata,
    Column("sha256", String(64), ForeignKey("files.sha256"), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("first_used_at", Utc, nullable=False),
    Index("ix_file_uses_account", "account_id"),
)

loose_files = Table(  # sent without saying for whom: waits for the answer
    "loose_files",
    metadata,
    id_column(),
    Column("conversation", String(300), nullable=False, index=True),
    ref("person_id", "people.id", index=False),
    Column("sha256", String(64), ForeignKey("files.sha256"), nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("received_at", Utc, nullable=False),
    Column("settled_at", Utc),
)
