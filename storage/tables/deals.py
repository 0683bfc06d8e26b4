"""Opportunities, action libraries, changes of stage."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

opportunities = Table(
    "opportunities",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    Column("name", String(200), nullable=False),
    ref("owner_id", "people.id"),
    Column("stage", String(40), nullable=False),
    Column("stage_since", Utc, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("assigned_at", Utc, nullable=False),
    Column("amount_fen", BigInteger),
    Column("last_valid_at", Utc),
    Column("hold_until", Utc),
    Column("light", String(8), nullable=False, default="green"),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("light_due_at", Utc),
    Column("episode", Integer, nullable=False, default=0),
    Column("next_contact_at", Utc),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Column("furthest", String(40), nullable=False, server_default=""),  # stage it came to so far
    Index("ix_opportunities_due", "light_due_at", "id",
          sqlite_where=text("light_due_at IS NOT NULL"),
          postgresql_where=text("light_due_at IS NOT NULL")),
    Index("ix_opportunities_owner_light", "owner_id", "light"),
    Index("ix_opportunities_funnel", "account_id", "library", "furthest", "stage", "state"),
    Index("ix_opportunities_stuck", "owner_id", sqlite_where=text("stuck = 1"),
          postgresql_where=text("stuck")),
)  # fmt: skip

library_versions = Table(  # action libraries that administrators sent; none is ever changed
    "library_versions",
    metadata,
    id_column(),
    Column("key", String(30), nullable=False),
    Column("version", Integer, nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("source", LargeBinary, nullable=False),
    ref("person_id", "people.id", index=False),
    Column("added_at", Utc, nullable=False),
    UniqueConstraint("key", "version"),
)

library_uses = Table(  # which library is worked by; the newest of a team is in force
    "library_uses",
    metadata,
    id_column(),
    ref("team_id", "people.id", nullable=True, index=False),  # NULL: the organisation
    Column("library", String(40), nullable=False),
    ref("person_id", "people.id", index=False),
    Column("since", Utc, nullable=False),
)

stage_events = Table(  # every change of a deal's stage or state, append only
    "stage_events",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id", index=False),
    ref("account_id", "accounts.id"),
    Column("kind", String(12), nullable=False),
    Column("library", String(40), nullable=False),
    Column("came_from", String(40), nullable=False),
    Column("went_to", String(40), nullable=False),
    Column("at", Utc, nullable=False),
    ref("person_id", "people.id", nullable=True, index=False),
    Column("required_filled", Integer, nullable=False),
    Column("slots", Json, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("rank", Integer),  # of went_to in its library; NULL where it names no stage
    Column("stayed_days", Integer),  # at came_from, in working days; NULL where no stay ended
    Index("ix_stage_events_of", "opportunity_id", "id"),
    Index("ix_stage_events_at", "at", "id"),
    Index("ix_stage_events_stays", "library", "came_from", "stayed_days",
          sqlite_where=text("stayed_days IS NOT NULL"),
          postgresql_where=text("stayed_days IS NOT NULL")),
    Index("ix_stage_events_won", "at", "opportunity_id",
          sqlite_where=text("went_to = 'won'"), postgresql_where=text("went_to = 'won'")),
)  # fmt: skip

lead_spans = Table(  # when customers were leads; see storage/lead_spans.py
    "lead_spans",
    metadata,
    id_column(),
    ref("account_id", "accounts.id"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),  # 9999-12-31 while it is one
    Column("converted", Boolean, nullable=False),
    Index("ix_lead_spans_days", "last_day", "first_day", "converted"),
)
