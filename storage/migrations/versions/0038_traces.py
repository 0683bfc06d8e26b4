"""Beside a queued message, the trace of what caused it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038_traces"
down_revision = "0037_keys_by_age"
branch_labels = None
depends_on = None
additive = True


def upgrade() -> None:
    op.add_column("outbox", sa.Column("trace", sa.String(60)))


def downgrade() -> None:
    op.drop_column("outbox", "trace")
