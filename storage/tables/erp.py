"""Customers and orders as the ERPs tell them, and the forecast lines that we keep there."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

erp_customers = Table(  # whom an ERP knows, and which customer of ours that is
    "erp_customers",
    metadata,
    id_column(),
    Column("system", String(32), nullable=False),
    Column("code", String(80), nullable=False),
    Column("name", String(200), nullable=False),
    Column("credit_code", String(40), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("active", Boolean, nullable=False),
    ref("account_id", "accounts.id", nullable=True),
    Column("state", String(10), nullable=False),  # new, proposed, unlike, linked, dropped
    ref("proposed_id", "accounts.id", nullable=True),
    Column("score", Integer, nullable=False, default=0),  # of the proposal, percent
    Column("reasons", Json, nullable=False),
    Column("revision", Integer, nullable=False),  # rises with each change told
    Column("first_told_at", Utc, nullable=False),
    Column("decided_at", Utc),
    ref("decided_by", "people.id", nullable=True, index=False),  # NULL: by policy, or open
    UniqueConstraint("system", "code"),
    Index("ix_erp_customers_code", "code"),
    Index("ix_erp_customers_open", "state", "id",
          sqlite_where=text("account_id IS NULL"),
          postgresql_where=text("account_id IS NULL")),
)  # fmt: skip

erp_orders = Table(  # sales orders as the ERPs tell them
    "erp_orders",
    metadata,
    id_column(),
    Column("system", String(32), nullable=False),
    Column("number", String(80), nullable=False),
    Column("customer_code", String(80), nullable=False),
    Column("customer_name", String(200), nullable=False),
    Column("contract_number", String(60), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),  # hundredths of `currency`
    Column("lines_fen", BigInteger, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("currency", String(12), nullable=False),
    Column("ordered_on", Date, nullable=False),
    Column("delivery_on", Date),
    Column("status", String(10), nullable=False),
    ref("account_id", "accounts.id", nullable=True),
    ref("contract_id", "contracts.id", nullable=True),
    ref("opportunity_id", "opportunities.id", nullable=True),
    Column("revision", Integer, nullable=False),  # rises with each change told
    Column("first_told_at", Utc, nullable=False),
    UniqueConstraint("system", "number"),
    Index("ix_erp_orders_open", "customer_code",
          sqlite_where=text("account_id IS NULL"),
          postgresql_where=text("account_id IS NULL")),
)  # fmt: skip

erp_forecasts = Table(  # what we wanted an ERP to hold, append only; the newest revision counts
    "erp_forecasts",
    metadata,
    id_column(),
    Column("system", String(32), nullable=False),
    Column("key", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    ref("account_id", "accounts.id"),
    ref("contract_id", "contracts.id", nullable=True),
    ref("opportunity_id", "opportunities.id", nullable=True),
    Column("customer_code", String(80), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("expected_on", Date, nullable=False),
    Column("level", String(20), nullable=False),
    Column("evidence", String(80), nullable=False),
    Column("opportunity", String(200), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("asked_at", Utc, nullable=False),
    ref("asked_by", "people.id", nullable=True, index=False),  # NULL: by rule
    UniqueConstraint("system", "key", "revision"),
)

contract_deals = Table(  # which deal a contract belongs to, where somebody had to say it
    "contract_deals",
    metadata,
    ref("contract_id", "contracts.id", index=False, primary_key=True),
    ref("opportunity_id", "opportunities.id", nullable=True, index=False),  # NULL: none of them
    ref("said_by", "people.id", index=False),
    Column("at", Utc, nullable=False),
)
