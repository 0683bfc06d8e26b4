"""Lights (B3): when they rise, redden and end, and exactly when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.library import Stage
from bot.domain.lights import (
    MOVES,
    Cleared,
    Episode,
    Lead,
    LeadStanding,
    Move,
    judge_lead,
    judge_light,
)
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from bot.domain.policy import LightPolicy
from config.policy import load_calendar

CALENDAR = load_calendar()
POLICY = LightPolicy()
SHANGHAI = ZoneInfo("Asia/Shanghai")
STAGE = Stage("quote", "报价", stuck_days=4)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def deal(assigned: str = "2026-01-05T10:00", **given: object) -> Opportunity:
    since = at(assigned)
    plain = Opportunity(
        id=1,
        account_id=1,
        account_name="恒锐机电",
        name="恒锐机电 商机",
        owner_id=7,
        stage="quote",
        stage_since=since,
        state=OpportunityState.OPEN,
        created_at=since,
        assigned_at=since,
    )
    return replace(plain, **given)  # type: ignore[arg-type]


def standing(opportunity: Opportunity, when: datetime, **given: object) -> LeadStanding:
    return judge_light(
        opportunity,
        policy=POLICY,
        calendar=CALENDAR,
        at=when,
        **given,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("last_valid", "now", "gap", "light"),
    [
        # Monday 12 January; the 14th to the 16th are Wednesday to Friday
        ("2026-01-12T10:00", "2026-01-15T23:59", 2, Light.GREEN),
        ("2026-01-12T10:00", "2026-01-16T00:00", 3, Light.YELLOW),
        ("2026-01-12T23:59", "2026-01-16T00:00", 3, Light.YELLOW),
        ("2026-01-12T10:00", "2026-01-17T12:00", 4, Light.YELLOW),  # Saturday: Friday is over
        ("2026-01-12T10:00", "2026-01-20T23:59", 5, Light.YELLOW),  # 5 is not more than 5
        ("2026-01-12T10:00", "2026-01-21T00:00", 6, Light.RED),
        # Friday: the weekend counts for nothing
        ("2026-01-16T10:00", "2026-01-21T23:59", 2, Light.GREEN),
        ("2026-01-16T10:00", "2026-01-22T00:00", 3, Light.YELLOW),
        # over Spring Festival: 14 February is worked, 15 to 23 are off
        ("2026-02-13T10:00", "2026-02-24T09:00", 1, Light.GREEN),
        ("2026-02-13T10:00", "2026-02-26T00:00", 3, Light.YELLOW),
        ("2026-02-13T10:00", "2026-02-28T23:59", 5, Light.YELLOW),
        ("2026-02-13T10:00", "2026-03-01T00:00", 6, Light.RED),  # 28 February is worked
    ],
)
def test_light_by_working_days_without_a_valid_action(
    last_valid: str, now: str, gap: int, light: Light
) -> None:
    judged = standing(deal(last_valid_at=at(last_valid)), at(now))
    assert (judged.gap_days, judged.light) == (gap, light)


def test_a_new_lead_counts_from_its_assignment() -> None:
    assert standing(deal("2026-01-12T10:00"), at("2026-01-16T08:00")).light is Light.YELLOW


def test_a_reassignment_restarts_the_count() -> None:
    old = deal("2025-12-01T10:00", last_valid_at=at("2025-12-02T10:00"))
    assert standing(old, at("2026-01-14T10:00")).light is Light.RED
    moved = replace(old, assigned_at=at("2026-01-14T09:00"))
    assert standing(moved, at("2026-01-14T10:00")).light is Light.GREEN
    assert standing(moved, at("2026-01-20T00:00")).light is Light.YELLOW


@pytest.mark.parametrize(
    "state", [OpportunityState.WON, OpportunityState.LOST, OpportunityState.INVALID]
)
def test_closed_leads_have_no_light_for_ever(state: OpportunityState) -> None:
    judged = standing(deal("2025-01-06T10:00", state=state), at("2026-01-28T10:00"), stage=STAGE)
    assert judged == LeadStanding(Light.GREEN, stuck=False, gap_days=0, next_change_at=None)


def test_on_hold_has_no_light_until_its_date_and_then_counts_anew() -> None:
    held = deal(state=OpportunityState.ON_HOLD, hold_until=at("2026-03-02T00:00"))
    assert standing(held, at("2026-02-27T10:00")).light is Light.GREEN
    assert standing(held, at("2026-03-02T10:00")).light is Light.GREEN
    assert standing(held, at("2026-03-06T00:00")).light is Light.YELLOW


def test_on_hold_without_a_date_is_never_due() -> None:
    held = deal(state=OpportunityState.ON_HOLD)
    assert standing(held, at("2026-12-01T10:00")).next_change_at is None


def test_an_owner_on_leave_has_no_lights_and_gets_time_after_it() -> None:
    leave_until = at("2026-02-02T00:00")
    during = standing(deal(), at("2026-01-28T10:00"), owner_leave_until=leave_until)
    assert during.light is Light.GREEN
    back = standing(deal(), at("2026-02-05T10:00"), owner_leave_until=leave_until)
    assert (back.light, back.gap_days) == (Light.GREEN, 2)


def test_busy_but_stuck_is_a_mark_of_its_own() -> None:
    busy = deal("2026-01-05T10:00", last_valid_at=at("2026-01-12T09:00"))
    assert not standing(busy, at("2026-01-09T23:59"), stage=STAGE).stuck
    judged = standing(busy, at("2026-01-12T10:00"), stage=STAGE)
    assert (judged.light, judged.stuck) == (Light.GREEN, False)  # 4 days is not above 4
    judged = standing(busy, at("2026-01-13T00:00"), stage=STAGE)
    assert (judged.light, judged.stuck) == (Light.GREEN, True)
    assert not standing(busy, at("2026-01-13T00:00")).stuck, "a stage the library forgot"


moments = st.timedeltas(timedelta(0), timedelta(days=335)).map(
    lambda later: datetime(2025, 12, 1, tzinfo=UTC) + later
)
optional_moments = st.none() | moments
deals = st.builds(
    lambda assigned, valid, hold, state: replace(
        deal(), assigned_at=assigned, stage_since=assigned, last_valid_at=valid,
        hold_until=hold, state=state,
    ),
    moments,
    optional_moments,
    optional_moments,
    st.sampled_from(OpportunityState),
)  # fmt: skip
leaves = optional_moments


@given(deals, moments, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_the_gap_never_shrinks_while_nothing_happens(
    opportunity: Opportunity, when: datetime, later: timedelta
) -> None:
    before, after = standing(opportunity, when), standing(opportunity, when + later)
    assert before.gap_days <= after.gap_days


@given(deals, moments, leaves, st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_change(
    opportunity: Opportunity, when: datetime, leave: datetime | None, share: float
) -> None:
    now = standing(opportunity, when, stage=STAGE, owner_leave_until=leave)
    horizon = now.next_change_at or when + timedelta(days=400)
    assert horizon > when
    between = min(when + (horizon - when) * share, horizon - timedelta(microseconds=1))
    later = standing(opportunity, between, stage=STAGE, owner_leave_until=leave)
    assert (later.light, later.stuck) == (now.light, now.stuck)
    assert later.next_change_at == now.next_change_at


@given(deals, moments)
def test_sweeping_only_when_due_ends_where_judging_always_does(
    opportunity: Opportunity, when: datetime
) -> None:
    end = when + timedelta(days=60)
    swept = standing(opportunity, when, stage=STAGE)
    for _ in range(4):
        if swept.next_change_at is None or swept.next_change_at > end:
            break
        swept = standing(opportunity, swept.next_change_at, stage=STAGE)
    judged = standing(opportunity, end, stage=STAGE)
    assert (swept.light, swept.stuck) == (judged.light, judged.stuck)


@given(deals, moments)
def test_each_change_is_a_real_one(opportunity: Opportunity, when: datetime) -> None:
    """A due time at which nothing changes would make sweeps dearer than need be."""
    now = standing(opportunity, when)
    if now.next_change_at is not None:
        just_before = standing(opportunity, now.next_change_at - timedelta(microseconds=1))
        after = standing(opportunity, now.next_change_at)
        assert just_before.light != after.light


def episode(light: Light) -> Episode:
    rose = at("2026-01-16T00:00")
    red_at = at("2026-01-21T00:00") if light is Light.RED else None
    return Episode(1, 1, owner_id=7, yellow_at=rose, red_at=red_at)


def test_every_pair_of_lights_has_its_move() -> None:
    shown = [None, Light.YELLOW, Light.RED]
    assert set(MOVES) == set(product(shown, Light))


@pytest.mark.parametrize(
    ("shown", "last_valid", "move"),
    [
        (None, "2026-01-20T10:00", Move.STAY),
        (None, "2026-01-15T10:00", Move.OPEN),
        (Light.YELLOW, "2026-01-15T10:00", Move.STAY),
        (Light.YELLOW, "2026-01-12T10:00", Move.REDDEN),
        (Light.YELLOW, "2026-01-21T08:00", Move.CLEAR),
        (Light.RED, "2026-01-21T08:00", Move.CLEAR),
        (Light.RED, "2026-01-15T10:00", Move.REOPEN),  # entered late
    ],
)
def test_what_becomes_of_an_episode(shown: Light | None, last_valid: str, move: Move) -> None:
    lead = Lead(
        replace(deal(last_valid_at=at(last_valid)), episode=1),
        episode=episode(shown) if shown else None,
    )
    judged = judge_lead(lead, policy=POLICY, calendar=CALENDAR, at=at("2026-01-21T10:00"))
    assert judged.move is move
    assert judged.number == (2 if move in (Move.OPEN, Move.REOPEN) else 1)


@pytest.mark.parametrize(
    ("changes", "leave", "why"),
    [
        ({"state": OpportunityState.WON}, None, Cleared.CLOSED),
        ({"state": OpportunityState.ON_HOLD}, None, Cleared.PAUSED),
        ({}, "2026-02-01T00:00", Cleared.PAUSED),
        ({"assigned_at": at("2026-01-21T09:00")}, None, Cleared.REASSIGNED),
        ({"last_valid_at": at("2026-01-21T09:00")}, None, Cleared.RECALCULATED),
    ],
)
def test_an_ended_light_says_why(
    changes: dict[str, object], leave: str | None, why: Cleared
) -> None:
    lead = Lead(
        deal(**changes),
        owner_leave_until=at(leave) if leave else None,
        episode=episode(Light.YELLOW),
    )
    judged = judge_lead(
        lead, policy=POLICY, calendar=CALENDAR, at=datetime(2026, 1, 21, 2, tzinfo=UTC)
    )
    assert (judged.move, judged.reason) == (Move.CLEAR, why)
