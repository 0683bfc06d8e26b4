"""Which moves of a deal are allowed, and what its events tell: rules that hold for any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import WorkingCalendar
from bot.domain.funnel import FunnelCounts, funnel_of
from bot.domain.library import ActionLibrary, SlotSpec, map_stages
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.stages import (
    Move,
    MoveKind,
    Refusal,
    StageEvent,
    furthest_of,
    judge_move,
    moved,
    needed_fields,
    place_of,
    rebuild,
    stay_days,
)
from config.library import load_libraries
from config.policy import HERE

SHIPPED = load_libraries(HERE / "actions")
LIBRARY = next(one for one in SHIPPED if one.key == "manufacturing")
START = datetime(2026, 1, 12, 2, tzinfo=UTC)
STAGES = [stage.key for stage in LIBRARY.stages]
PLACES = [*STAGES, *(str(state) for state in OpportunityState if state != "open")]

libraries = st.sampled_from(SHIPPED)
orders = st.lists(
    st.tuples(
        st.integers(0, 3),  # which deal
        st.sampled_from(PLACES),
        st.booleans(),  # with all fields
        st.booleans(),  # with a reason
        st.integers(0, 9 * 24),  # hours later
    ),
    max_size=40,
)


def deal(number: int = 1, stage: str = STAGES[0]) -> Opportunity:
    return Opportunity(
        id=number,
        account_id=number // 2,  # two deals may have one customer
        account_name="恒锐机电",
        name="恒锐机电",
        owner_id=1,
        stage=stage,
        stage_since=START,
        state=OpportunityState.OPEN,
        created_at=START,
        assigned_at=START,
        library=LIBRARY.ref,
        furthest=stage,
    )


def all_fields(fields: tuple[SlotSpec, ...]) -> dict[str, object]:
    return {one.key: "x" for one in fields}


def play(history: list[tuple[int, str, bool, bool, int]]) -> tuple[
    dict[int, Opportunity], list[StageEvent]
]:  # fmt: skip
    """Deals and events after orders of which some are refused."""
    deals = {number: deal(number) for number in range(4)}
    events = [_event(one, MoveKind.OPENED, "", one.stage, START) for one in deals.values()]
    at = START
    for number, target, filled, reasoned, hours in history:
        at += timedelta(hours=hours)
        before = deals[number]
        slots = all_fields(needed_fields(LIBRARY, before.stage, target)) if filled else {}
        move = Move(place_of(before), target, slots, "客户要求" if reasoned else "")
        verdict = judge_move(LIBRARY, before, move)
        if verdict.refusal is None:
            assert verdict.kind is not None
            deals[number] = moved(LIBRARY, before, move, at)
            place = place_of(deals[number])
            events.append(_event(before, verdict.kind, move.seen, place, at))
    return deals, events


def _event(
    of: Opportunity, kind: MoveKind, came_from: str, went_to: str, at: datetime
) -> StageEvent:
    rank = LIBRARY.rank(went_to)
    return StageEvent(of.id, of.account_id, kind, LIBRARY.ref, came_from, went_to, at, rank=rank)


@given(orders)
def test_the_events_rebuild_where_every_deal_stands(
    history: list[tuple[int, str, bool, bool, int]],
) -> None:
    deals, events = play(history)
    assert rebuild(events) == {number: place_of(one) for number, one in deals.items()}


@given(orders)
def test_each_event_begins_where_the_one_before_ended(
    history: list[tuple[int, str, bool, bool, int]],
) -> None:
    _, events = play(history)
    place: dict[int, str] = {}
    for event in events:
        assert event.came_from == place.get(event.opportunity_id, "")
        place[event.opportunity_id] = event.went_to


@given(orders)
def test_the_events_tell_how_far_every_deal_came(
    history: list[tuple[int, str, bool, bool, int]],
) -> None:
    deals, events = play(history)
    for number, one in deals.items():
        assert furthest_of([event for event in events if event.opportunity_id == number]) == (
            one.furthest
        )


@given(
    st.dictionaries(st.integers(-1, len(STAGES)), st.integers(1, 50)),
    st.lists(st.integers(0, 90), max_size=9),
)
def test_a_rate_is_null_or_between_nought_and_one(
    furthest: dict[int, int], stays: list[int]
) -> None:
    lengths = {days: stays.count(days) for days in stays}
    figures = funnel_of(LIBRARY, FunnelCounts(furthest=furthest, stays={"quote": lengths}))
    for one, following in pairwise(figures):
        assert one.went_on == following.reached
    for one in figures:
        assert one.rate is None or 0 <= one.rate <= 1
        assert (one.rate is None) == (one.reached == 0)
    quote = next(one for one in figures if one.stage == "quote")
    assert quote.stay_days == (sorted(stays)[(len(stays) - 1) // 2] if stays else None)


@given(orders)
def test_nobody_moves_forward_without_three_required_fields(
    history: list[tuple[int, str, bool, bool, int]],
) -> None:
    for number, target, *_ in history:
        verdict = judge_move(LIBRARY, deal(number), Move(STAGES[0], target, {}, "客户要求"))
        if verdict.kind is MoveKind.FORWARD:
            assert verdict.refusal is Refusal.MISSING_FIELDS
            assert len(verdict.missing) >= 3


@pytest.mark.parametrize(
    ("state", "target", "kind", "refusal"),
    [
        (OpportunityState.OPEN, "negotiation", MoveKind.FORWARD, None),
        (OpportunityState.OPEN, "needs", MoveKind.BACK, None),
        (OpportunityState.OPEN, "quote", None, Refusal.SAME),
        (OpportunityState.OPEN, "on_hold", MoveKind.HELD, None),
        (OpportunityState.OPEN, "invalid", MoveKind.CLOSED, None),
        (OpportunityState.ON_HOLD, "quote", MoveKind.RESUMED, None),
        (OpportunityState.ON_HOLD, "contract", MoveKind.FORWARD, None),
        (OpportunityState.LOST, "quote", None, Refusal.CLOSED),
        (OpportunityState.WON, "negotiation", None, Refusal.CLOSED),
        (OpportunityState.INVALID, "negotiation", None, Refusal.CLOSED),
    ],
)
def test_the_table_of_moves(
    state: OpportunityState, target: str, kind: MoveKind | None, refusal: Refusal | None
) -> None:
    standing = replace(deal(stage="quote"), state=state)
    slots = all_fields(needed_fields(LIBRARY, "quote", target))
    verdict = judge_move(LIBRARY, standing, Move(place_of(standing), target, slots, "客户要求"))
    assert (verdict.kind, verdict.refusal) == (kind, refusal)


def test_a_deal_that_was_moved_meanwhile_is_not_moved_again() -> None:
    move = Move("needs", "proposal", all_fields(needed_fields(LIBRARY, "needs", "proposal")))
    assert judge_move(LIBRARY, deal(stage="quote"), move).refusal is Refusal.STALE


@given(libraries, libraries)
def test_every_stage_has_a_place_in_every_other_library(
    old: ActionLibrary, new: ActionLibrary
) -> None:
    mapped = map_stages(old, new)
    assert mapped.keys() == {stage.key for stage in old.stages}
    assert set(mapped.values()) <= {stage.key for stage in new.stages}
    assert mapped[old.stages[0].key] == new.stages[0].key


@given(libraries)
def test_a_library_maps_onto_itself(library: ActionLibrary) -> None:
    assert all(key == mapped for key, mapped in map_stages(library, library).items())


def test_a_stay_counts_the_working_days_between_and_a_change_of_library_ends_none() -> None:
    friday, wednesday = START + timedelta(days=4), START + timedelta(days=9)
    left = _event(deal(), MoveKind.FORWARD, "quote", "negotiation", wednesday)
    assert stay_days(friday, left, WorkingCalendar()) == 2
    remapped = replace(left, kind=MoveKind.REMAPPED, library="medical@0")
    assert stay_days(friday, remapped, WorkingCalendar()) is None


def test_after_a_change_of_library_a_deal_counts_from_where_it_was_put() -> None:
    opened = _event(deal(), MoveKind.OPENED, "", "first_contact", START)
    forward = _event(deal(), MoveKind.FORWARD, "first_contact", "negotiation", START)
    back = _event(deal(), MoveKind.BACK, "negotiation", "needs", START)
    moved_over = replace(_event(deal(), MoveKind.REMAPPED, "needs", "clinical", START), rank=1)
    assert furthest_of([opened, forward, back]) == "negotiation"
    assert furthest_of([opened, forward, back, moved_over]) == "clinical"
