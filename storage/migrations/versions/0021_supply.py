"""Notices to warehouse and planning; what the forecaster said each night."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021_supply"
down_revision = "0020_attendance"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "supply_notices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("before_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_supply_notices_opportunity_id_opportunities"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_notices")),
        sa.UniqueConstraint(
            "opportunity_id", "generation", name=op.f("uq_supply_notices_opportunity_id_generation")
        ),
        sa.UniqueConstraint(
            "evidence_id", "generation", name=op.f("uq_supply_notices_evidence_id_generation")
        ),
    )
    op.create_index("ix_supply_notices_at", "supply_notices", ["at", "id"], unique=False)
    op.create_table(
        "supply_acks",
        sa.Column("notice_id", ID, autoincrement=False, nullable=False),
        sa.Column("station", sa.String(length=10), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["supply_notices.id"],
            name=op.f("fk_supply_acks_notice_id_supply_notices"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_supply_acks_person_id_people")
        ),
        sa.PrimaryKeyConstraint("notice_id", "station", name=op.f("pk_supply_acks")),
    )
    op.create_table(
        "supply_numbers",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_supply_numbers")),
    )
    op.create_table(
        "machine_forecasts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("origin", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=30), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("enough", sa.Boolean(), nullable=False),
        sa.Column("estimates", JSON, nullable=False),
        sa.Column("method", sa.String(length=400), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_forecasts")),
        sa.UniqueConstraint("scope", "origin", name=op.f("uq_machine_forecasts_scope_origin")),
    )


def downgrade() -> None:
    op.drop_table("machine_forecasts")
    op.drop_table("supply_numbers")
    op.drop_table("supply_acks")
    op.drop_table("supply_notices")
