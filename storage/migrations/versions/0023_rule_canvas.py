"""Drafts of bonus rules that several people edit on the canvas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023_rule_canvas"
down_revision = "0022_fund"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLE = "payout_rule_changes"


def upgrade() -> None:
    op.add_column(
        TABLE, sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(TABLE, sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("writers", JSON, nullable=True))
    op.add_column(TABLE, sa.Column("layout", JSON, nullable=True))


def downgrade() -> None:
    for name in ("layout", "writers", "edited_at", "revision"):
        op.drop_column(TABLE, name)
