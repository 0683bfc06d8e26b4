"""Whom our people talk with outside: contacts, groups, and which customer each belongs to."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, text

from storage.tables.columns import Json, Utc, id_column, metadata, ref

chat_bindings = Table(  # appended; what holds no more has an end
    "chat_bindings",
    metadata,
    id_column(),
    Column("platform", String(20), nullable=False),
    Column("chat_key", String(140), nullable=False),
    Column("kind", String(10), nullable=False),
    ref("account_id", "accounts.id"),
    Column("how", String(10), nullable=False),
    ref("bound_by", "people.id"),
    Column("bound_at", Utc, nullable=False),
    Column("source_id", String(240), nullable=False, index=True),
    Column("ended_at", Utc),
    ref("ended_by", "people.id", nullable=True, index=False),
    Index("ix_chat_bindings_present", "platform", "chat_key", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip

external_contacts = Table(
    "external_contacts",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("external_id", String(140), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("title", String(120), nullable=False),
    Column("company", String(200), nullable=False),
    Column("mobile", String(40), nullable=False),
    Column("union_id", String(140), nullable=False),
    Column("digest", String(16), nullable=False),  # of the values, to see at once what is new
    Column("gone_at", Utc),  # since when none of us has them
)

external_follows = Table(  # which of our members have a contact, and what they noted
    "external_follows",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("external_id", String(140), primary_key=True),
    Column("remark", String(200), nullable=False),
    Column("description", String(600), nullable=False),
    Column("company", String(200), nullable=False),
    Column("mobiles", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("state", String(140), nullable=False),
    Column("add_way", Integer, nullable=False),
    Column("since", Utc),
    Column("digest", String(16), nullable=False),
    Index("ix_external_follows_contact", "platform", "external_id"),
)

external_keys = Table(  # what a contact may have in common with a customer; as account_keys
    "external_keys",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("external_id", String(140), primary_key=True),
    Column("user_id", String(128), primary_key=True),  # who noted it, "" for the platform
    Column("how", String(10), primary_key=True),
    Column("key", String(240), primary_key=True),
)

chat_groups = Table(
    "chat_groups",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("chat_id", String(140), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("owner", String(128), nullable=False),  # a member's user id
    Column("version", String(64), nullable=False),
    Column("created_at", Utc),
    Column("seen_at", Utc, nullable=False),
    Column("gone_at", Utc),
    Index("ix_chat_groups_owner", "platform", "owner"),
)

chat_members = Table(
    "chat_members",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("chat_id", String(140), primary_key=True),
    Column("member_id", String(140), primary_key=True),
    Column("is_staff", Boolean, nullable=False),
    Column("name", String(120), nullable=False),
    Column("joined_at", Utc),
)

external_reads = Table(  # what is to be read again, each thing once
    "external_reads",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("app", String(80), primary_key=True),
    Column("what", String(10), primary_key=True),
    Column("key", String(140), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
)

contact_transfers = Table(  # a contact that shall be another member's
    "contact_transfers",
    metadata,
    id_column(),
    Column("platform", String(20), nullable=False),
    Column("kind", String(10), nullable=False, server_default="contact"),  # contact, group
    Column("external_id", String(140), nullable=False),
    Column("from_user", String(128), nullable=False),
    Column("to_user", String(128), nullable=False),
    Column("has_left", Boolean, nullable=False),  # the member whom it is taken from
    ref("asked_by", "people.id", index=False),
    Column("asked_at", Utc, nullable=False),
    Column("state", String(10), nullable=False),  # asked, sent, done, failed
    Column("reason", String(200), nullable=False),
    Column("due_at", Utc),  # when to go on; NULL: it is over
    Index("ix_contact_transfers_due", "platform", "due_at",
          sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_contact_transfers_contact", "platform", "external_id"),
)  # fmt: skip
