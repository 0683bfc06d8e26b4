"""Talk tracks and how they fared."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

talk_tracks = Table(  # an administrator's own, and changes to those that come with Gendan
    "talk_tracks",
    metadata,
    id_column(),
    Column("code", String(8), nullable=False),
    Column("version", Integer, nullable=False),  # the highest one holds
    Column("body", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    ref("author_id", "people.id", index=False),
    Column("written_at", Utc, nullable=False),
    UniqueConstraint("code", "version"),
)

track_showings = Table(  # one talk track shown to one rep; whether the deal was won, it says
    "track_showings",
    metadata,
    id_column(),
    Column("card_id", String(64), nullable=False),
    Column("place", Integer, nullable=False),  # on the card, from 1; 0 for a hint in words
    Column("code", String(8), nullable=False),
    ref("account_id", "accounts.id", index=False),
    ref("opportunity_id", "opportunities.id"),
    ref("person_id", "people.id", index=False),
    Column("industry", String(40), nullable=False),
    Column("segment", String(80), nullable=False),
    Column("objections", Json, nullable=False),  # what was in play then
    Column("shown_at", Utc, nullable=False),
    Column("result", String(10), nullable=False),  # shown, used, unfit
    UniqueConstraint("card_id", "place"),
    Index("ix_track_showings_shown", "shown_at"),
    Index("ix_track_showings_account", "account_id", "shown_at"),
    Index("ix_track_showings_person", "person_id", "shown_at"),
    Index("ix_track_showings_judged", "industry", "shown_at",
          sqlite_where=text("result <> 'shown'"), postgresql_where=text("result <> 'shown'")),
)  # fmt: skip
