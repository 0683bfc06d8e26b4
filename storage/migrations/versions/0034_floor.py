"""Beside the version, the last step after which an older program may not serve any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034_floor"
down_revision = "0032_inbox_by_month"
branch_labels = None
depends_on = None
additive = True


def upgrade() -> None:
    op.add_column("alembic_version", sa.Column("floor", sa.String(32)))


def downgrade() -> None:
    op.drop_column("alembic_version", "floor")
