"""The moments at which deals were won, found without reading every other change of a quarter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030_won_events"
down_revision = "0028_sharing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    won = sa.text("went_to = 'won'")
    op.create_index(
        "ix_stage_events_won",
        "stage_events",
        ["at", "opportunity_id"],
        sqlite_where=won,
        postgresql_where=won,
    )


def downgrade() -> None:
    op.drop_index("ix_stage_events_won", "stage_events")
