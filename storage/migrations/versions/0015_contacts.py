"""External contacts, groups with them, what is to be read again, and transfers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_contacts"
down_revision = "0014_chat_bindings"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UTC = sa.DateTime(timezone=True)

_TABLES = (
    "external_contacts",
    "external_follows",
    "external_keys",
    "chat_groups",
    "chat_members",
    "external_reads",
    "contact_transfers",
)


def upgrade() -> None:
    _create_contacts()
    _create_groups()
    _create_work()
    op.create_index(op.f("ix_chat_bindings_bound_by"), "chat_bindings", ["bound_by"])
    op.create_index(op.f("ix_people_name"), "people", ["name"])


def downgrade() -> None:
    op.drop_index(op.f("ix_people_name"), table_name="people")
    op.drop_index(op.f("ix_chat_bindings_bound_by"), table_name="chat_bindings")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_contacts() -> None:
    op.create_table(
        "external_contacts",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=140), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("mobile", sa.String(length=40), nullable=False),
        sa.Column("union_id", sa.String(length=140), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("gone_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("platform", "external_id", name=op.f("pk_external_contacts")),
    )
    op.create_table(
        "external_follows",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("external_id", sa.String(length=140), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=600), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("mobiles", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("state", sa.String(length=140), nullable=False),
        sa.Column("add_way", sa.Integer(), nullable=False),
        sa.Column("since", UTC, nullable=True),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "user_id", "external_id", name=op.f("pk_external_follows")
        ),
    )
    op.create_index("ix_external_follows_contact", "external_follows", ["platform", "external_id"])
    op.create_table(
        "external_keys",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=140), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "external_id", "user_id", "how", "key", name=op.f("pk_external_keys")
        ),
    )


def _create_groups() -> None:
    op.create_table(
        "chat_groups",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("chat_id", sa.String(length=140), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC, nullable=True),
        sa.Column("seen_at", UTC, nullable=False),
        sa.Column("gone_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("platform", "chat_id", name=op.f("pk_chat_groups")),
    )
    op.create_index("ix_chat_groups_owner", "chat_groups", ["platform", "owner"])
    op.create_table(
        "chat_members",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("chat_id", sa.String(length=140), nullable=False),
        sa.Column("member_id", sa.String(length=140), nullable=False),
        sa.Column("is_staff", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("joined_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("platform", "chat_id", "member_id", name=op.f("pk_chat_members")),
    )


def _create_work() -> None:
    op.create_table(
        "external_reads",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("app", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=140), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "app", "what", "key", name=op.f("pk_external_reads")),
    )
    op.create_index(op.f("ix_external_reads_due_at"), "external_reads", ["due_at"])
    op.create_table(
        "contact_transfers",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=140), nullable=False),
        sa.Column("from_user", sa.String(length=128), nullable=False),
        sa.Column("to_user", sa.String(length=128), nullable=False),
        sa.Column("has_left", sa.Boolean(), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("due_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["people.id"], name=op.f("fk_contact_transfers_asked_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_transfers")),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_contact_transfers_due",
        "contact_transfers",
        ["due_at"],
        sqlite_where=due,
        postgresql_where=due,
    )
    op.create_index(
        "ix_contact_transfers_contact", "contact_transfers", ["platform", "external_id"]
    )
