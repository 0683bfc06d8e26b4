"""Contracts, receipts of the ERPs, clause reviews."""

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

contracts = Table(  # what was agreed about payment, one row a contract number
    "contracts",
    metadata,
    id_column(),
    Column("number", String(60), nullable=False, unique=True),
    ref("account_id", "accounts.id"),
    Column("amount_fen", BigInteger, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("prepayment_fen", BigInteger),
    Column("prepayment_due_on", Date),
    Column("post_paid", Boolean, nullable=False),
    ref("recorded_by", "people.id", nullable=True, index=False),
    Column("recorded_at", Utc, nullable=False),
    Column("check_at", Utc),  # when the payment must have come; NULL: nothing to look for
    Column("withdrawn_at", Utc),  # taken off the record; its number may come again
    Index("ix_contracts_signed", "signed_on", "id"),
    Index("ix_contracts_check", "check_at",
          sqlite_where=text("check_at IS NOT NULL"),
          postgresql_where=text("check_at IS NOT NULL")),
)  # fmt: skip

erp_receipts = Table(  # lines of receipts as the ERPs tell them; reversals are negative
    "erp_receipts",
    metadata,
    id_column(),
    Column("system", String(32), nullable=False),
    Column("number", String(80), nullable=False),
    Column("line", String(40), nullable=False),
    Column("contract_number", String(60), nullable=False),
    ref("contract_id", "contracts.id", nullable=True),
    Column("amount_fen", BigInteger, nullable=False),  # hundredths of `currency`
    Column("currency", String(12), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("payer", String(120), nullable=False),
    Column("first_told_at", Utc, nullable=False),
    UniqueConstraint("system", "number", "line"),
    Index("ix_erp_receipts_open", "contract_number",
          sqlite_where=text("contract_id IS NULL"),
          postgresql_where=text("contract_id IS NULL")),
)  # fmt: skip

erp_bookmarks = Table(  # up to when an ERP has told us everything of a kind
    "erp_bookmarks",
    metadata,
    Column("system", String(32), primary_key=True),
    Column("kind", String(20), primary_key=True),  # receipts, customers, orders
    Column("known_until", Utc, nullable=False),
)

clause_reviews = Table(  # 合同条款复核: one a contract, reopened with the next round
    "clause_reviews",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id", index=False),
    Column("round", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("deadline_at", Utc, nullable=False),
    Column("remind_at", Utc),  # NULL: reminded, or closed
    Column("reviewers", Json, nullable=False),  # ids of people
    Column("checklist", Json, nullable=False),  # [{"item", "done_by"}], done_by "" until ticked
    Column("outcome", String(20), nullable=False),  # "" while open
    Column("note", String(200), nullable=False),
    ref("decided_by", "people.id", nullable=True, index=False),
    Column("decided_at", Utc),
    UniqueConstraint("contract_id"),
    Index("ix_clause_reviews_remind", "remind_at",
          sqlite_where=text("remind_at IS NOT NULL"),
          postgresql_where=text("remind_at IS NOT NULL")),
    Index("ix_clause_reviews_open", "deadline_at",
          sqlite_where=text("outcome = ''"), postgresql_where=text("outcome = ''")),
)  # fmt: skip
