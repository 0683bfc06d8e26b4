"""Approvals and attendance, as the platforms tell of them; groups are handed over too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020_attendance"
down_revision = "0019_signals"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("app", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=140), nullable=False),
        sa.Column("template", sa.String(length=140), nullable=False),
        sa.Column("meaning", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("applicant", sa.String(length=128), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", UTC, nullable=False),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("controls", JSON, nullable=False),
        sa.Column("nodes", JSON, nullable=False),
        sa.Column("revoked_by", sa.String(length=140), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("activity_id", ID, nullable=True),
        sa.Column("told_at", UTC, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{table}.id"], name=op.f(f"fk_approvals_{name}_id_{table}")
            )
            for name, table in (
                ("person", "people"),
                ("account", "accounts"),
                ("contract", "contracts"),
                ("activity", "activities"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("platform", "number", name=op.f("uq_approvals_platform_number")),
    )
    for name in ("person_id", "account_id", "contract_id"):
        op.create_index(op.f(f"ix_approvals_{name}"), "approvals", [name])
    op.create_index("ix_approvals_app", "approvals", ["platform", "app", "applied_at"])
    op.create_table(
        "attendance_facts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("trouble", sa.String(length=100), nullable=False),
        sa.Column("at", UTC, nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("told_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{table}.id"], name=op.f(f"fk_attendance_facts_{name}_id_{table}")
            )
            for name, table in (("person", "people"), ("account", "accounts"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_facts")),
    )
    op.create_index(op.f("ix_attendance_facts_account_id"), "attendance_facts", ["account_id"])
    op.create_index("ix_attendance_facts_day", "attendance_facts", ["person_id", "day"])
    holds = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_attendance_facts_present",
        "attendance_facts",
        ["platform", "key"],
        unique=True,
        sqlite_where=holds,
        postgresql_where=holds,
    )

    kind = sa.Column("kind", sa.String(length=10), server_default="contact", nullable=False)
    op.add_column("contact_transfers", kind)


def downgrade() -> None:
    op.drop_column("contact_transfers", "kind")
    op.drop_table("attendance_facts")
    op.drop_table("approvals")
