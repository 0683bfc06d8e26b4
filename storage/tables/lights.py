"""Episodes of lights, and what was pushed about them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Utc, id_column, metadata, ref

light_episodes = Table(
    "light_episodes",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id", index=False),
    Column("episode", Integer, nullable=False),
    ref("owner_id", "people.id"),
    Column("yellow_at", Utc, nullable=False),
    Column("red_at", Utc),
    Column("cleared_at", Utc),
    Column("cleared_reason", String(40), nullable=False, default=""),
    Column("acked_at", Utc),
    ref("acked_by", "people.id", nullable=True, index=False),
    Column("snoozed_until", Utc),
    Column("snooze_reason", String(200), nullable=False, default=""),
    Column("next_push_at", Utc),  # when the next step may be owed; NULL: nothing owed
    Column("next_step", String(24), nullable=False, default=""),
    UniqueConstraint("opportunity_id", "episode"),
    Index("ix_light_episodes_next_push", "next_push_at",
          sqlite_where=text("next_push_at IS NOT NULL"),
          postgresql_where=text("next_push_at IS NOT NULL")),
    Index("ix_light_episodes_open", "opportunity_id",
          sqlite_where=text("cleared_at IS NULL"), postgresql_where=text("cleared_at IS NULL")),
)  # fmt: skip

pushes = Table(  # one light push owed to or received by one person: at most once per key
    "pushes",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id", index=False),
    Column("episode", Integer, nullable=False),
    Column("step", String(24), nullable=False),
    ref("receiver_id", "people.id", index=False),
    Column("owed_at", Utc, nullable=False),
    Column("send_at", Utc, nullable=False),  # after the group wait and quiet hours
    Column("state", String(10), nullable=False),  # owed, pushed, dropped, digested
    Column("reason", String(40), nullable=False, default=""),
    Column("pushed_at", Utc),
    Column("card_id", String(64)),
    UniqueConstraint("opportunity_id", "episode", "step", "receiver_id"),
    Index("ix_pushes_owed", "send_at", "receiver_id",
          sqlite_where=text("state = 'owed'"), postgresql_where=text("state = 'owed'")),
    Index("ix_pushes_receiver", "receiver_id", "pushed_at"),
    Index("ix_pushes_card", "card_id"),
)  # fmt: skip
