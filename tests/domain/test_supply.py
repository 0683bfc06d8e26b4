"""What warehouse and planning hear."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.levels import Level
from bot.domain.supply import DealStanding, NoticeKind, evidence_id, next_notice

LIMIT = 20_000_000
OVER = LIMIT + 1
PUSH, CHANGE, WITHDRAWAL = NoticeKind.PUSH, NoticeKind.CHANGE, NoticeKind.WITHDRAWAL
L1, L2 = Level.L1, Level.L2


@pytest.mark.parametrize(
    ("now", "last", "told", "expected"),
    [
        # nothing was told yet
        (DealStanding(L1, LIMIT), None, None, None),
        (DealStanding(L1, OVER), None, None, PUSH),
        (DealStanding(L1, None), None, None, None),
        (DealStanding(L2, OVER), None, None, None),
        (DealStanding(None, OVER), None, None, None),
        (DealStanding(L1, OVER, cancelled=True), None, None, None),
        # a push stands
        (DealStanding(L1, OVER), PUSH, OVER, None),
        (DealStanding(L1, OVER + 100), PUSH, OVER, CHANGE),
        (DealStanding(L1, LIMIT), PUSH, OVER, CHANGE),
        (DealStanding(L1, None), PUSH, OVER, CHANGE),
        (DealStanding(L2, OVER), PUSH, OVER, WITHDRAWAL),
        (DealStanding(None, OVER), PUSH, OVER, WITHDRAWAL),
        (DealStanding(L1, OVER, cancelled=True), PUSH, OVER, WITHDRAWAL),
        (DealStanding(L2, OVER + 100), PUSH, OVER, WITHDRAWAL),
        # a change stands
        (DealStanding(L1, LIMIT), CHANGE, LIMIT, None),
        (DealStanding(L1, OVER), CHANGE, LIMIT, CHANGE),
        (DealStanding(L2, LIMIT), CHANGE, LIMIT, WITHDRAWAL),
        # withdrawn: armed again
        (DealStanding(L2, OVER), WITHDRAWAL, OVER, None),
        (DealStanding(L1, LIMIT), WITHDRAWAL, OVER, None),
        (DealStanding(L1, OVER), WITHDRAWAL, OVER, PUSH),
    ],
)
def test_what_is_told(
    now: DealStanding, last: NoticeKind | None, told: int | None, expected: NoticeKind | None
) -> None:
    assert next_notice(now, last, told, above_fen=LIMIT) is expected


standings = st.builds(
    DealStanding,
    level=st.sampled_from([None, *Level]),
    amount_fen=st.none() | st.sampled_from([0, LIMIT - 1, LIMIT, OVER, OVER + 5, 10 * LIMIT]),
    cancelled=st.booleans(),
)


@given(st.lists(standings, max_size=30))
def test_whoever_listens_always_knows_how_it_stands(past: list[DealStanding]) -> None:
    last: NoticeKind | None = None
    told: int | None = None
    for now in past:
        found = next_notice(now, last, told, above_fen=LIMIT)
        amount = now.amount_fen or 0
        stood = last in (PUSH, CHANGE)
        assert found is None or (found is PUSH) is (not stood)
        if found is PUSH:
            assert amount > LIMIT
            assert now.level is L1
        if found is not None:
            last, told = found, amount
        stands = last in (PUSH, CHANGE)
        wanted = now.level is L1 and not now.cancelled
        assert not stands or (wanted and told == amount)
        assert stands or not (wanted and amount > LIMIT)
        assert next_notice(now, last, told, above_fen=LIMIT) is None  # never twice


def test_an_evidence_id_tells_its_day_and_number() -> None:
    assert evidence_id(date(2026, 1, 28), 7) == "CK20260128-0007"
    assert evidence_id(date(2026, 1, 28), 12_345) == "CK20260128-12345"
