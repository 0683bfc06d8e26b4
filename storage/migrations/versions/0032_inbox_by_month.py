"""On PostgreSQL the inbox lies in partitions by month, so that what is old can go without deleting
row by row; and looking for the answers to a delivery uses the key's index.

What is there becomes the first partition as it lies. The key of a delivery cannot be unique over
partitions, so a table of its own keeps it: 16 bytes of a hash, and where the delivery lies. A
trigger asks it first, so whoever inserts sees what a unique constraint had shown.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032_inbox_by_month"
down_revision = "0031_every_index"
branch_labels = None
depends_on = None
additive = False

AHEAD = 3
INDEXES = {
    "ix_inbox_unfinished": "(sent_at, id) WHERE state = 'new'",
    "ix_inbox_next": "(conversation, sent_at, id) WHERE state = 'new'",
    "ix_inbox_failed": "(finished_at) WHERE reason <> ''",
    "ix_inbox_dead": "(id) WHERE state = 'dead'",
}
KEY = """
CREATE FUNCTION gendan_key(channel text, delivery_id text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT encode(
        substring(sha256(convert_to(channel || E'\\n' || delivery_id, 'UTF8')) FROM 1 FOR 16), 'hex'
    )::uuid
$$
"""
TAKE_IN = """
CREATE FUNCTION gendan_take_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('gendan.moving', true) = 'on' THEN
        RETURN NEW;
    END IF;
    INSERT INTO inbox_keys (key, inbox_id, received_at)
    VALUES (gendan_key(NEW.channel, NEW.delivery_id), NEW.id, NEW.received_at)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RETURN NULL;
END $$
"""
ASK = """
CREATE TRIGGER gendan_take_in BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION gendan_take_in()
"""
MONTH_AFTER_ALL = """
SELECT (date_trunc('month', greatest(max(received_at), now()) AT TIME ZONE 'UTC')
        + interval '1 month') AT TIME ZONE 'UTC'
FROM inbox_before
"""
COLLATE = "ALTER TABLE outbox ALTER COLUMN dedupe_key TYPE varchar(200)"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f'{COLLATE} COLLATE "C"')
    op.create_table(
        "inbox_keys",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inbox_keys")),
    )
    op.execute(KEY)
    op.execute(TAKE_IN)
    op.execute("ALTER TABLE inbox RENAME TO inbox_before")
    op.execute(
        "INSERT INTO inbox_keys SELECT gendan_key(channel, delivery_id), id, received_at"
        " FROM inbox_before"
    )
    op.execute("ALTER TABLE inbox_before DROP CONSTRAINT uq_inbox_channel_delivery_id")
    op.execute("ALTER TABLE inbox_before DROP CONSTRAINT pk_inbox")
    op.execute(
        "CREATE TABLE inbox (LIKE inbox_before INCLUDING DEFAULTS,"
        " CONSTRAINT pk_inbox PRIMARY KEY (id, received_at)) PARTITION BY RANGE (received_at)"
    )
    op.execute("ALTER SEQUENCE inbox_id_seq OWNED BY inbox.id")
    for name, what in INDEXES.items():
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('inbox', 'inbox_before')}")
        op.execute(f"CREATE INDEX {name} ON inbox {what}")
    op.execute("CREATE TABLE inbox_default PARTITION OF inbox DEFAULT")
    _attach()
    op.execute(ASK)


def _attach() -> None:
    """What there is until the end of its last month, and the months after."""
    month = op.get_bind().execute(sa.text(MONTH_AFTER_ALL)).scalar_one()
    op.execute(
        "ALTER TABLE inbox ATTACH PARTITION inbox_before"
        f" FOR VALUES FROM (MINVALUE) TO ('{month.isoformat()}')"
    )
    for _ in range(AHEAD):
        after = (month.replace(day=1, month=month.month % 12 + 1)).replace(
            year=month.year + month.month // 12
        )
        op.execute(
            f"CREATE TABLE inbox_{month:%Y_%m} PARTITION OF inbox"
            f" FOR VALUES FROM ('{month.isoformat()}') TO ('{after.isoformat()}')"
        )
        month = after


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE TABLE inbox_whole (LIKE inbox INCLUDING DEFAULTS)")
    op.execute("INSERT INTO inbox_whole SELECT * FROM inbox")
    op.execute("ALTER SEQUENCE inbox_id_seq OWNED BY inbox_whole.id")
    op.execute("DROP TABLE inbox")
    op.execute("ALTER TABLE inbox_whole RENAME TO inbox")
    op.execute("ALTER TABLE inbox ADD CONSTRAINT pk_inbox PRIMARY KEY (id)")
    op.execute(
        "ALTER TABLE inbox ADD CONSTRAINT uq_inbox_channel_delivery_id"
        " UNIQUE (channel, delivery_id)"
    )
    for name, what in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON inbox {what}")
    op.execute("DROP FUNCTION gendan_take_in()")
    op.execute("DROP FUNCTION gendan_key(text, text)")
    op.drop_table("inbox_keys")
    op.execute(COLLATE)
