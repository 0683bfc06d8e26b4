"""The growth fund: consents, its book, the catalogue, redemptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022_fund"
down_revision = "0021_supply"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "growth_consents",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("given_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_growth_consents_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_consents")),
    )
    op.create_index(
        op.f("ix_growth_consents_person_id"), "growth_consents", ["person_id"], unique=False
    )
    op.create_table(
        "growth_items",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("added_by", ID, nullable=False),
        sa.Column("added_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["added_by"], ["people.id"], name=op.f("fk_growth_items_added_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_items")),
    )
    op.create_index(
        "uq_growth_items_name",
        "growth_items",
        ["name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "growth_postings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("entries", JSON, nullable=False),
        sa.Column("quarter", sa.String(length=6), server_default="", nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("by_id", ID, nullable=True),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["people.id"], name=op.f("fk_growth_postings_by_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_growth_postings_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_postings")),
        sa.UniqueConstraint("key", name=op.f("uq_growth_postings_key")),
    )
    op.create_index(
        op.f("ix_growth_postings_person_id"), "growth_postings", ["person_id"], unique=False
    )
    op.create_table(
        "growth_redemptions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("hold_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["people.id"], name=op.f("fk_growth_redemptions_decided_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["growth_postings.id"],
            name=op.f("fk_growth_redemptions_hold_id_growth_postings"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["growth_items.id"],
            name=op.f("fk_growth_redemptions_item_id_growth_items"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_growth_redemptions_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_redemptions")),
    )
    op.create_index(
        op.f("ix_growth_redemptions_person_id"), "growth_redemptions", ["person_id"], unique=False
    )


def downgrade() -> None:
    for table in ("growth_redemptions", "growth_postings", "growth_items", "growth_consents"):
        op.drop_table(table)
