"""Numbers of the policy that were changed at run time."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from storage.tables.columns import Json, Utc, id_column, metadata, ref

policy_changes = Table(  # append only; the newest of a team and key is in force
    "policy_changes",
    metadata,
    id_column(),
    ref("team_id", "people.id", nullable=True, index=False),  # NULL: the organisation
    Column("key", String(60), nullable=False),
    Column("before", Json),  # NULL: the file's number
    Column("after", Json),
    ref("person_id", "people.id", index=False),
    Column("at", Utc, nullable=False),
    Index("ix_policy_changes_of", "key", "team_id", "id"),
)
