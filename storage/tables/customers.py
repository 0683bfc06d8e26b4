"""Customers: names, contacts, duplicates, merges, the pool, assignments."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Id, Json, Utc, id_column, metadata, ref

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False, unique=True),
    Column("aliases", Json, nullable=False),
    Column("industry", String(80), nullable=False, default=""),
    ref("owner_id", "people.id"),
    Column("created_at", Utc, nullable=False),
    Column("credit_code", String(18), nullable=False, server_default=""),
    Column("phone", String(20), nullable=False, server_default=""),
    Column("domain", String(120), nullable=False, server_default=""),
    Column("keyed_at", Utc),  # when account_keys was last written; NULL: not since a change
    ref("merged_into_id", "accounts.id", nullable=True),
    Column("in_pool_since", Utc),
    Column("pool_reason", String(200), nullable=False, server_default=""),
    Column("pool_due_at", Utc),  # when to look next whether it goes to the pool
    Column("pool_warned_at", Utc),
    Index("ix_accounts_unkeyed", "id",
          sqlite_where=text("keyed_at IS NULL"), postgresql_where=text("keyed_at IS NULL")),
    Index("ix_accounts_domain", "domain",
          sqlite_where=text("domain <> ''"), postgresql_where=text("domain <> ''")),
    Index("ix_accounts_pool", "in_pool_since", "id",
          sqlite_where=text("in_pool_since IS NOT NULL"),
          postgresql_where=text("in_pool_since IS NOT NULL")),
    Index("ix_accounts_pool_due", "pool_due_at",
          sqlite_where=text("pool_due_at IS NOT NULL"),
          postgresql_where=text("pool_due_at IS NOT NULL")),
)  # fmt: skip

contacts = Table(
    "contacts",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    Column("name", String(80), nullable=False),
    Column("title", String(80), nullable=False, default=""),
    Column("mobile", String(32)),
    Column("external_id", String(140), nullable=False, server_default=""),
    UniqueConstraint("account_id", "name"),
    Index("ix_contacts_external", "external_id",
          sqlite_where=text("external_id <> ''"), postgresql_where=text("external_id <> ''")),
)  # fmt: skip

account_keys = Table(  # what a customer is filed under, so that its duplicates are found
    "account_keys",
    metadata,
    Column("key", String(240), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, index=True),
)

account_merges = Table(
    "account_merges",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),  # the one that is no more
    ref("into_id", "accounts.id"),
    ref("person_id", "people.id", index=False),
    Column("merged_at", Utc, nullable=False),
    Column("moved", Json, nullable=False),  # what an undo needs
    Column("undone_at", Utc),
)

collisions = Table(  # two people want one customer; whoever leads both decides
    "collisions",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    ref("holder_id", "people.id", index=False),
    ref("claimant_id", "people.id", index=False),
    Column("asked", Json, nullable=False),  # the customer as the claimant entered it
    Column("reasons", Json, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("decided_at", Utc),
    ref("decided_by", "people.id", nullable=True, index=False),
    Column("decision", String(10), nullable=False, default=""),
    Column("reason", String(200), nullable=False, default=""),
)

pool_claims = Table(
    "pool_claims",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    ref("person_id", "people.id", index=False),
    Column("claimed_at", Utc, nullable=False),
    Index("ix_pool_claims_person", "person_id", "claimed_at"),
)

assignments = Table(  # a lead given to somebody, until they take it
    "assignments",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    ref("person_id", "people.id", index=False),
    ref("assigned_by", "people.id", index=False),
    Column("assigned_at", Utc, nullable=False),
    Column("step", String(12), nullable=False),  # who hears of it next: supervisor, leader
    Column("due_at", Utc),  # NULL: nobody any more
    Column("settled_at", Utc),
    Column("outcome", String(12), nullable=False, default=""),
    Index("ix_assignments_due", "due_at",
          sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
)  # fmt: skip

learnt_aliases = Table(  # what a rep calls a customer, by the rep's own confirmed choice
    "learnt_aliases",
    metadata,
    id_column(),
    Column("alias", String(60), nullable=False),  # in one spelling: normalised
    ref("account_id", "accounts.id"),
    ref("person_id", "people.id", index=False),
    Column("state", String(10), nullable=False),  # held, undone, denied
    Column("activity_id", Id),  # the record whose confirmation taught it
    Column("learnt_at", Utc, nullable=False),
    UniqueConstraint("alias", "account_id", "person_id"),
    Index("ix_learnt_aliases_activity", "activity_id"),
)

customer_profiles = Table(  # what a rep told of a customer's size and purchases
    "customer_profiles",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("employees", Integer),
    Column("yearly_fen", BigInteger),
    Column("told_at", Utc, nullable=False),
)
