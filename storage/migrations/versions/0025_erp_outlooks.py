"""Which deal a contract belongs to where somebody had to say it, and who was reminded of what
warehouse and planning have not acknowledged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025_erp_outlooks"
down_revision = "0024_sign_in"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "contract_deals",
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("said_by", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [name], [f"{table}.id"], name=op.f(f"fk_contract_deals_{name}_{table}")
            )
            for name, table in (
                ("contract_id", "contracts"),
                ("opportunity_id", "opportunities"),
                ("said_by", "people"),
            )
        ),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contract_deals")),
    )
    op.create_table(
        "supply_reminders",
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("station", sa.String(length=10), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["supply_notices.id"],
            name=op.f("fk_supply_reminders_notice_id_supply_notices"),
        ),
        sa.PrimaryKeyConstraint("notice_id", "station", "step", name=op.f("pk_supply_reminders")),
    )

    # What was told before is no news: nobody is reminded of it.
    op.execute(
        "INSERT INTO supply_reminders (notice_id, station, step, at) "
        "SELECT id, 'warehouse', 'lead', at FROM supply_notices"
    )
    op.execute(
        "INSERT INTO supply_reminders (notice_id, station, step, at) "
        "SELECT id, 'planning', 'lead', at FROM supply_notices"
    )


def downgrade() -> None:
    op.drop_table("supply_reminders")
    op.drop_table("contract_deals")
