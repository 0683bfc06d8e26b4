"""Mailboxes that are read: bookmarks, heads of mails, and whose addresses are whose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026_mails"
down_revision = "0025_erp_outlooks"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mail_boxes",
        sa.Column("box", sa.String(length=32), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("known_until", UTC, nullable=False),
        sa.PrimaryKeyConstraint("box", name=op.f("pk_mail_boxes")),
    )
    op.create_table(
        "mails",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("box", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("thread", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("sender", sa.String(length=420), nullable=False),
        sa.Column("sender_name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=420), nullable=False),
        sa.Column("domain", sa.String(length=130), nullable=False),
        sa.Column("outsiders", JSON, nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("sent_at", UTC, nullable=False),
        sa.Column("heard_at", UTC, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mails_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("box", "key", name=op.f("uq_mails_box_key")),
    )
    op.create_index(op.f("ix_mails_account_id"), "mails", ["account_id"])
    _partial("ix_mails_thread", "mails", ["thread"], "thread <> ''")
    _partial("ix_mails_open", "mails", ["box", "id"], "state = 'open'")
    _partial("ix_mails_open_address", "mails", ["address"], "state = 'open'")
    _partial("ix_mails_open_domain", "mails", ["domain"], "state = 'open'")
    _partial("ix_mails_waiting", "mails", ["box"], "state = 'waiting'")
    op.create_table(
        "mail_addresses",
        sa.Column("name", sa.String(length=420), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("learnt_by", ID, nullable=False),
        sa.Column("learnt_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mail_addresses_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["learnt_by"], ["people.id"], name=op.f("fk_mail_addresses_learnt_by_people")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mail_addresses")),
    )
    op.create_index(op.f("ix_mail_addresses_account_id"), "mail_addresses", ["account_id"])
    _partial("ix_accounts_domain", "accounts", ["domain"], "domain <> ''")


def _partial(name: str, table: str, columns: list[str], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_accounts_domain", "accounts")
    op.drop_table("mail_addresses")
    op.drop_table("mails")
    op.drop_table("mail_boxes")
