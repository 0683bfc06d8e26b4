"""People, their accounts on the platforms, departments."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    String,
    Table,
)

from storage.tables.columns import Json, Utc, id_column, metadata, ref

people = Table(
    "people",
    metadata,
    id_column(),
    Column("name", String(80), nullable=False, index=True),
    Column("mobile", String(32), index=True),
    Column("status", String(10), nullable=False),
    Column("roles", Json, nullable=False),
    Column("roles_fixed", Boolean, nullable=False, default=False),  # set by an admin
    Column("on_leave_until", Utc),
    ref("deputy_id", "people.id", nullable=True, index=False),
    ref("supervisor_override_id", "people.id", nullable=True, index=False),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    ref("person_id", "people.id"),
    Column("titles", Json, nullable=False),
    Column("departments", Json, nullable=False),
    Column("main_department", String(64)),
    Column("leaders", Json, nullable=False),
    Column("status", String(10), nullable=False),
)

departments = Table(
    "departments",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("parent_id", String(64)),
    Column("leaders", Json, nullable=False),
)
