"""Whom to tell, when, and why not (B5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lights import Episode
from bot.domain.notifying import (
    Decision,
    Digest,
    DigestLead,
    Owed,
    Reason,
    Step,
    decide,
    digest_for,
    escalate_moment,
    first_allowed,
    repeat_moment,
    send_moment,
)
from bot.domain.policy import PushPolicy
from config.policy import load_calendar

CALENDAR = load_calendar()
POLICY = PushPolicy()
SHANGHAI = ZoneInfo("Asia/Shanghai")
REP, BOSS = 7, 8


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


NOON = at("2026-01-28T12:00")
YELLOW = Episode(1, 1, owner_id=REP, yellow_at=at("2026-01-26T00:00"))
RED = replace(YELLOW, red_at=at("2026-01-28T00:00"))


def owed(number: int = 1, step: Step = Step.RED, receiver: int = BOSS, **given: object) -> Owed:
    plain = Owed(
        push_id=number,
        opportunity_id=number,
        step=step,
        receiver_id=receiver,
        send_at=NOON,
        episode=YELLOW if step is Step.YELLOW else RED,
    )
    return replace(plain, **given)  # type: ignore[arg-type]


def decided(*pushes: Owed, when: datetime = NOON) -> Decision:
    return decide(pushes, policy=POLICY, calendar=CALENDAR, at=when)


def the_reason(decision: Decision) -> Reason:
    silent = [silence.reason for silence in decision.silences]
    loud = [notification.reason for notification in decision.notifications]
    (only,) = [*silent, *loud]
    return only


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ("2026-01-28T12:00", "2026-01-28T12:00"),
        ("2026-01-28T08:29", "2026-01-28T08:30"),
        ("2026-01-28T08:30", "2026-01-28T08:30"),
        ("2026-01-28T19:59", "2026-01-28T19:59"),
        ("2026-01-28T20:00", "2026-01-29T08:30"),
        ("2026-01-30T21:00", "2026-02-02T08:30"),  # Friday night
        ("2026-01-31T12:00", "2026-02-02T08:30"),  # Saturday
        ("2026-02-14T12:00", "2026-02-14T12:00"),  # make-up Saturday
        ("2026-02-15T00:00", "2026-02-24T08:30"),  # Spring Festival
    ],
)
def test_quiet_hours_and_days_off(moment: str, allowed: str) -> None:
    found = first_allowed(at(moment), policy=POLICY, calendar=CALENDAR)
    assert found == at(allowed)


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        ("2026-01-28T12:00", "2026-01-28T12:10"),
        ("2026-01-28T00:00", "2026-01-28T08:30"),  # waited all night
        ("2026-01-28T08:25", "2026-01-28T08:35"),
        ("2026-01-28T19:55", "2026-01-28T19:55"),  # waiting would carry it into the night
        ("2026-01-28T20:00", "2026-01-29T08:30"),
    ],
)
def test_the_group_wait_never_costs_a_night(moment: str, sent: str) -> None:
    assert send_moment(at(moment), policy=POLICY, calendar=CALENDAR) == at(sent)


minutes = st.integers(0, 300 * 24 * 60).map(
    lambda later: at("2026-01-01T00:00") + timedelta(minutes=later)
)


@given(minutes)
def test_a_push_goes_out_within_15_minutes_of_the_first_allowed_moment(moment: datetime) -> None:
    allowed = first_allowed(moment, policy=POLICY, calendar=CALENDAR)
    sent = send_moment(moment, policy=POLICY, calendar=CALENDAR)
    assert allowed <= sent < allowed + timedelta(minutes=15)
    local = sent.astimezone(SHANGHAI)
    assert CALENDAR.is_workday(local.date())
    assert time(8, 30) <= local.time() < time(20)


@pytest.mark.parametrize(
    ("told", "again", "above"),
    [
        ("2026-01-28T08:30", "2026-01-28T13:00", "2026-01-29T09:00"),
        ("2026-01-28T15:00", "2026-01-29T10:00", "2026-01-30T09:00"),
        ("2026-01-30T15:00", "2026-02-02T10:00", "2026-02-03T09:00"),
        ("2026-02-14T15:00", "2026-02-24T10:00", "2026-02-25T09:00"),
    ],
)
def test_the_steps_after_a_red(told: str, again: str, above: str) -> None:
    repeated = repeat_moment(at(told), policy=POLICY, calendar=CALENDAR)
    assert repeated == at(again)
    assert escalate_moment(repeated, calendar=CALENDAR) == at(above)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step.YELLOW, Reason.FIRST),
        (Step.RED, Reason.CHANGED),
        (Step.REPEAT, Reason.REPEAT_DUE),
        (Step.ESCALATE, Reason.ESCALATED),
    ],
)
def test_each_step_says_why(step: Step, reason: Reason) -> None:
    assert the_reason(decided(owed(step=step))) is reason


ACKED = replace(RED, acked_at=NOON, acked_by=REP)
SNOOZED = replace(RED, snoozed_until=at("2026-01-30T00:00"), snooze_reason="客户出差")


@pytest.mark.parametrize(
    ("push", "when", "reason", "until"),
    [
        (owed(episode=None), NOON, Reason.CLEARED_BEFORE, None),
        (owed(step=Step.YELLOW, episode=RED), NOON, Reason.SUPERSEDED, None),
        (owed(step=Step.REPEAT, episode=ACKED), NOON, Reason.MUTED, None),
        (owed(step=Step.ESCALATE, episode=ACKED), NOON, Reason.MUTED, None),
        (owed(receiver=REP, episode=ACKED), NOON, Reason.MUTED, None),
        (owed(episode=SNOOZED), NOON, Reason.SNOOZED, at("2026-01-30T08:30")),
        (owed(), at("2026-01-28T20:00"), Reason.QUIET_HOURS, at("2026-01-29T08:30")),
        (owed(), at("2026-01-28T11:59"), Reason.GROUPING, NOON),
        (owed(episode=None), at("2026-01-28T23:00"), Reason.CLEARED_BEFORE, None),
    ],
)
def test_reasons_to_keep_silent(
    push: Owed, when: datetime, reason: Reason, until: datetime | None
) -> None:
    decision = decided(push, when=when)
    assert the_reason(decision) is reason
    assert decision.silences[0].until == until


def test_a_rep_cannot_keep_a_first_red_from_the_supervisor() -> None:
    assert the_reason(decided(owed(episode=ACKED))) is Reason.CHANGED


def test_a_snooze_that_is_over_is_over() -> None:
    over = replace(RED, snoozed_until=NOON)
    assert the_reason(decided(owed(episode=over))) is Reason.CHANGED


def test_one_card_per_receiver_takes_what_is_almost_due_along() -> None:
    later = NOON + timedelta(minutes=9)
    decision = decided(owed(1), owed(2, send_at=later), owed(3, receiver=REP, send_at=later))
    (card,) = decision.notifications
    assert card.receiver_id == BOSS
    assert {push.push_id for push in card.pushes} == {1, 2}
    assert [silence.push.push_id for silence in decision.silences] == [3]


def test_a_snoozed_lead_does_not_travel_along() -> None:
    (card,) = decided(owed(1), owed(2, episode=SNOOZED)).notifications
    assert [push.push_id for push in card.pushes] == [1]


def test_the_most_urgent_stands_first_and_gives_the_reason() -> None:
    (card,) = decided(
        owed(1, step=Step.YELLOW, gap_days=4),
        owed(2, gap_days=6),
        owed(3, step=Step.REPEAT, gap_days=9),
    ).notifications
    assert [push.push_id for push in card.pushes] == [3, 2, 1]
    assert card.reason is Reason.REPEAT_DUE


receivers = st.lists(
    st.builds(
        owed,
        st.integers(1, 10_000),
        st.sampled_from([Step.YELLOW, Step.RED, Step.REPEAT, Step.ESCALATE]),
        st.integers(1, 4),
        episode=st.sampled_from([None, YELLOW, RED, ACKED, SNOOZED]),
        send_at=minutes,
    ),
    unique_by=lambda push: push.push_id,
)


@given(receivers, minutes)
def test_every_push_is_either_sent_or_silent_for_a_reason(
    pushes: list[Owed], when: datetime
) -> None:
    decision = decided(*pushes, when=when)
    sent = [push.push_id for card in decision.notifications for push in card.pushes]
    silent = [silence.push.push_id for silence in decision.silences]
    assert sorted(sent + silent) == sorted(push.push_id for push in pushes)
    for silence in decision.silences:
        assert silence.until is None or silence.until > when


def lead(number: int, episode: Episode = RED, gap_days: int = 6) -> DigestLead:
    return DigestLead(BOSS, number, episode, gap_days)


def test_the_digest_lists_the_loud_and_counts_the_quiet() -> None:
    found = digest_for([lead(1), lead(2, SNOOZED), lead(3, ACKED), lead(4, gap_days=8)], NOON)
    assert isinstance(found, Digest)
    assert [item.opportunity_id for item in found.leads] == [4, 1]
    assert found.quiet == 2


def test_a_digest_of_nothing_loud_is_not_sent() -> None:
    assert digest_for([lead(1, ACKED), lead(2, SNOOZED)], NOON) is Reason.NOTHING_NEW
