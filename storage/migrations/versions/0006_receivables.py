"""Contracts, what the ERPs tell of their payment, and the reviews of their clauses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_receivables"
down_revision = "0005_customers"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "contracts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("prepayment_fen", sa.BigInteger(), nullable=True),
        sa.Column("prepayment_due_on", sa.Date(), nullable=True),
        sa.Column("post_paid", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("check_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contracts_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["people.id"], name=op.f("fk_contracts_recorded_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_contracts_number")),
    )
    op.create_index(op.f("ix_contracts_account_id"), "contracts", ["account_id"], unique=False)
    _partial("ix_contracts_check", "contracts", "check_at", "check_at IS NOT NULL")
    op.create_table(
        "erp_receipts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("line", sa.String(length=40), nullable=False),
        sa.Column("contract_number", sa.String(length=60), nullable=False),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=12), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("payer", sa.String(length=120), nullable=False),
        sa.Column("first_told_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_erp_receipts_contract_id_contracts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_receipts")),
        sa.UniqueConstraint(
            "system", "number", "line", name=op.f("uq_erp_receipts_system_number_line")
        ),
    )
    op.create_index(
        op.f("ix_erp_receipts_contract_id"), "erp_receipts", ["contract_id"], unique=False
    )
    _partial("ix_erp_receipts_open", "erp_receipts", "contract_number", "contract_id IS NULL")
    op.create_table(
        "erp_bookmarks",
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("known_until", UTC, nullable=False),
        sa.PrimaryKeyConstraint("system", "kind", name=op.f("pk_erp_bookmarks")),
    )
    _create_reviews()


def _create_reviews() -> None:
    op.create_table(
        "clause_reviews",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("opened_at", UTC, nullable=False),
        sa.Column("deadline_at", UTC, nullable=False),
        sa.Column("remind_at", UTC, nullable=True),
        sa.Column("reviewers", JSON, nullable=False),
        sa.Column("checklist", JSON, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_clause_reviews_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["people.id"], name=op.f("fk_clause_reviews_decided_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clause_reviews")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_clause_reviews_contract_id")),
    )
    _partial("ix_clause_reviews_remind", "clause_reviews", "remind_at", "remind_at IS NOT NULL")


def _partial(name: str, table: str, column: str, which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, [column], unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("clause_reviews")
    op.drop_table("erp_bookmarks")
    op.drop_table("erp_receipts")
    op.drop_table("contracts")
