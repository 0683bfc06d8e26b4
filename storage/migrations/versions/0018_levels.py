"""Intent levels, and the evidence they rest on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_levels"
down_revision = "0017_payouts"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("activity_id", ID, nullable=True),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("machine_read", sa.Boolean(), nullable=False),
        sa.Column("added_by", ID, nullable=False),
        sa.Column("added_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("withdrawn_at", UTC, nullable=True),
        sa.Column("withdrawn_by", ID, nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("warned_at", UTC, nullable=True),
        sa.Column("lapsed_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_evidence_activity_id_activities")
        ),
        sa.ForeignKeyConstraint(
            ["added_by"], ["people.id"], name=op.f("fk_evidence_added_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_evidence_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["people.id"], name=op.f("fk_evidence_withdrawn_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(
        "ix_evidence_expiry",
        "evidence",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("lapsed_at IS NULL AND withdrawn_at IS NULL"),
        postgresql_where=sa.text("lapsed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index(
        op.f("ix_evidence_opportunity_id"), "evidence", ["opportunity_id"], unique=False
    )
    op.create_table(
        "level_changes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("before", sa.String(length=4), nullable=True),
        sa.Column("after", sa.String(length=4), nullable=True),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("by", ID, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("stands_until", UTC, nullable=True),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_level_changes_by_people")),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_level_changes_opportunity_id_opportunities"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level_changes")),
    )
    op.create_index("ix_level_changes_of", "level_changes", ["opportunity_id", "id"], unique=False)

    op.create_table(
        "deal_outlooks",
        sa.Column("opportunity_id", ID, autoincrement=False, nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.Column("risk", sa.String(length=200), server_default="", nullable=False),
        sa.Column("by", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_deal_outlooks_by_people")),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_deal_outlooks_opportunity_id_opportunities"),
        ),
        sa.PrimaryKeyConstraint("opportunity_id", name=op.f("pk_deal_outlooks")),
    )
    op.create_table(
        "account_csms",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("csm_id", ID, nullable=False),
        sa.Column("set_by", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_csms_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["csm_id"], ["people.id"], name=op.f("fk_account_csms_csm_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["set_by"], ["people.id"], name=op.f("fk_account_csms_set_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_csms")),
        sa.UniqueConstraint("account_id", name=op.f("uq_account_csms_account_id")),
    )
    op.create_table(
        "forecasts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_forecasts_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecasts")),
    )
    op.create_index("ix_forecasts_of", "forecasts", ["person_id", "week", "id"], unique=False)
    op.create_index("ix_forecasts_week", "forecasts", ["week", "id"], unique=False)
    op.create_table(
        "forecast_lines",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("forecast_id", ID, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("level", sa.String(length=4), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("risk", sa.String(length=200), nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["forecast_id"], ["forecasts.id"], name=op.f("fk_forecast_lines_forecast_id_forecasts")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_forecast_lines_opportunity_id_opportunities"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_lines")),
    )
    op.create_index(
        op.f("ix_forecast_lines_forecast_id"), "forecast_lines", ["forecast_id"], unique=False
    )
    op.create_index(
        op.f("ix_forecast_lines_opportunity_id"), "forecast_lines", ["opportunity_id"], unique=False
    )
    op.create_table(
        "forecast_cosigns",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("csm_id", ID, nullable=True),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("escalated_at", UTC, nullable=True),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("argument", sa.String(length=400), server_default="", nullable=False),
        sa.Column("signed_at", UTC, nullable=True),
        sa.Column("meeting_at", UTC, nullable=True),
        sa.Column("agreed_score", sa.Integer(), nullable=True),
        sa.Column("agreed_reason", sa.String(length=400), server_default="", nullable=False),
        sa.Column("agreed_by", ID, nullable=True),
        sa.Column("closed_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["agreed_by"], ["people.id"], name=op.f("fk_forecast_cosigns_agreed_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["csm_id"], ["people.id"], name=op.f("fk_forecast_cosigns_csm_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["forecast_lines.id"],
            name=op.f("fk_forecast_cosigns_line_id_forecast_lines"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_cosigns")),
        sa.UniqueConstraint("line_id", name=op.f("uq_forecast_cosigns_line_id")),
    )
    op.create_index(
        op.f("ix_forecast_cosigns_csm_id"), "forecast_cosigns", ["csm_id"], unique=False
    )
    op.create_index(
        "ix_forecast_cosigns_due",
        "forecast_cosigns",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("signed_at IS NULL AND escalated_at IS NULL"),
        postgresql_where=sa.text("signed_at IS NULL AND escalated_at IS NULL"),
    )
    op.create_table(
        "forecast_judgements",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("forecast_id", ID, nullable=False),
        sa.Column("by", ID, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["by"], ["people.id"], name=op.f("fk_forecast_judgements_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["forecast_id"],
            ["forecasts.id"],
            name=op.f("fk_forecast_judgements_forecast_id_forecasts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_judgements")),
    )
    op.create_index(
        op.f("ix_forecast_judgements_forecast_id"),
        "forecast_judgements",
        ["forecast_id"],
        unique=False,
    )
    op.create_table(
        "forecast_targets",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("quarter", sa.String(length=6), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("by", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_forecast_targets_by_people")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_forecast_targets_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_targets")),
    )
    op.create_index(
        "ix_forecast_targets_of", "forecast_targets", ["quarter", "person_id", "id"], unique=False
    )


def downgrade() -> None:
    for table in (
        "forecast_targets",
        "forecast_judgements",
        "forecast_cosigns",
        "forecast_lines",
        "forecasts",
        "account_csms",
        "deal_outlooks",
    ):
        op.drop_table(table)
    op.drop_table("level_changes")
    op.drop_table("evidence")
