"""Open clause reviews are found without reading those that were closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040_open_reviews"
down_revision = "0039_sealing"
branch_labels = None
depends_on = None
additive = True

INDEX = "ix_clause_reviews_open"
OPEN = sa.text("outcome = ''")


def upgrade() -> None:
    op.create_index(
        INDEX, "clause_reviews", ["deadline_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    op.drop_index(INDEX, "clause_reviews")
