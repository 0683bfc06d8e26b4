"""Learnt names, reasons of losses, and which drafts want a press: the rules behind the talk."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain import confirming, losses
from bot.domain.activities import OBJECTIONS, Draft, DraftState
from bot.domain.aliases import LearntAlias, LearntState, meaning, shared_by_all
from bot.domain.policy import DraftPolicy

AT = datetime(2026, 1, 28, 7, tzinfo=UTC)
ALIASES = some.lists(
    some.builds(
        LearntAlias,
        some.just("恒锐"),
        some.integers(1, 3),
        some.integers(1, 4),
        some.sampled_from(LearntState),
    ),
    max_size=6,
    unique_by=lambda one: (one.account_id, one.person_id),
)


def draft(unit: str = "followup_call", **confidence: float) -> Draft:
    return Draft(
        id=1,
        conversation="c",
        person_id=1,
        unit=unit,
        source_id="s",
        text="",
        state=DraftState.OPEN,
        occurred_at=AT,
        created_at=AT,
        expires_at=AT,
        slots={"duration_min": 25, "amount_fen": 1},
        confidence=confidence,
    )


@given(ALIASES, some.integers(1, 5))
def test_a_name_never_stands_for_what_its_speaker_denied_or_is_torn_about(
    known: list[LearntAlias], person_id: int
) -> None:
    meant = meaning(known, person_id)
    own = {
        one.account_id: one.state
        for one in known
        if one.person_id == person_id and one.state is not LearntState.UNDONE
    }
    held = [number for number, state in own.items() if state is LearntState.HELD]
    if meant is not None:
        assert own.get(meant.account_id) is not LearntState.DENIED
        assert meant.own == (held == [meant.account_id])
    if len(held) > 1:
        assert meant is None


@given(ALIASES)
def test_only_what_two_people_agree_on_and_nobody_contradicts_is_everybodys(
    known: list[LearntAlias],
) -> None:
    shared = shared_by_all(known)
    held = [one for one in known if one.state is LearntState.HELD]
    if shared is not None:
        assert len({one.person_id for one in held}) >= 2
        assert {one.account_id for one in held} == {shared}
        assert LearntState.DENIED not in [one.state for one in known if one.account_id == shared]


@given(some.lists(some.sampled_from(sorted(OBJECTIONS)), unique=True, max_size=4))
def test_the_primary_reason_is_one_of_those_said(said: list[str]) -> None:
    slots = losses.settled({"objections": said})
    assert slots.get(losses.REASON) == (said[0] if len(said) == 1 else None)
    for code in losses.offered(slots, 4):
        named = losses.settled({**slots, **losses.chosen(slots, code)})
        assert named[losses.REASON] == code
        assert set(said) <= set(named["objections"])  # type: ignore[call-overload]


def test_a_reason_that_is_corrected_takes_its_words_along() -> None:
    told = losses.settled({losses.REASON: "other", losses.NOTE: "亲戚", "objections": ["other"]})
    assert told[losses.NOTE] == "亲戚"
    corrected = losses.settled({**told, "objections": ["budget"]})
    assert corrected == {losses.REASON: "budget", "objections": ["budget"]}


@pytest.mark.parametrize(
    ("confidence", "doubtful"),
    [
        ({"duration_min": 0.95, "customer": 1.0}, []),
        ({"duration_min": 0.7}, ["duration_min"]),
        ({"duration_min": 0.85}, []),
        ({"amount_fen": 0.85}, ["amount_fen"]),
        ({"customer": 0.85}, ["customer"]),
        ({"intent": 0.5}, ["intent"]),
        ({"next_contact": 0.1}, []),  # no such slot on the draft any more
    ],
)
def test_a_slot_of_confirm_slots_must_have_been_said_outright(
    confidence: dict[str, float], doubtful: list[str]
) -> None:
    policy = DraftPolicy(auto_confirm=True)
    told = draft(**confidence)
    assert confirming.doubtful(policy, told) == doubtful
    assert confirming.needs_press(policy, told) == bool(doubtful)
    assert confirming.needs_press(DraftPolicy(), told)


@pytest.mark.parametrize("unit", ["log_win", "log_loss", "set_intent"])
def test_what_weighs_much_always_wants_a_press(unit: str) -> None:
    assert confirming.needs_press(DraftPolicy(auto_confirm=True), draft(unit))
