"""On PostgreSQL entries of the audit are numbered and sealed where they are kept.

All who append wait for each other. In one call the server takes the lock, reads the head, seals and
inserts; asked for one after the other, everybody waits for the way between, too. Each query of a
volatile function sees what was committed before it began, so the head is read behind the lock.
"""

from __future__ import annotations

from alembic import op

revision = "0039_sealing"
down_revision = "0038_traces"
branch_labels = None
depends_on = None
additive = True


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("""CREATE FUNCTION gendan_seal(
    moments timestamptz[], actors text[], actions text[], subjects text[], befores text[],
    afters text[], salts text[], content_hashes text[], told text[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    number bigint;
    previous text;
    seal text;
BEGIN
    PERFORM pg_advisory_xact_lock(1734700644);
    SELECT head.seq, head.hash INTO number, seal FROM audit AS head ORDER BY head.seq DESC LIMIT 1;
    FOR i IN 1 .. cardinality(told) LOOP
        number := coalesce(number, 0) + 1;
        previous := coalesce(seal, repeat('0', 64));
        seal := encode(
            sha256(convert_to(format('[%s,%s,"%s"]', number, told[i], previous), 'UTF8')), 'hex'
        );
        INSERT INTO audit (
            seq, at, actor, action, subject, before, after, salt, content_hash, previous_hash, hash
        ) VALUES (
            number, moments[i], actors[i], actions[i], subjects[i], befores[i], afters[i],
            salts[i], content_hashes[i], previous, seal
        );
    END LOOP;
END $$
""")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "DROP FUNCTION gendan_seal(timestamptz[], text[], text[], text[], text[], text[],"
            " text[], text[], text[])"
        )
