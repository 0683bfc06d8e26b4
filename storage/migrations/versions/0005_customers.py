"""What tells customers apart, merges, collisions, the public pool and assigned leads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_customers"
down_revision = "0004_libraries"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _widen_accounts()
    with op.batch_alter_table("contacts") as contacts:
        contacts.add_column(_text("external_id", 140))
    op.create_table(
        "account_keys",
        sa.Column("key", sa.String(length=240), nullable=False),
        _ref("account_keys", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("key", "account_id", name=op.f("pk_account_keys")),
    )
    op.create_index(op.f("ix_account_keys_account_id"), "account_keys", ["account_id"])
    _create_merges()
    _create_collisions()
    _create_claims()
    _create_assignments()


def downgrade() -> None:
    for table in ("assignments", "pool_claims", "collisions", "account_merges", "account_keys"):
        op.drop_table(table)
    with op.batch_alter_table("contacts") as contacts:
        contacts.drop_column("external_id")
    for index in ("pool_due", "pool", "unkeyed", "merged_into_id"):
        op.drop_index(f"ix_accounts_{index}", "accounts")
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_constraint("fk_accounts_merged_into_id_accounts", type_="foreignkey")
        for column in (
            "pool_warned_at", "pool_due_at", "pool_reason", "in_pool_since", "merged_into_id",
            "keyed_at", "domain", "phone", "credit_code",
        ):  # fmt: skip
            accounts.drop_column(column)


def _widen_accounts() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(_text("credit_code", 18))
        accounts.add_column(_text("phone", 20))
        accounts.add_column(_text("domain", 120))
        accounts.add_column(sa.Column("keyed_at", UTC, nullable=True))
        accounts.add_column(sa.Column("merged_into_id", ID, nullable=True))
        accounts.add_column(sa.Column("in_pool_since", UTC, nullable=True))
        accounts.add_column(_text("pool_reason", 200))
        accounts.add_column(sa.Column("pool_due_at", UTC, nullable=True))
        accounts.add_column(sa.Column("pool_warned_at", UTC, nullable=True))
        accounts.create_foreign_key(
            op.f("fk_accounts_merged_into_id_accounts"), "accounts", ["merged_into_id"], ["id"]
        )
    op.execute("UPDATE accounts SET pool_due_at = created_at")
    op.create_index(op.f("ix_accounts_merged_into_id"), "accounts", ["merged_into_id"])
    _partial_index("ix_accounts_unkeyed", "accounts", ["id"], "keyed_at IS NULL")
    _partial_index(
        "ix_accounts_pool", "accounts", ["in_pool_since", "id"], "in_pool_since IS NOT NULL"
    )
    _partial_index("ix_accounts_pool_due", "accounts", ["pool_due_at"], "pool_due_at IS NOT NULL")


def _create_merges() -> None:
    op.create_table(
        "account_merges",
        _id(),
        _ref("account_merges", "account_id", "accounts"),
        _ref("account_merges", "into_id", "accounts"),
        _ref("account_merges", "person_id", "people"),
        sa.Column("merged_at", UTC, nullable=False),
        sa.Column("moved", JSON, nullable=False),
        sa.Column("undone_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_merges")),
    )
    op.create_index(op.f("ix_account_merges_account_id"), "account_merges", ["account_id"])
    op.create_index(op.f("ix_account_merges_into_id"), "account_merges", ["into_id"])


def _create_collisions() -> None:
    op.create_table(
        "collisions",
        _id(),
        _ref("collisions", "account_id", "accounts"),
        _ref("collisions", "holder_id", "people"),
        _ref("collisions", "claimant_id", "people"),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("decided_at", UTC, nullable=True),
        _ref("collisions", "decided_by", "people", nullable=True),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collisions")),
    )
    op.create_index(op.f("ix_collisions_account_id"), "collisions", ["account_id"])


def _create_claims() -> None:
    op.create_table(
        "pool_claims",
        _id(),
        _ref("pool_claims", "account_id", "accounts"),
        _ref("pool_claims", "person_id", "people"),
        sa.Column("claimed_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_claims")),
    )
    op.create_index(op.f("ix_pool_claims_account_id"), "pool_claims", ["account_id"])
    op.create_index("ix_pool_claims_person", "pool_claims", ["person_id", "claimed_at"])


def _create_assignments() -> None:
    op.create_table(
        "assignments",
        _id(),
        _ref("assignments", "account_id", "accounts"),
        _ref("assignments", "person_id", "people"),
        _ref("assignments", "assigned_by", "people"),
        sa.Column("assigned_at", UTC, nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("due_at", UTC, nullable=True),
        sa.Column("settled_at", UTC, nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_account_id"), "assignments", ["account_id"])
    _partial_index("ix_assignments_due", "assignments", ["due_at"], "due_at IS NOT NULL")


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, autoincrement=True, nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def _ref(table: str, name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{target}.id", name=op.f(f"fk_{table}_{name}_{target}"))
    return sa.Column(name, ID, key, nullable=nullable)


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
