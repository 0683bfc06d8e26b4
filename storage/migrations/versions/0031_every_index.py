"""Indexes for what was looked for in whole tables: merging and erasing a customer, disputes of
a line, the night's forecasts, what reps have handed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031_every_index"
down_revision = "0030_won_events"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_drafts_account", "drafts", ["account_id"]),
    ("ix_drafts_opportunity", "drafts", ["opportunity_id"]),
    ("ix_deadlines_all_of_account", "deadlines", ["account_id"]),
    ("ix_file_uses_account", "file_uses", ["account_id"]),
    ("ix_erp_forecasts_account_id", "erp_forecasts", ["account_id"]),
    ("ix_erp_customers_code", "erp_customers", ["code"]),
    ("ix_machine_forecasts_origin", "machine_forecasts", ["origin"]),
    ("ix_payout_lines_month", "payout_lines", ["month", "person_id"]),
    ("ix_payout_disputes_line_id", "payout_disputes", ["line_id"]),
    ("ix_payout_dispute_notes_contract_id", "payout_dispute_notes", ["contract_id"]),
    ("ix_used_sign_ins_expires", "used_sign_ins", ["expires_at"]),
    ("ix_track_showings_shown", "track_showings", ["shown_at"]),
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    done = sa.text("state = 'done'")
    op.create_index(
        "ix_deadlines_done",
        "deadlines",
        ["person_id", "settled_at"],
        sqlite_where=done,
        postgresql_where=done,
    )


def downgrade() -> None:
    op.drop_index("ix_deadlines_done", "deadlines")
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
