"""Links from the chat to pages, and the sessions they open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_pages"
down_revision = "0011_outbox_indexes"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "page_tickets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("used_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_page_tickets_person_id_people")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_page_tickets")),
    )
    op.create_index("ix_page_tickets_made", "page_tickets", ["made_at"], unique=False)
    op.create_table(
        "page_sessions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=False),
        sa.Column("came_by", sa.String(length=20), nullable=False),
        sa.Column("began_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("ended_why", sa.String(length=20), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_page_sessions_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_page_sessions_digest")),
    )
    op.create_index(
        op.f("ix_page_sessions_person_id"), "page_sessions", ["person_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_page_sessions_person_id"), table_name="page_sessions")
    op.drop_table("page_sessions")
    op.drop_index("ix_page_tickets_made", table_name="page_tickets")
    op.drop_table("page_tickets")
