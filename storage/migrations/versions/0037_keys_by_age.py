"""Keys of deliveries are found by their age, so that old ones can go. They were appended in order
of time, so an index over ranges of pages does, which is a few kilobytes."""

from __future__ import annotations

from alembic import op

revision = "0037_keys_by_age"
down_revision = "0036_found_by_plans"
branch_labels = None
depends_on = None
additive = True

INDEX = "ix_inbox_keys_age"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(INDEX, "inbox_keys", ["received_at"], postgresql_using="brin")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(INDEX, "inbox_keys")
