"""Action libraries by upload and by team, and every change of a deal's stage as an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_libraries"
down_revision = "0003_deadlines"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

WRITTEN_IN = ("opportunities", "drafts", "activities")


def upgrade() -> None:
    op.create_table(
        "library_versions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("added_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_library_versions_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_versions")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_library_versions_key_version")),
    )
    op.create_table(
        "library_uses",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["people.id"], name=op.f("fk_library_uses_team_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_library_uses_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_uses")),
    )
    op.create_table(
        "stage_events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("came_from", sa.String(length=40), nullable=False),
        sa.Column("went_to", sa.String(length=40), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("required_filled", sa.Integer(), nullable=False),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_stage_events_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_stage_events_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_stage_events_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_events")),
    )
    op.create_index("ix_stage_events_of", "stage_events", ["opportunity_id", "id"], unique=False)
    op.create_index(
        op.f("ix_stage_events_account_id"), "stage_events", ["account_id"], unique=False
    )
    op.create_index("ix_stage_events_at", "stage_events", ["at", "id"], unique=False)
    for table in WRITTEN_IN:
        with op.batch_alter_table(table) as changed:
            changed.add_column(
                sa.Column("library", sa.String(length=40), nullable=False, server_default="")
            )
    _begin_events_of_known_deals()


def _begin_events_of_known_deals() -> None:
    """Where each deal stands now is the first that is known of its way."""
    deals = sa.table(
        "opportunities", *(sa.column(name) for name in (
            "id", "account_id", "stage", "state", "created_at", "owner_id",
        ))
    )  # fmt: skip
    names = (
        "opportunity_id", "account_id", "kind", "library", "came_from", "went_to", "at",
        "person_id", "required_filled", "slots", "reason",
    )  # fmt: skip
    events = sa.table("stage_events", *(sa.column(name) for name in names))
    place = sa.case((deals.c.state == "open", deals.c.stage), else_=deals.c.state)
    op.execute(
        events.insert().from_select(
            names,
            sa.select(
                deals.c.id, deals.c.account_id, sa.literal("opened"), sa.literal(""),
                sa.literal(""), place, deals.c.created_at, deals.c.owner_id, sa.literal(0),
                sa.literal({}, JSON), sa.literal(""),
            ),
        )
    )  # fmt: skip


def downgrade() -> None:
    for table in WRITTEN_IN:
        with op.batch_alter_table(table) as changed:
            changed.drop_column("library")
    op.drop_table("stage_events")
    op.drop_table("library_uses")
    op.drop_table("library_versions")
