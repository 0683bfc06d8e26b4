"""What `tests.query_plans`, which looks at every statement, takes for reading a whole table."""

from __future__ import annotations

import pytest

from tests import postgres_plans
from tests.query_plans import SMALL, whole_tables


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("SELECT id FROM activities WHERE text = ?", ["SCAN activities"]),
        ("UPDATE opportunities SET stage = ''  WHERE stage = ?", ["SCAN opportunities"]),
        ("SELECT a.id FROM inbox AS inbox_1 JOIN accounts AS a ON a.name = ?", ["SCAN inbox_1"]),
        ("SELECT 1 FROM inbox WHERE channel = ?", ["SEARCH inbox"]),  # there are few of them
        ("SELECT id FROM activities WHERE id = ?", []),
        ("SELECT id FROM people WHERE name = ?", []),  # as many as there are people
        ("SELECT id FROM outbox WHERE state = 'dead' AND id > ? ORDER BY id", []),
    ],
)
def test_reading_a_whole_table_is_seen(statement: str, seen: list[str]) -> None:
    found = [step.partition(" USING")[0] for step in whole_tables(statement, ("x",))]
    assert found == seen


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("statement", "parameters", "seen"),
    [
        ("SELECT id FROM activities WHERE text = $1", ("x",), ["Seq Scan on activities"]),
        ("UPDATE opportunities SET stage = '' WHERE stage = $1", ("x",), ["opportunities"]),
        ("SELECT count(*) FROM audit", (), ["audit"]),
        ("SELECT 1 FROM inbox JOIN people ON people.name = inbox.reason", (), ["inbox"]),
        ("SELECT id FROM activities WHERE actor_id = ANY($1::bigint[])", ([1, 2],), []),
        ("SELECT seq FROM audit ORDER BY seq DESC LIMIT 1", (), []),
        ("SELECT id FROM people WHERE name = $1", ("x",), []),  # as many as there are people
        ("SELECT id FROM outbox WHERE state = 'dead' AND id > $1 ORDER BY id", (7,), []),
    ],
)
def test_so_is_reading_one_on_postgres(
    postgres_migrated: str, statement: str, parameters: tuple[object, ...], seen: list[str]
) -> None:
    explainer = postgres_plans.explainer()
    assert explainer is not None
    plan = explainer.plan(statement, parameters)
    assert plan is not None
    found = sorted(set(postgres_plans.whole_tables(plan, SMALL)))
    assert len(found) == len(seen)
    assert all(one in step for one, step in zip(seen, found, strict=True)), found
