"""Settings changed at run time, and the audit chain."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    String,
    Table,
    Text,
)

from storage.tables.columns import Id, Json, Utc, metadata

settings_rows = Table(  # values an admin changed without code: calendars, policy numbers
    "settings",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("actor", String(80), nullable=False),  # "person:5", "system", "admin:cli"
    Column("action", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("before", Text, nullable=False),  # canonical JSON; "" when erased
    Column("after", Text, nullable=False),
    Column("salt", String(32), nullable=False, server_default=""),  # "" when erased
    Column("content_hash", String(64), nullable=False, server_default=""),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_subject", "subject", "seq"),
)
