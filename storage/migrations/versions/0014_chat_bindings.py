"""Which customer a conversation belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_chat_bindings"
down_revision = "0013_figures"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chat_bindings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("chat_key", sa.String(length=140), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("bound_by", ID, nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_id", sa.String(length=240), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_chat_bindings_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["bound_by"], ["people.id"], name=op.f("fk_chat_bindings_bound_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["people.id"], name=op.f("fk_chat_bindings_ended_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_bindings")),
    )
    op.create_index(op.f("ix_chat_bindings_account_id"), "chat_bindings", ["account_id"])
    op.create_index(op.f("ix_chat_bindings_source_id"), "chat_bindings", ["source_id"])
    holds = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_chat_bindings_present",
        "chat_bindings",
        ["platform", "chat_key"],
        unique=True,
        sqlite_where=holds,
        postgresql_where=holds,
    )


def downgrade() -> None:
    op.drop_table("chat_bindings")
