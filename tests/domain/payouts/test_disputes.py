"""When a line may be disputed, by which steps it ends, who decides, and how long it took."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import ClockKind
from bot.domain.payouts.disputes import (
    DECIDED,
    MOVES,
    Conflict,
    Earlier,
    SlaClock,
    State,
    Step,
    Unfit,
    conflict_of,
    may_move,
    refusal_to_dispute,
)
from bot.domain.payouts.health import closing, realisation
from tests.handlers.light_company import CALENDAR, at

LOCKED = at("2026-02-03 10:00")


@pytest.mark.parametrize(("state", "to"), list(itertools.product(State, State)))
def test_a_step_is_listed_or_refused(state: State, to: State) -> None:
    assert may_move(state, to) is (to in MOVES[state])


def test_what_is_decided_or_withdrawn_has_ended() -> None:
    assert all(not MOVES[state] for state in [*DECIDED, State.WITHDRAWN])


def test_every_open_dispute_can_be_withdrawn() -> None:
    assert all(State.WITHDRAWN in moves for moves in MOVES.values() if moves)


def refusal(**changes: object) -> Unfit | None:
    plain = {"is_own": True, "locked_at": LOCKED, "has_open": False, "earlier": ()}
    asked = {**plain, "at": LOCKED + timedelta(days=1), "calendar": CALENDAR, **changes}
    return refusal_to_dispute(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"is_own": False}, Unfit.NOT_OWN),
        ({"locked_at": None}, Unfit.NOT_LOCKED),
        ({"has_open": True}, Unfit.OPEN_ALREADY),
        ({"at": LOCKED + timedelta(days=30)}, None),
        ({"at": LOCKED + timedelta(days=30, seconds=1)}, Unfit.TOO_LATE),
    ],
)
def test_a_line_can_be_disputed(changes: dict[str, object], why: Unfit | None) -> None:
    assert refusal(**changes) is why


@pytest.mark.parametrize(
    ("moment", "why"),
    [("2026-02-10 23:59", None), ("2026-02-11 00:00", Unfit.APPEAL_TOO_LATE)],
)
def test_a_re_appeal_comes_within_five_working_days(moment: str, why: Unfit | None) -> None:
    decided = Earlier(State.REJECTED, at("2026-02-03 17:00"), 7, is_appeal=False)
    assert refusal(earlier=[decided], at=at(moment)) is why


def test_there_is_one_re_appeal() -> None:
    decided = Earlier(State.REJECTED, LOCKED, 7, is_appeal=False)
    again = Earlier(State.PARTLY_UPHELD, LOCKED, 8, is_appeal=True)
    assert refusal(earlier=[decided, again]) is Unfit.DECIDED_TWICE


def test_one_that_was_withdrawn_does_not_count() -> None:
    gone = Earlier(State.WITHDRAWN, None, None, is_appeal=False)
    assert refusal(earlier=[gone]) is None


@pytest.mark.parametrize(
    ("person", "why"),
    [(1, Conflict.OWN), (2, Conflict.AUTHOR), (3, Conflict.SHARES), (4, Conflict.DECIDED_BEFORE),
     (5, None)],
)  # fmt: skip
def test_who_has_an_interest_does_not_decide(person: int, why: Conflict | None) -> None:
    found = conflict_of(person, disputer_id=1, author_ids={2}, sharing_ids={1, 3}, decided_ids={4})
    assert found is why


moments = st.integers(0, 60 * 24 * 60).map(
    lambda minutes: at("2026-01-05 00:00") + timedelta(minutes=minutes)
)


@given(st.lists(moments, min_size=4, max_size=4).map(sorted))
def test_a_pause_does_not_count(times: list[datetime]) -> None:
    start, paused, resumed, end = times
    clock = SlaClock(None, timedelta()).started(start).stopped(paused, CALENDAR)
    assert clock.due_at(Step.ALERT, CALENDAR) is None
    clock = clock.started(resumed).stopped(end, CALENDAR)
    elapsed = CALENDAR.elapsed
    spans = ((start, paused), (resumed, end))
    assert clock.worked == sum(
        (elapsed(ClockKind.OFFICE, since, until) for since, until in spans), timedelta()
    )


@given(start=moments, step=st.sampled_from([Step.ALERT, Step.ESCALATE]))
def test_a_step_is_due_when_its_hours_have_run(start: datetime, step: Step) -> None:
    clock = SlaClock(None, timedelta(minutes=30)).started(start)
    due = clock.due_at(step, CALENDAR)
    assert due is not None
    hours = 1 if step is Step.ALERT else 4
    assert clock.ran(due, CALENDAR) == timedelta(hours=hours)


def test_figures_without_cases_are_none() -> None:
    assert realisation({}).rate is None
    assert realisation({1: (-5, 0)}).rate is None
    assert closing([]).middle is None


def test_the_rate_is_the_mean_of_people_not_of_money() -> None:
    found = realisation({1: (100, 100), 2: (1_000_000, 0)})
    assert (found.rate, found.people) == (0.5, 2)


def test_closing_counts_those_within_the_target() -> None:
    found = closing([timedelta(hours=one) for one in (1, 2, 6)])
    assert (found.middle, found.mean, found.within) == (timedelta(hours=2), timedelta(hours=3), 2)
