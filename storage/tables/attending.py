"""What the platforms tell of approvals and of who was where when."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, String, Table, Text, UniqueConstraint, text

from storage.tables.columns import Json, Utc, id_column, metadata, ref

approvals = (
    Table(  # each instance as the platform told it last; what it was before is in the stream
        "approvals",
        metadata,
        id_column(),
        Column("platform", String(20), nullable=False),
        Column("app", String(80), nullable=False),
        Column("number", String(140), nullable=False),
        Column("template", String(140), nullable=False),
        Column("meaning", String(20), nullable=False),  # see bot.domain.approvals.MEANINGS
        Column("title", String(200), nullable=False),
        Column("state", String(12), nullable=False),  # see bot.domain.approvals.ApprovalState
        Column("applicant", String(128), nullable=False),
        ref("person_id", "people.id", nullable=True),
        ref("account_id", "accounts.id", nullable=True),
        ref("contract_id", "contracts.id", nullable=True),
        Column("amount_fen", BigInteger),
        Column("applied_at", Utc, nullable=False),
        Column("decided_at", Utc),
        Column("controls", Json, nullable=False),  # [[name, text], …]
        Column(
            "nodes", Json, nullable=False
        ),  # [{"user", "since", "until", "outcome", "remark"}, …]
        Column("revoked_by", String(140), nullable=False, server_default=""),  # another instance
        Column("digest", String(64), nullable=False),
        ref("activity_id", "activities.id", nullable=True, index=False),  # where the stream has it
        Column("told_at", Utc, nullable=False),
        UniqueConstraint("platform", "number"),
        Index("ix_approvals_app", "platform", "app", "state", "applied_at"),
    )
)

attendance_facts = Table(  # appended; a correction ends the row before it
    "attendance_facts",
    metadata,
    id_column(),
    Column("platform", String(20), nullable=False),
    Column("key", String(200), nullable=False),  # of the record, the same over corrections
    ref("person_id", "people.id", index=False),
    Column("day", Date, nullable=False),  # the working day it counts for
    Column("kind", String(10), nullable=False),  # see bot.domain.attendance.CheckInKind
    Column("trouble", String(100), nullable=False),
    Column("at", Utc),  # NULL: nobody checked in
    Column("place", String(200), nullable=False),
    Column("note", Text, nullable=False),
    ref("account_id", "accounts.id", nullable=True),
    Column("told_at", Utc, nullable=False),
    Column("ended_at", Utc),  # since when another row or none stands for it
    Index("ix_attendance_facts_day", "person_id", "day"),
    Index("ix_attendance_facts_present", "platform", "key", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip
