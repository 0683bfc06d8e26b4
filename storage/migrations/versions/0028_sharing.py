"""Several processes on one PostgreSQL: who does what, and word of what others keep in memory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028_sharing"
down_revision = "0027_forecast_reopenings"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)

# Told once committed. A word told twice in one transaction is delivered once.
TELL = """
CREATE FUNCTION gendan_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        PERFORM pg_notify('gendan', TG_ARGV[0] || NEW.id);
    ELSE
        PERFORM pg_notify('gendan', TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$
"""
CUSTOMERS_ADDED = """
CREATE TRIGGER gendan_tell_added AFTER INSERT ON accounts FOR EACH ROW
EXECUTE FUNCTION gendan_tell('customer:')
"""
CUSTOMERS_CHANGED = """
CREATE TRIGGER gendan_tell_changed AFTER UPDATE ON accounts FOR EACH ROW
WHEN ((OLD.name, OLD.aliases::text, OLD.owner_id, OLD.merged_into_id, OLD.in_pool_since)
    IS DISTINCT FROM
    (NEW.name, NEW.aliases::text, NEW.owner_id, NEW.merged_into_id, NEW.in_pool_since))
EXECUTE FUNCTION gendan_tell('customer:')
"""
WHOLE_TABLES = {
    "chat_bindings": "groups",
    "library_versions": "libraries",
    "library_uses": "libraries",
}


def upgrade() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("alive_until", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=60), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_index(
        "ix_inbox_next",
        "inbox",
        ["conversation", "sent_at", "id"],
        postgresql_where=sa.text("state = 'new'"),
    )
    for statement in (TELL, CUSTOMERS_ADDED, CUSTOMERS_CHANGED):
        op.execute(statement)
    for table, word in WHOLE_TABLES.items():
        op.execute(
            f"CREATE TRIGGER gendan_tell AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION gendan_tell('{word}')"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in WHOLE_TABLES:
            op.execute(f"DROP TRIGGER gendan_tell ON {table}")
        op.execute("DROP TRIGGER gendan_tell_changed ON accounts")
        op.execute("DROP TRIGGER gendan_tell_added ON accounts")
        op.execute("DROP FUNCTION gendan_tell()")
        op.drop_index("ix_inbox_next", table_name="inbox")
    op.drop_table("leases")
    op.drop_table("nodes")
