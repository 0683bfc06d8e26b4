"""Who may open pages: links from the chat, and the sessions they became."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from storage.tables.columns import Utc, id_column, metadata, ref

page_tickets = Table(  # a link given to one person; opens one session
    "page_tickets",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of what the link carries
    ref("person_id", "people.id", index=False),
    Column("path", String(300), nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("used_at", Utc),
    Index("ix_page_tickets_made", "made_at"),
)

page_sessions = Table(
    "page_sessions",
    metadata,
    id_column(),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    ref("person_id", "people.id"),
    Column("form_key", String(64), nullable=False),  # every form of the session carries it
    Column("came_by", String(20), nullable=False),  # link, wecom, dingtalk
    Column("began_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("ended_why", String(20), nullable=False, server_default=""),  # signed out, left
)

used_sign_ins = Table(  # through a platform; a row is forgotten once it could not be used anyway
    "used_sign_ins",
    metadata,
    Column("state", String(64), primary_key=True),  # a SHA-256
    Column("expires_at", Utc, nullable=False),
    Index("ix_used_sign_ins_expires", "expires_at"),
)
