"""Talk tracks, whom they were shown to, and an index of what was lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_coaching"
down_revision = "0006_receivables"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "talk_tracks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("written_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_talk_tracks_author_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_tracks")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_talk_tracks_code_version")),
    )
    _create_showings()
    op.create_table(
        "customer_profiles",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("employees", sa.Integer(), nullable=True),
        sa.Column("yearly_fen", sa.BigInteger(), nullable=True),
        sa.Column("told_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_customer_profiles_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_customer_profiles")),
    )
    notes = sa.text("unit = ''")
    op.create_index(
        "ix_activities_notes",
        "activities",
        ["recorded_at"],
        unique=False,
        sqlite_where=notes,
        postgresql_where=notes,
    )


def _create_showings() -> None:
    op.create_table(
        "track_showings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("card_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("industry", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.String(length=80), nullable=False),
        sa.Column("objections", JSON, nullable=False),
        sa.Column("shown_at", UTC, nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_track_showings_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_track_showings_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_track_showings_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_showings")),
        sa.UniqueConstraint("card_id", "place", name=op.f("uq_track_showings_card_id_place")),
    )
    op.create_index(
        op.f("ix_track_showings_opportunity_id"), "track_showings", ["opportunity_id"], unique=False
    )
    op.create_index(
        "ix_track_showings_account", "track_showings", ["account_id", "shown_at"], unique=False
    )
    op.create_index(
        "ix_track_showings_person", "track_showings", ["person_id", "shown_at"], unique=False
    )
    judged = sa.text("result <> 'shown'")
    op.create_index(
        "ix_track_showings_judged",
        "track_showings",
        ["industry", "shown_at"],
        unique=False,
        sqlite_where=judged,
        postgresql_where=judged,
    )


def downgrade() -> None:
    op.drop_index("ix_activities_notes", table_name="activities")
    op.drop_table("customer_profiles")
    op.drop_table("track_showings")
    op.drop_table("talk_tracks")
