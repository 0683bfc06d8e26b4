"""What entries of the stream still owe, and when to remind or lock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_deadlines"
down_revision = "0002"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deadlines",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("awaited", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("acted_at", UTC, nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_at", UTC, nullable=True),
        sa.Column("reopened_at", UTC, nullable=True),
        sa.Column("locked_at", UTC, nullable=True),
        sa.Column("settled_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_deadlines_activity_id_activities")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_deadlines_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_deadlines_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_deadlines_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint("activity_id", name=op.f("uq_deadlines_activity_id")),
    )
    op.create_index(
        op.f("ix_deadlines_opportunity_id"), "deadlines", ["opportunity_id"], unique=False
    )
    for name, column, condition in (
        ("ix_deadlines_due", ["due_at", "id"], "due_at IS NOT NULL"),
        ("ix_deadlines_locked", ["locked_at"], "locked_at IS NOT NULL"),
        ("ix_deadlines_person", ["person_id"], "state IN ('open', 'locked')"),
        ("ix_deadlines_account", ["account_id"], "state IN ('open', 'locked')"),
    ):
        op.create_index(
            name,
            "deadlines",
            column,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_index(
        "ix_opportunities_stuck",
        "opportunities",
        ["owner_id"],
        sqlite_where=sa.text("stuck = 1"),
        postgresql_where=sa.text("stuck"),
    )


def downgrade() -> None:
    op.drop_index("ix_opportunities_stuck", "opportunities")
    op.drop_table("deadlines")
