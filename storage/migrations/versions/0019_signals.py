"""Signals of websites, links in material."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019_signals"
down_revision = "0018_levels"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "customer_signals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("found_at", UTC, nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("pages", JSON, nullable=False),
        sa.Column("task", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_customer_signals_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_signals")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_customer_signals_account_id_key")),
    )
    op.create_index(
        "ix_customer_signals_account", "customer_signals", ["account_id", "at"], unique=False
    )
    op.create_index(
        "ix_customer_signals_task",
        "customer_signals",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("task = 'open'"),
        postgresql_where=sa.text("task = 'open'"),
    )

    op.create_table(
        "signal_events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=80), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("page", sa.String(length=300), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_signal_events_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_events")),
        sa.UniqueConstraint("site", "event_id", name=op.f("uq_signal_events_site_event_id")),
    )
    op.create_index(
        "ix_signal_events_account",
        "signal_events",
        ["account_id", "at"],
        unique=False,
        sqlite_where=sa.text("account_id IS NOT NULL"),
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
    op.create_index("ix_signal_events_age", "signal_events", ["received_at"], unique=False)
    op.create_index(
        "ix_signal_events_new",
        "signal_events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_signal_events_visitor", "signal_events", ["site", "visitor", "at"], unique=False
    )

    op.create_table(
        "signal_links",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("contact", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_signal_links_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_signal_links_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_links")),
    )
    op.create_index(
        op.f("ix_signal_links_account_id"), "signal_links", ["account_id"], unique=False
    )

    op.create_table(
        "signal_looks",
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_signal_looks_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_signal_looks")),
    )
    op.create_index(op.f("ix_signal_looks_due_at"), "signal_looks", ["due_at"], unique=False)

    op.create_table(
        "signal_visitors",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("contact", sa.String(length=100), nullable=False),
        sa.Column("identified_at", UTC, nullable=True),
        sa.Column("last_at", UTC, nullable=False),
        sa.Column("due_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_signal_visitors_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_visitors")),
        sa.UniqueConstraint("site", "visitor", name=op.f("uq_signal_visitors_site_visitor")),
    )
    op.create_index(
        op.f("ix_signal_visitors_account_id"), "signal_visitors", ["account_id"], unique=False
    )
    op.create_index("ix_signal_visitors_age", "signal_visitors", ["last_at"], unique=False)
    op.create_index(
        "ix_signal_visitors_due",
        "signal_visitors",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    for table in (
        "signal_looks", "customer_signals", "signal_links",
        "signal_visitors", "signal_events",
    ):  # fmt: skip
        op.drop_table(table)
