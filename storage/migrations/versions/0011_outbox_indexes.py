"""What is queued for one application, and what expires while it waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_outbox_indexes"
down_revision = "0010_process"
branch_labels = None
depends_on = None


QUEUED = "state = 'queued'"


def upgrade() -> None:
    _index("ix_outbox_app", ["platform", "app", "due_at", "id"], QUEUED)
    _index("ix_outbox_expiring", ["expires_at"], f"{QUEUED} AND expires_at IS NOT NULL")
    op.drop_index("ix_outbox_due", table_name="outbox")


def downgrade() -> None:
    _index("ix_outbox_due", ["due_at", "id"], QUEUED)
    op.drop_index("ix_outbox_expiring", table_name="outbox")
    op.drop_index("ix_outbox_app", table_name="outbox")


def _index(name: str, columns: list[str], which: str) -> None:
    where = sa.text(which)
    op.create_index(
        name, "outbox", columns, unique=False, sqlite_where=where, postgresql_where=where
    )
