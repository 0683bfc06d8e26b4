"""Mails out of mailboxes: how far each was read, whose mail is whose, and what is nobody's."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint, text

from storage.tables.columns import Json, Utc, id_column, metadata, ref

mail_boxes = Table(  # bookmarks
    "mail_boxes",
    metadata,
    Column("box", String(32), primary_key=True),
    Column("validity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("known_until", Utc, nullable=False),  # all that came before is here
)

mails = Table(  # heads; once a mail stands in a stream, its words stand only there
    "mails",
    metadata,
    id_column(),
    Column("box", String(32), nullable=False),
    Column("key", String(64), nullable=False),  # delivery id of its envelope
    Column("state", String(10), nullable=False),  # open, waiting, entered, dropped
    ref("account_id", "accounts.id", nullable=True),  # NULL: nobody's so far
    Column("thread", String(64), nullable=False),  # digest of its Message-ID, "" without one
    Column("direction", String(3), nullable=False),  # in, out
    Column("sender", String(420), nullable=False),
    Column("sender_name", String(100), nullable=False),
    Column("address", String(420), nullable=False),  # of the one outside, "" if several
    Column("domain", String(130), nullable=False),  # as `mail_addresses` files it, "" if public
    Column("outsiders", Json, nullable=False),
    Column("subject", String(300), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("heard_at", Utc, nullable=False),
    Column("tries", Integer, nullable=False),  # to fetch the whole of it
    UniqueConstraint("box", "key"),
    Index("ix_mails_thread", "thread",
          sqlite_where=text("thread <> ''"), postgresql_where=text("thread <> ''")),
    Index("ix_mails_open", "box", "id",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_mails_open_address", "address",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_mails_open_domain", "domain",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_mails_waiting", "box",
          sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
)  # fmt: skip

mail_addresses = Table(  # learnt when somebody says whose a mail is
    "mail_addresses",
    metadata,
    Column("name", String(420), primary_key=True),  # an address, or a company's "@domain"
    ref("account_id", "accounts.id", nullable=True),  # NULL: a domain of several customers
    ref("learnt_by", "people.id", index=False),
    Column("learnt_at", Utc, nullable=False),
)
