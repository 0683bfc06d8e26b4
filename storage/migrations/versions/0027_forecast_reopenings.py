"""Locked forecasts that a supervisor has opened again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027_forecast_reopenings"
down_revision = "0026_mails"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "forecast_reopenings",
        sa.Column("forecast_id", ID, nullable=False),
        sa.Column("by", ID, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["by"], ["people.id"], name=op.f("fk_forecast_reopenings_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["forecast_id"],
            ["forecasts.id"],
            name=op.f("fk_forecast_reopenings_forecast_id_forecasts"),
        ),
        sa.PrimaryKeyConstraint("forecast_id", name=op.f("pk_forecast_reopenings")),
    )


def downgrade() -> None:
    op.drop_table("forecast_reopenings")
