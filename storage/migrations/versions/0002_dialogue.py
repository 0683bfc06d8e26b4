"""Names that reps use, words heard in groups, and how sure a draft's slots are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "learnt_aliases",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("alias", sa.String(length=60), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("activity_id", ID, nullable=True),
        sa.Column("learnt_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_learnt_aliases_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_learnt_aliases_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learnt_aliases")),
        sa.UniqueConstraint(
            "alias",
            "account_id",
            "person_id",
            name=op.f("uq_learnt_aliases_alias_account_id_person_id"),
        ),
    )
    op.create_index(
        op.f("ix_learnt_aliases_account_id"), "learnt_aliases", ["account_id"], unique=False
    )
    op.create_index("ix_learnt_aliases_activity", "learnt_aliases", ["activity_id"], unique=False)
    op.create_table(
        "group_words",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", UTC, nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_group_words_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_words")),
        sa.UniqueConstraint("source_id", name=op.f("uq_group_words_source_id")),
    )
    op.create_index("ix_group_words_said", "group_words", ["conversation", "said_at"], unique=False)
    with op.batch_alter_table("drafts") as drafts:
        drafts.add_column(sa.Column("confidence", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("drafts") as drafts:
        drafts.drop_column("confidence")
    op.drop_table("group_words")
    op.drop_table("learnt_aliases")
