"""Archived chats: what was said in them, their files, and who agreed to it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

archive_bookmarks = Table(  # how far each company's archive was read
    "archive_bookmarks",
    metadata,
    Column("corp", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("known_until", Utc, nullable=False),  # everything sent before was read
)

archive_consents = Table(  # party: user id of a member, or id of a group
    "archive_consents",
    metadata,
    Column("corp", String(64), primary_key=True),
    Column("party", String(128), primary_key=True),
    Column("outsider", String(128), primary_key=True),
    Column("status", String(10), nullable=False),
    Column("changed_at", Utc),  # by the platform's clock
    Column("asked_at", Utc, nullable=False),
)

archive_chats = Table(
    "archive_chats",
    metadata,
    id_column(),
    Column("corp", String(64), nullable=False),
    Column("key", String(300), nullable=False),  # id of the group, or the two who speak
    Column("room", String(128), nullable=False),  # "" between two
    Column("outsiders", Json, nullable=False),
    Column("members", Json, nullable=False),
    ref("account_id", "accounts.id", nullable=True),  # NULL: nobody's so far
    Column("bound_at", Utc),
    Column("last_at", Utc, nullable=False),
    UniqueConstraint("corp", "key"),
    Index("ix_archive_chats_open", "corp", "last_at", "id",
          sqlite_where=text("account_id IS NULL"),
          postgresql_where=text("account_id IS NULL")),
    Index("ix_archive_chats_rooms", "corp", "last_at",
          sqlite_where=text("room <> ''"), postgresql_where=text("room <> ''")),
)  # fmt: skip

archive_messages = Table(
    "archive_messages",
    metadata,
    id_column(),
    Column("corp", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("msgid", String(128), nullable=False),
    Column("state", String(10), nullable=False),  # kept; sealed: lacks a key; broken
    ref("chat_id", "archive_chats.id", nullable=True, index=False),  # NULL: not decrypted
    Column("kind", String(40), nullable=False),
    Column("sender", String(128), nullable=False),
    Column("recipients", Json, nullable=False),
    Column("text", Text, nullable=False),  # "" once it stands in a stream
    Column("sent_at", Utc),
    Column("fetched_at", Utc, nullable=False),
    Column("waits_for", Integer, nullable=False),  # files that were not tried yet
    Column("entered_at", Utc),  # since when it stands in a stream
    Column("revokes", String(128), nullable=False),  # msgid of what it takes back
    Column("revoked_at", Utc),
    Column("key_version", Integer, nullable=False),
    Column("sealed", Json),  # key and body as delivered, while it is not decrypted
    Column("why", String(200), nullable=False),  # it is not decrypted
    UniqueConstraint("corp", "msgid"),
    Index("ix_archive_messages_revokes", "corp", "revokes",
          sqlite_where=text("revokes <> ''"), postgresql_where=text("revokes <> ''")),
    Index("ix_archive_messages_waiting", "chat_id", "sent_at", "seq",
          sqlite_where=text("entered_at IS NULL"), postgresql_where=text("entered_at IS NULL")),
    Index("ix_archive_messages_closed", "corp", "state", "seq",
          sqlite_where=text("state <> 'kept'"), postgresql_where=text("state <> 'kept'")),
    Index("ix_archive_messages_chat", "chat_id", "seq"),
    Index("ix_archive_messages_age", "corp", "fetched_at"),
)  # fmt: skip

archive_files = Table(  # what was sent in them, to be fetched slice by slice
    "archive_files",
    metadata,
    id_column(),
    ref("chat_id", "archive_chats.id"),
    ref("message_id", "archive_messages.id"),
    Column("place", Integer, nullable=False),  # among the files of its message
    Column("kind", String(10), nullable=False),
    Column("handle", Text, nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("md5", String(32), nullable=False),
    Column("state", String(10), nullable=False),  # waiting, kept, lost
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("mark", String(200), nullable=False),  # of the next slice
    Column("received", BigInteger, nullable=False),  # bytes so far
    Column("why", String(300), nullable=False),
    Column("sha256", String(64), ForeignKey("files.sha256")),
    UniqueConstraint("message_id", "place"),
    Index("ix_archive_files_due", "next_at", "id",
          sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    Index("ix_archive_files_sha256", "sha256",
          sqlite_where=text("sha256 IS NOT NULL"), postgresql_where=text("sha256 IS NOT NULL")),
    Index("ix_archive_files_lost", "state",
          sqlite_where=text("state = 'lost'"), postgresql_where=text("state = 'lost'")),
)  # fmt: skip
