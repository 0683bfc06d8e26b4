"""Indexes for what was looked for among all of a platform, or of all levels that ever were."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0036_found_by_plans"
down_revision = "0034_floor"
branch_labels = None
depends_on = None
additive = False


def upgrade() -> None:
    _replace("ix_contact_transfers_due", "contact_transfers", ["platform", "due_at"], "due_at")
    _replace("ix_approvals_app", "approvals", ["platform", "app", "state", "applied_at"])
    named = sa.text("room <> ''")
    op.create_index(
        "ix_archive_chats_rooms",
        "archive_chats",
        ["corp", "last_at"],
        sqlite_where=named,
        postgresql_where=named,
    )
    op.create_index("ix_level_changes_after", "level_changes", ["after", "opportunity_id", "id"])
    op.create_index(
        "ix_level_changes_ending", "level_changes", ["stands_until"], **_known("stands_until")
    )


def downgrade() -> None:
    op.drop_index("ix_archive_chats_rooms", "archive_chats")
    op.drop_index("ix_level_changes_ending", "level_changes")
    op.drop_index("ix_level_changes_after", "level_changes")
    _replace("ix_approvals_app", "approvals", ["platform", "app", "applied_at"])
    _replace("ix_contact_transfers_due", "contact_transfers", ["due_at"], "due_at")


def _replace(name: str, table: str, columns: list[str], known: str = "") -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, **(_known(known) if known else {}))


def _known(column: str) -> dict[str, Any]:
    """Only rows in which it is."""
    where = sa.text(f"{column} IS NOT NULL")
    return {"sqlite_where": where, "postgresql_where": where}
