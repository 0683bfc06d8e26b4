"""Bonuses in the bot: rules on their way, facts, the ledger, runs, open items, disputes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017_payouts"
down_revision = "0016_archive"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_index("ix_contracts_signed", "contracts", ["signed_on", "id"], unique=False)
    op.create_table(
        "payout_rule_changes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("simulation", JSON, nullable=True),
        sa.Column("simulated_at", UTC, nullable=True),
        sa.Column("approved_by", ID, nullable=True),
        sa.Column("approved_at", UTC, nullable=True),
        sa.Column("tested_since", UTC, nullable=True),
        sa.Column("published_by", ID, nullable=True),
        sa.Column("published_at", UTC, nullable=True),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["people.id"], name=op.f("fk_payout_rule_changes_approved_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_payout_rule_changes_author_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["people.id"], name=op.f("fk_payout_rule_changes_published_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_rule_changes")),
    )
    op.create_index(
        "ix_payout_rule_changes_state", "payout_rule_changes", ["state", "id"], unique=False
    )
    op.create_table(
        "payout_runs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("cutoff", UTC, nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("proposed_by", ID, nullable=False),
        sa.Column("proposed_at", UTC, nullable=False),
        sa.Column("locked_by", ID, nullable=True),
        sa.Column("locked_at", UTC, nullable=True),
        sa.Column("paid_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["locked_by"], ["people.id"], name=op.f("fk_payout_runs_locked_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["people.id"], name=op.f("fk_payout_runs_proposed_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_runs")),
        sa.UniqueConstraint("month", name=op.f("uq_payout_runs_month")),
    )
    op.create_table(
        "payout_complaints",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("upheld_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["contracts.id"],
            name=op.f("fk_payout_complaints_contract_id_contracts"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["people.id"], name=op.f("fk_payout_complaints_recorded_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_complaints")),
    )
    op.create_index(
        op.f("ix_payout_complaints_contract_id"), "payout_complaints", ["contract_id"], unique=False
    )
    op.create_table(
        "payout_deals",
        sa.Column("contract_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("closer_id", ID, nullable=True),
        sa.Column("original_seller_id", ID, nullable=True),
        sa.Column("lead_provider_id", ID, nullable=True),
        sa.Column("stale_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["closer_id"], ["people.id"], name=op.f("fk_payout_deals_closer_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_payout_deals_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["lead_provider_id"],
            ["people.id"],
            name=op.f("fk_payout_deals_lead_provider_id_people"),
        ),
        sa.ForeignKeyConstraint(
            ["original_seller_id"],
            ["people.id"],
            name=op.f("fk_payout_deals_original_seller_id_people"),
        ),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_payout_deals")),
    )
    op.create_index(op.f("ix_payout_deals_closer_id"), "payout_deals", ["closer_id"], unique=False)
    op.create_index(
        "ix_payout_deals_stale",
        "payout_deals",
        ["stale_at", "contract_id"],
        unique=False,
        sqlite_where=sa.text("stale_at IS NOT NULL"),
        postgresql_where=sa.text("stale_at IS NOT NULL"),
    )
    op.create_table(
        "payout_lines",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.String(length=120), server_default="", nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("paid_at", UTC, nullable=True),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_payout_lines_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_payout_lines_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payout_runs.id"], name=op.f("fk_payout_lines_run_id_payout_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_lines")),
    )
    op.create_index(
        op.f("ix_payout_lines_contract_id"), "payout_lines", ["contract_id"], unique=False
    )
    op.create_index(
        "ix_payout_lines_open",
        "payout_lines",
        ["month"],
        unique=False,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_index("ix_payout_lines_person", "payout_lines", ["person_id", "month"], unique=False)
    op.create_index(op.f("ix_payout_lines_run_id"), "payout_lines", ["run_id"], unique=False)
    op.create_table(
        "payout_reviews",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("opened_at", UTC, nullable=False),
        sa.Column("settled_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_payout_reviews_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_payout_reviews_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_reviews")),
        sa.UniqueConstraint(
            "contract_id", "reason", name=op.f("uq_payout_reviews_contract_id_reason")
        ),
    )
    op.create_index(
        "ix_payout_reviews_open",
        "payout_reviews",
        ["person_id"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "payout_shares",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_payout_shares_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_payout_shares_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_shares")),
        sa.UniqueConstraint(
            "contract_id", "position", name=op.f("uq_payout_shares_contract_id_position")
        ),
    )
    op.create_table(
        "payout_snapshots",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["contracts.id"],
            name=op.f("fk_payout_snapshots_contract_id_contracts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_snapshots")),
    )
    op.create_index(
        "ix_payout_snapshots_of", "payout_snapshots", ["contract_id", "id"], unique=False
    )
    op.create_table(
        "payout_disputes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("file_hashes", JSON, nullable=False),
        sa.Column("drafted_at", UTC, nullable=False),
        sa.Column("submitted_at", UTC, nullable=True),
        sa.Column("clock_since", UTC, nullable=True),
        sa.Column("worked_s", sa.Integer(), nullable=False),
        sa.Column("next_at", UTC, nullable=True),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("arbiter_id", ID, nullable=True),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("awarded_fen", sa.BigInteger(), nullable=True),
        sa.Column("posted_line_id", ID, nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("closed_at", UTC, nullable=True),
        sa.Column("appeal_of", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["arbiter_id"], ["people.id"], name=op.f("fk_payout_disputes_arbiter_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_payout_disputes_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["people.id"], name=op.f("fk_payout_disputes_decided_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["payout_lines.id"], name=op.f("fk_payout_disputes_line_id_payout_lines")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_payout_disputes_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["posted_line_id"],
            ["payout_lines.id"],
            name=op.f("fk_payout_disputes_posted_line_id_payout_lines"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_disputes")),
    )
    op.create_index(
        op.f("ix_payout_disputes_arbiter_id"), "payout_disputes", ["arbiter_id"], unique=False
    )
    op.create_index(
        op.f("ix_payout_disputes_contract_id"), "payout_disputes", ["contract_id"], unique=False
    )
    op.create_index(
        "ix_payout_disputes_decided",
        "payout_disputes",
        ["decided_at"],
        unique=False,
        sqlite_where=sa.text("decided_at IS NOT NULL"),
        postgresql_where=sa.text("decided_at IS NOT NULL"),
    )
    op.create_index(
        "ix_payout_disputes_next",
        "payout_disputes",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_payout_disputes_person_id"), "payout_disputes", ["person_id"], unique=False
    )
    op.create_index(
        "uq_payout_disputes_open",
        "payout_disputes",
        ["line_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "payout_dispute_notes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("dispute_id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_hashes", JSON, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["contracts.id"],
            name=op.f("fk_payout_dispute_notes_contract_id_contracts"),
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"],
            ["payout_disputes.id"],
            name=op.f("fk_payout_dispute_notes_dispute_id_payout_disputes"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_payout_dispute_notes_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_dispute_notes")),
    )
    op.create_index(
        op.f("ix_payout_dispute_notes_dispute_id"),
        "payout_dispute_notes",
        ["dispute_id"],
        unique=False,
    )


def downgrade() -> None:
    for table in (
        "payout_dispute_notes",
        "payout_disputes",
        "payout_reviews",
        "payout_lines",
        "payout_runs",
        "payout_snapshots",
        "payout_complaints",
        "payout_shares",
        "payout_deals",
        "payout_rule_changes",
    ):
        op.drop_table(table)
    op.drop_index("ix_contracts_signed", table_name="contracts")
