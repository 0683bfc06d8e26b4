"""What funnel, stays and conversion are counted from; filled for older events at the next start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_figures"
down_revision = "0012_pages"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "lead_spans",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("converted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_lead_spans_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_spans")),
    )
    op.create_index(op.f("ix_lead_spans_account_id"), "lead_spans", ["account_id"], unique=False)
    op.create_index(
        "ix_lead_spans_days", "lead_spans", ["last_day", "first_day", "converted"], unique=False
    )
    with op.batch_alter_table("stage_events") as changed:
        changed.add_column(sa.Column("rank", sa.Integer(), nullable=True))
        changed.add_column(sa.Column("stayed_days", sa.Integer(), nullable=True))
    stayed = sa.text("stayed_days IS NOT NULL")
    op.create_index(
        "ix_stage_events_stays",
        "stage_events",
        ["library", "came_from", "stayed_days"],
        unique=False,
        sqlite_where=stayed,
        postgresql_where=stayed,
    )
    with op.batch_alter_table("opportunities") as changed:
        changed.add_column(
            sa.Column("furthest", sa.String(length=40), nullable=False, server_default="")
        )
    op.create_index(
        "ix_opportunities_funnel",
        "opportunities",
        ["account_id", "library", "furthest", "stage", "state"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_opportunities_funnel", table_name="opportunities")
    with op.batch_alter_table("opportunities") as changed:
        changed.drop_column("furthest")
    op.drop_index("ix_stage_events_stays", table_name="stage_events")
    with op.batch_alter_table("stage_events") as changed:
        changed.drop_column("stayed_days")
        changed.drop_column("rank")
    op.drop_table("lead_spans")
