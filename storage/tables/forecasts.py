"""Intent levels, the evidence they rest on, and forecasts: submitted, co-signed, judged."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

evidence = Table(  # append only; the marks at the end are set once each
    "evidence",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id"),
    Column("kind", String(30), nullable=False),  # see bot.domain.levels.EvidenceKind
    Column("number", String(60), nullable=False),  # of a PO
    Column("sha256", String(64), nullable=False),  # "" without a file
    ref("activity_id", "activities.id", nullable=True, index=False),
    Column("fields", Json, nullable=False),  # what was read or said
    Column("machine_read", Boolean, nullable=False),
    ref("added_by", "people.id", index=False),
    Column("added_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    ref("withdrawn_by", "people.id", nullable=True, index=False),
    Column("withdrawal_reason", String(200), nullable=False, server_default=""),
    Column("warned_at", Utc),  # the rep knows that it will expire
    Column("lapsed_at", Utc),  # it has expired, and what follows from that was done
    Index("ix_evidence_expiry", "expires_at",
          sqlite_where=text("lapsed_at IS NULL AND withdrawn_at IS NULL"),
          postgresql_where=text("lapsed_at IS NULL AND withdrawn_at IS NULL")),
)  # fmt: skip

level_changes = Table(  # append only; the newest of an opportunity is its level
    "level_changes",
    metadata,
    id_column(),
    ref("opportunity_id", "opportunities.id", index=False),
    Column("before", String(4)),  # see bot.domain.levels.Level; NULL: none
    Column("after", String(4)),
    Column("cause", String(10), nullable=False),
    Column("at", Utc, nullable=False),
    ref("by", "people.id", nullable=True, index=False),  # NULL: a rule
    Column("reason", String(200), nullable=False),
    Column("stands_until", Utc),  # a lowered level holds by the word alone until then
    Index("ix_level_changes_of", "opportunity_id", "id"),
    Index("ix_level_changes_after", "after", "opportunity_id", "id"),
    Index(
        "ix_level_changes_ending",
        "stands_until",
        sqlite_where=text("stands_until IS NOT NULL"),
        postgresql_where=text("stands_until IS NOT NULL"),
    ),
)

deal_outlooks = Table(  # what is expected of a deal now; forecasts keep what was
    "deal_outlooks",
    metadata,
    ref("opportunity_id", "opportunities.id", index=False, primary_key=True),
    Column("expected_on", Date),
    Column("promise_on", Date),  # «下周定»: never evidence
    Column("risk", String(200), nullable=False, server_default=""),
    ref("by", "people.id", index=False),
    Column("at", Utc, nullable=False),
)

account_csms = Table(  # who looks after a customer once it has bought
    "account_csms",
    metadata,
    id_column(),
    ref("account_id", "accounts.id", index=False),
    ref("csm_id", "people.id", index=False),
    ref("set_by", "people.id", index=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("account_id"),
)

forecasts = Table(  # submitted by a rep for a week; append only, the newest of a week counts
    "forecasts",
    metadata,
    id_column(),
    ref("person_id", "people.id", index=False),
    Column("week", String(8), nullable=False),  # 2026-W48
    Column("on_day", Date, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("submitted_at", Utc, nullable=False),
    Index("ix_forecasts_of", "person_id", "week", "id"),
    Index("ix_forecasts_week", "week", "id"),
)

forecast_lines = Table(  # append only: a deal as it was forecast
    "forecast_lines",
    metadata,
    id_column(),
    ref("forecast_id", "forecasts.id"),
    ref("opportunity_id", "opportunities.id"),
    Column("level", String(4), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("expected_on", Date, nullable=False),
    Column("evidence", Json, nullable=False),  # ids
    Column("risk", String(200), nullable=False),
    Column("answers", Json, nullable=False),  # the rep's, 0..100 each
)

forecast_cosigns = Table(  # the second signature under a line
    "forecast_cosigns",
    metadata,
    id_column(),
    ref("line_id", "forecast_lines.id", index=False),
    ref("csm_id", "people.id", nullable=True),
    Column("asked_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("escalated_at", Utc),
    Column("answers", Json, nullable=False),  # [] until signed
    Column("argument", String(400), nullable=False, server_default=""),
    Column("signed_at", Utc),
    Column("meeting_at", Utc),  # proposed, where the two are too far apart
    Column("agreed_score", Integer),
    Column("agreed_reason", String(400), nullable=False, server_default=""),
    ref("agreed_by", "people.id", nullable=True, index=False),
    Column("closed_at", Utc),
    UniqueConstraint("line_id"),
    Index("ix_forecast_cosigns_due", "due_at",
          sqlite_where=text("signed_at IS NULL AND escalated_at IS NULL"),
          postgresql_where=text("signed_at IS NULL AND escalated_at IS NULL")),
)  # fmt: skip

forecast_judgements = Table(  # a supervisor's number beside a rep's; append only
    "forecast_judgements",
    metadata,
    id_column(),
    ref("forecast_id", "forecasts.id"),
    ref("by", "people.id", index=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", String(400), nullable=False),
    Column("at", Utc, nullable=False),
)

forecast_reopenings = Table(  # a locked forecast, opened again once; append only
    "forecast_reopenings",
    metadata,
    ref("forecast_id", "forecasts.id", index=False, primary_key=True),
    ref("by", "people.id", index=False),
    Column("reason", String(200), nullable=False),
    Column("at", Utc, nullable=False),
)

forecast_targets = Table(  # append only; the newest of a person and quarter counts
    "forecast_targets",
    metadata,
    id_column(),
    ref("person_id", "people.id", index=False),
    Column("quarter", String(6), nullable=False),  # 2026Q4
    Column("amount_fen", BigInteger, nullable=False),
    ref("by", "people.id", index=False),
    Column("at", Utc, nullable=False),
    Index("ix_forecast_targets_of", "quarter", "person_id", "id"),
)
