"""Sign-ins through a platform that were used, so that none serves twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024_sign_in"
down_revision = "0023_rule_canvas"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_sign_ins",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_used_sign_ins")),
    )


def downgrade() -> None:
    op.drop_table("used_sign_ins")
