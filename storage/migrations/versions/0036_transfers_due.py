"""What is due of transfers is looked for by platform too, without which SQLite took the index of
their contacts and read all of a platform."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036_transfers_due"
down_revision = "0034_floor"
branch_labels = None
depends_on = None
additive = False


def upgrade() -> None:
    going_on = sa.text("due_at IS NOT NULL")
    op.drop_index("ix_contact_transfers_due", "contact_transfers")
    op.create_index(
        "ix_contact_transfers_due",
        "contact_transfers",
        ["platform", "due_at"],
        sqlite_where=going_on,
        postgresql_where=going_on,
    )


def downgrade() -> None:
    going_on = sa.text("due_at IS NOT NULL")
    op.drop_index("ix_contact_transfers_due", "contact_transfers")
    op.create_index(
        "ix_contact_transfers_due",
        "contact_transfers",
        ["due_at"],
        sqlite_where=going_on,
        postgresql_where=going_on,
    )
