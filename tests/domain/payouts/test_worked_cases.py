"""Every worked case to the fen, and the six of the schema."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.payouts.worked_cases import (
    WorkedCase,
    all_cases,
    compute_documents,
    sample_cases,
    written,
)

CASES = list(all_cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_worked_case_comes_out_to_the_fen(case: WorkedCase) -> None:
    result = case.compute()

    assert [written(line) for line in result.lines] == case.lines
    reasons = [str(review.reason) for review in result.needs_review]
    assert reasons == (case.expected["needs_review"] or [])
    for key in ("fund_fen", "cash_fen", "carry_fen"):
        assert getattr(result, key) == case.expected[key]


def test_there_are_enough_cases_and_no_two_of_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", sample_cases(), ids=lambda case: case["id"])
def test_case_of_the_schema(case: dict[str, Any]) -> None:
    facts = {key: case[key] for key in ("deals", "events", "policy") if key in case}

    result = compute_documents(case["rules"], facts)

    assert dict(result.by_person) == case["expected"]["by_person"]
    assert len(result.lines) == len(case["expected"]["lines"])
    for line, expected in zip(result.lines, case["expected"]["lines"], strict=True):
        assert {key: getattr(line, key) for key in expected} == expected
