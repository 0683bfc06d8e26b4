"""Intent levels: what each needs, what holds when, what may be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.levels import (
    Cause,
    Evidence,
    EvidenceKind,
    Flaw,
    Level,
    LevelChange,
    Refusal,
    flaws,
    is_higher,
    level_at,
    missing_for,
    refusal_of,
)

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PO, TECH, BUDGET, NEED = EvidenceKind
L1, L2, L2_5, L3 = Level


def day(number: float) -> datetime:
    return T0 + timedelta(days=number)


def piece(kind: EvidenceKind, *, added: float = 0, expires: float = 90) -> Evidence:
    return Evidence(
        id=1,
        opportunity_id=1,
        kind=kind,
        added_by=1,
        added_at=day(added),
        expires_at=day(expires),
        number="PO-1" if kind is PO else "",
        sha256="a" * 64,
        fields={"need": "三台贴片机", "contact": "王建国"} if kind is NEED else {},
    )


def said(
    after: Level | None, cause: Cause = Cause.CLAIMED, *, on: float = 1, until: float | None = None
) -> LevelChange:
    stands = None if until is None else day(until)
    return LevelChange(1, 1, None, after, cause, day(on), by=1, stands_until=stands)


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        (replace(piece(PO), number=""), (Flaw.NUMBER,)),
        (replace(piece(PO), sha256=""), (Flaw.FILE,)),
        (replace(piece(TECH), sha256="", activity_id=7), (Flaw.FILE,)),
        (replace(piece(BUDGET), sha256=""), (Flaw.FILE,)),
        (replace(piece(NEED), sha256="", activity_id=7), ()),
        (replace(piece(NEED), sha256=""), (Flaw.PROOF,)),
        (replace(piece(NEED), fields={"need": "三台"}), (Flaw.CONTACT,)),
        (replace(piece(NEED), fields={"contact": "王建国", "need": " "}), (Flaw.NEED,)),
    ],
)
def test_what_a_piece_of_evidence_lacks(changed: Evidence, lacks: tuple[Flaw, ...]) -> None:
    assert flaws(changed) == lacks


@pytest.mark.parametrize(
    ("level", "kinds", "missing"),
    [
        (L1, [], [PO]),
        (L1, [PO], []),
        (L1, [TECH, BUDGET, NEED], [PO]),
        (L2, [TECH], [BUDGET]),
        (L2, [BUDGET, TECH], []),
        (L2, [PO], [TECH, BUDGET]),
        (L3, [NEED], []),
        (L3, [TECH], [NEED]),
    ],
)
def test_each_level_wants_its_own_evidence(
    level: Level, kinds: list[EvidenceKind], missing: list[EvidenceKind]
) -> None:
    assert missing_for(level, [piece(kind) for kind in kinds], day(2)) == missing


@pytest.mark.parametrize(
    ("changes", "evidence", "at", "holds"),
    [
        ([], [piece(PO)], 2, None),  # evidence alone is no claim
        ([said(L1)], [piece(PO)], 2, L1),
        ([said(L1)], [piece(PO)], 0.5, None),  # before it was said
        ([said(L1)], [piece(PO)], 90, None),  # the moment it expires
        ([said(L1)], [piece(PO), piece(TECH), piece(BUDGET)], 89, L1),
        ([said(L1)], [piece(PO, expires=30), piece(TECH), piece(BUDGET)], 31, L2),
        ([said(L1)], [piece(PO, expires=30), piece(TECH), piece(NEED)], 31, L3),
        ([said(L3)], [piece(PO), piece(NEED)], 2, L3),  # never surer than was claimed
        ([said(L2)], [piece(PO)], 2, L2),  # surer evidence carries it as well
        ([said(L2), said(L3, Cause.LOWERED, on=3, until=93)], [], 4, L3),
        ([said(L2), said(L3, Cause.LOWERED, on=3, until=93)], [], 93, None),
        ([said(L2), said(L3, Cause.LOWERED, on=3, until=93)], [piece(NEED, expires=200)], 93, L3),
        ([said(L2), said(None, Cause.LOWERED, on=3)], [piece(TECH), piece(BUDGET)], 4, None),
        ([said(L2), said(L2_5, Cause.DECAYED, on=5)], [piece(TECH), piece(BUDGET)], 6, L2_5),
        (
            [said(L2), said(L2_5, Cause.DECAYED, on=5), said(L2, Cause.RESTORED, on=6)],
            [piece(TECH), piece(BUDGET)], 7, L2,
        ),
        ([said(L2), said(L2_5, Cause.DECAYED, on=5)], [piece(TECH), piece(NEED)], 6, L3),
        (
            [said(L2), said(L2_5, Cause.DECAYED, on=5), said(L1, on=6)],
            [piece(TECH), piece(BUDGET), piece(PO, added=6, expires=40)], 41, L2,
        ),
    ],
)  # fmt: skip
def test_which_level_holds(
    changes: list[LevelChange], evidence: list[Evidence], at: float, holds: Level | None
) -> None:
    assert level_at(changes, evidence, day(at)) is holds


def test_withdrawn_evidence_counts_until_it_was_withdrawn() -> None:
    order = replace(piece(PO), withdrawn_at=day(10))
    assert level_at([said(L1)], [order], day(9)) is L1
    assert level_at([said(L1)], [order], day(10)) is None


L2_FULL = [piece(TECH), piece(BUDGET)]


@pytest.mark.parametrize(
    ("move", "cause", "evidence", "reason", "why"),
    [
        ((None, L1), Cause.CLAIMED, [], "", Refusal.NO_EVIDENCE),
        ((None, L1), Cause.CLAIMED, [piece(PO)], "", None),
        ((L3, L2), Cause.CLAIMED, [piece(TECH)], "", Refusal.NO_EVIDENCE),
        ((L3, L2), Cause.CLAIMED, L2_FULL, "", None),
        ((L3, L2_5), Cause.CLAIMED, L2_FULL, "", Refusal.DERIVED),
        ((L2, L2), Cause.CLAIMED, L2_FULL, "", Refusal.SAME),
        ((L1, L3), Cause.CLAIMED, [piece(NEED)], "", Refusal.NO_REASON),
        ((L1, L3), Cause.LOWERED, [], "预算推迟", None),
        ((L1, L3), Cause.LOWERED, [], " ", Refusal.NO_REASON),
        ((L3, L1), Cause.LOWERED, [piece(PO)], "因为", Refusal.NO_EVIDENCE),
        ((L1, L2_5), Cause.LOWERED, [], "因为", Refusal.DERIVED),
        ((L3, None), Cause.LOWERED, [], "没戏了", None),
        ((L2, L2_5), Cause.DECAYED, L2_FULL, "", None),
        ((L1, L2_5), Cause.DECAYED, L2_FULL, "", Refusal.NOT_L2),
        ((L2_5, L2), Cause.RESTORED, L2_FULL, "", None),
        ((L2_5, L2), Cause.RESTORED, [piece(TECH)], "", Refusal.NO_EVIDENCE),
        ((L3, L2), Cause.RESTORED, L2_FULL, "", Refusal.NOT_DECAYED),
        ((L1, None), Cause.EXPIRED, [], "", None),
    ],
)
def test_what_may_be_changed(
    move: tuple[Level | None, Level | None],
    cause: Cause,
    evidence: list[Evidence],
    reason: str,
    why: Refusal | None,
) -> None:
    before, after = move
    found = refusal_of(before, after, cause, evidence=evidence, now=day(2), reason=reason)
    assert found is why


PIECES = st.lists(
    st.builds(
        piece,
        st.sampled_from(EvidenceKind),
        added=st.integers(0, 50),
        expires=st.integers(51, 120),
    ),
    max_size=6,
)
CLAIMS = st.sampled_from((L1, L2, L3))


@given(PIECES, CLAIMS, st.integers(2, 130))
def test_a_claim_never_holds_higher_than_said_nor_without_evidence(
    evidence: list[Evidence], claimed: Level, at: int
) -> None:
    holds = level_at([said(claimed)], evidence, day(at))
    assert not is_higher(holds, claimed)
    if holds is not None:
        surer = [level for level in (L1, L2, L3) if not is_higher(holds, level)]
        assert any(not missing_for(level, evidence, day(at)) for level in surer)


@given(PIECES, CLAIMS, st.integers(51, 130), st.integers(0, 60))
def test_without_new_evidence_time_only_lowers(
    evidence: list[Evidence], claimed: Level, at: int, later: int
) -> None:
    first = level_at([said(claimed)], evidence, day(at))
    assert not is_higher(level_at([said(claimed)], evidence, day(at + later)), first)
