"""What the forecaster said each night, beside the people's own numbers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, String, Table, UniqueConstraint

from storage.tables.columns import Json, Utc, id_column, metadata

machine_forecasts = Table(  # append only, so that it can be judged later by what it said then
    "machine_forecasts",
    metadata,
    id_column(),
    Column("origin", Date, nullable=False),  # what was known at the end of this day
    Column("scope", String(30), nullable=False),  # see bot.domain.machine_forecasts.Scope
    Column("version", String(40), nullable=False),
    Column("enough", Boolean, nullable=False),  # False: there was too little history
    Column("estimates", Json, nullable=False),  # days -> [p20, p50, p80] in fen
    Column("method", String(400), nullable=False),
    Column("reasons", Json, nullable=False),
    Column("made_at", Utc, nullable=False),
    UniqueConstraint("scope", "origin"),
    Index("ix_machine_forecasts_origin", "origin"),
)
