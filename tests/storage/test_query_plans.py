"""What `tests.query_plans`, which looks at every statement, takes for reading a whole table."""

from __future__ import annotations

import pytest

from tests.query_plans import whole_tables


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("SELECT id FROM activities WHERE text = ?", ["SCAN activities"]),
        ("UPDATE opportunities SET stage = ''  WHERE stage = ?", ["SCAN opportunities"]),
        ("SELECT a.id FROM inbox AS inbox_1 JOIN accounts AS a ON a.name = ?", ["SCAN inbox_1"]),
        ("SELECT id FROM activities WHERE id = ?", []),
        ("SELECT id FROM people WHERE name = ?", []),  # as many as there are people
        ("SELECT id FROM outbox WHERE state = 'dead' AND id > ? ORDER BY id", []),
    ],
)
def test_reading_a_whole_table_is_seen(statement: str, seen: list[str]) -> None:
    found = [step.partition(" USING")[0] for step in whole_tables(statement, ("x",))]
    assert found == seen
