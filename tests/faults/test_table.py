"""docs/reliability.md tells what was tried: its counts and its rows are those of the tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults import (
    test_clock_skew,
    test_database_away,
    test_mailbox,
    test_matrix,
    test_queue_away,
)

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = {
    "message": "sending",
    "token": "the access token, expired",
    "card": "changing a card",
    "file": "fetching a file",
    "erp": "the ERP",
    "upload": "uploading a file",
    "directory": "the directory",
    "contacts": "contacts outside",
    "approvals": "approvals",
    "attendance": "attendance",
    "archive": "the chat archive's adapter",
}


@pytest.mark.parametrize(
    ("file", "cells"),
    [
        ("test_matrix.py", len(test_matrix.CELLS)),
        ("test_mailbox.py", len(test_mailbox.FAULTS)),
        ("test_database_away.py", len(test_database_away.CELLS)),
        ("test_queue_away.py", len(test_queue_away.CELLS)),
        ("test_clock_skew.py", len(test_clock_skew.DOORS) * len(test_clock_skew.SKEWS)),
    ],
)
def test_the_counts_are_those_of_the_tests(file: str, cells: int) -> None:
    (told,) = re.findall(rf"\| (\d+) cells[^|]*\| `pytest tests/faults/{file}`", PAGE)
    assert int(told) == cells


def test_each_row_is_tried_and_each_call_has_its_row() -> None:
    assert ROWS.keys() == test_matrix.DOES.keys() == {what for _, what, _ in test_matrix.CELLS}
    for row in ROWS.values():
        assert f"\n| {row} |" in PAGE, row


def test_each_test_that_is_named_exists() -> None:
    for named in re.findall(r"`(?:pytest )?(tests/[\w/.]*)`", PAGE):
        assert (ROOT / named).exists(), named
