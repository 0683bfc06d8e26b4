"""Erasable content of audit entries, erased files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_privacy"
down_revision = "0007_coaching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    salt = sa.Column("salt", sa.String(length=32), server_default="", nullable=False)
    content_hash = sa.Column(
        "content_hash", sa.String(length=64), server_default="", nullable=False
    )
    op.add_column("audit", salt)
    op.add_column("audit", content_hash)
    op.add_column("files", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("files", "erased_at")
    op.drop_column("audit", "content_hash")
    op.drop_column("audit", "salt")
