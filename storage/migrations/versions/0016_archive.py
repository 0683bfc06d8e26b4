"""Archived chats: messages, conversations, files, consents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_archive"
down_revision = "0015_contacts"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_index(
        "ix_contacts_external",
        "contacts",
        ["external_id"],
        unique=False,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.create_table(
        "archive_bookmarks",
        sa.Column("corp", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("known_until", UTC, nullable=False),
        sa.PrimaryKeyConstraint("corp", name=op.f("pk_archive_bookmarks")),
    )
    op.create_table(
        "archive_consents",
        sa.Column("corp", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=128), nullable=False),
        sa.Column("outsider", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("changed_at", UTC, nullable=True),
        sa.Column("asked_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("corp", "party", "outsider", name=op.f("pk_archive_consents")),
    )
    op.create_table(
        "archive_chats",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("corp", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("room", sa.String(length=128), nullable=False),
        sa.Column("outsiders", JSON, nullable=False),
        sa.Column("members", JSON, nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("bound_at", UTC, nullable=True),
        sa.Column("last_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_archive_chats_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_chats")),
        sa.UniqueConstraint("corp", "key", name=op.f("uq_archive_chats_corp_key")),
    )
    op.create_index(
        op.f("ix_archive_chats_account_id"), "archive_chats", ["account_id"], unique=False
    )
    op.create_index(
        "ix_archive_chats_open",
        "archive_chats",
        ["corp", "last_at", "id"],
        unique=False,
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )

    op.create_table(
        "archive_messages",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("corp", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("msgid", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("chat_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=128), nullable=False),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", UTC, nullable=True),
        sa.Column("fetched_at", UTC, nullable=False),
        sa.Column("waits_for", sa.Integer(), nullable=False),
        sa.Column("entered_at", UTC, nullable=True),
        sa.Column("revokes", sa.String(length=128), nullable=False),
        sa.Column("revoked_at", UTC, nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("sealed", JSON, nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"],
            ["archive_chats.id"],
            name=op.f("fk_archive_messages_chat_id_archive_chats"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_messages")),
        sa.UniqueConstraint("corp", "msgid", name=op.f("uq_archive_messages_corp_msgid")),
    )
    op.create_index(
        "ix_archive_messages_age", "archive_messages", ["corp", "fetched_at"], unique=False
    )
    op.create_index(
        "ix_archive_messages_chat", "archive_messages", ["chat_id", "seq"], unique=False
    )
    op.create_index(
        "ix_archive_messages_closed",
        "archive_messages",
        ["corp", "state", "seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'kept'"),
        postgresql_where=sa.text("state <> 'kept'"),
    )
    op.create_index(
        "ix_archive_messages_revokes",
        "archive_messages",
        ["corp", "revokes"],
        unique=False,
        sqlite_where=sa.text("revokes <> ''"),
        postgresql_where=sa.text("revokes <> ''"),
    )
    op.create_index(
        "ix_archive_messages_waiting",
        "archive_messages",
        ["chat_id", "sent_at", "seq"],
        unique=False,
        sqlite_where=sa.text("entered_at IS NULL"),
        postgresql_where=sa.text("entered_at IS NULL"),
    )

    op.create_table(
        "archive_files",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UTC, nullable=False),
        sa.Column("mark", sa.String(length=200), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["archive_chats.id"], name=op.f("fk_archive_files_chat_id_archive_chats")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["archive_messages.id"],
            name=op.f("fk_archive_files_message_id_archive_messages"),
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["files.sha256"], name=op.f("fk_archive_files_sha256_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_files")),
        sa.UniqueConstraint("message_id", "place", name=op.f("uq_archive_files_message_id_place")),
    )
    op.create_index(op.f("ix_archive_files_chat_id"), "archive_files", ["chat_id"], unique=False)
    op.create_index(
        "ix_archive_files_due",
        "archive_files",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_archive_files_sha256",
        "archive_files",
        ["sha256"],
        unique=False,
        sqlite_where=sa.text("sha256 IS NOT NULL"),
        postgresql_where=sa.text("sha256 IS NOT NULL"),
    )
    op.create_index(
        "ix_archive_files_lost",
        "archive_files",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state = 'lost'"),
        postgresql_where=sa.text("state = 'lost'"),
    )
    op.create_index(
        op.f("ix_archive_files_message_id"), "archive_files", ["message_id"], unique=False
    )


def downgrade() -> None:
    for table in ("files", "messages", "chats", "consents", "bookmarks"):
        op.drop_table(f"archive_{table}")
    op.drop_index("ix_contacts_external", table_name="contacts")
