"""Numbers of the policy that are changed at run time; contracts that were taken off the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_process"
down_revision = "0009_erp"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "policy_changes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_policy_changes_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["people.id"], name=op.f("fk_policy_changes_team_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_changes")),
    )
    op.create_index(
        "ix_policy_changes_of", "policy_changes", ["key", "team_id", "id"], unique=False
    )
    op.add_column("contracts", sa.Column("withdrawn_at", UTC, nullable=True))


def downgrade() -> None:
    op.drop_column("contracts", "withdrawn_at")
    op.drop_table("policy_changes")
