"""Customers and orders out of the ERPs, forecast lines into them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_erp"
down_revision = "0008_privacy"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "erp_customers",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credit_code", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_id", ID, nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_told_at", UTC, nullable=False),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        _to("erp_customers", "account_id", "accounts"),
        _to("erp_customers", "proposed_id", "accounts"),
        _to("erp_customers", "decided_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_customers")),
        sa.UniqueConstraint("system", "code", name=op.f("uq_erp_customers_system_code")),
    )
    _index("erp_customers", "account_id")
    _index("erp_customers", "proposed_id")
    _open("ix_erp_customers_open", "erp_customers", ["state", "id"])
    _create_orders()
    _create_forecasts()


def _create_orders() -> None:
    op.create_table(
        "erp_orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("customer_code", sa.String(length=80), nullable=False),
        sa.Column("customer_name", sa.String(length=200), nullable=False),
        sa.Column("contract_number", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines_fen", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=12), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("delivery_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_told_at", UTC, nullable=False),
        _to("erp_orders", "account_id", "accounts"),
        _to("erp_orders", "contract_id", "contracts"),
        _to("erp_orders", "opportunity_id", "opportunities"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_orders")),
        sa.UniqueConstraint("system", "number", name=op.f("uq_erp_orders_system_number")),
    )
    for column in ("account_id", "contract_id", "opportunity_id"):
        _index("erp_orders", column)
    _open("ix_erp_orders_open", "erp_orders", ["customer_code"])


def _create_forecasts() -> None:
    op.create_table(
        "erp_forecasts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("customer_code", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.String(length=80), nullable=False),
        sa.Column("opportunity", sa.String(length=200), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        _to("erp_forecasts", "account_id", "accounts"),
        _to("erp_forecasts", "contract_id", "contracts"),
        _to("erp_forecasts", "opportunity_id", "opportunities"),
        _to("erp_forecasts", "asked_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_forecasts")),
        sa.UniqueConstraint(
            "system", "key", "revision", name=op.f("uq_erp_forecasts_system_key_revision")
        ),
    )
    _index("erp_forecasts", "contract_id")
    _index("erp_forecasts", "opportunity_id")


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _open(name: str, table: str, columns: list[str]) -> None:
    where = sa.text("account_id IS NULL")
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("erp_forecasts")
    op.drop_table("erp_orders")
    op.drop_table("erp_customers")
