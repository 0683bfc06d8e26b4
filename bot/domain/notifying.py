"""Notifying: whom to tell about lights, when, grouped how; or the reason not to.

A light owes pushes in steps: yellow to the rep; red to rep and supervisor; unacknowledged,
the supervisor once more; on the next working day the supervisor's leader; then only the
daily digest. The decision is a pure function of what is owed and of the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from bot.domain.calendar import WorkingCalendar
from bot.domain.lights import Episode
from bot.domain.opportunities import Light
from bot.domain.policy import PushPolicy


class Step(StrEnum):
    """Which of the pushes of a light it is."""

    YELLOW = "yellow"
    RED = "red"
    REPEAT = "repeat"
    ESCALATE = "escalate"


class Reason(StrEnum):
    """Why somebody is told, or is not. Logged, and kept with a push that was dropped."""

    FIRST = "first"
    CHANGED = "changed"  # was yellow, is red
    REPEAT_DUE = "repeat_due"
    ESCALATED = "escalated"
    GROUPING = "grouping"  # more may come up within the group wait
    QUIET_HOURS = "quiet_hours"
    SNOOZED = "snoozed"
    MUTED = "muted"  # acknowledged
    SUPERSEDED = "superseded"  # a yellow push that a red one overtook
    CLEARED_BEFORE = "cleared_before"  # the light ended before its push could go out
    NOTHING_NEW = "nothing_new"


_REASON_OF_STEP = {
    Step.YELLOW: Reason.FIRST,
    Step.RED: Reason.CHANGED,
    Step.REPEAT: Reason.REPEAT_DUE,
    Step.ESCALATE: Reason.ESCALATED,
}


@dataclass(frozen=True, slots=True)
class Owed:
    """One push that one person is owed. send_at: the earliest moment, see `send_moment`.

    episode: the light it is about, None once it ended. gap_days: as of now.
    """

    push_id: int
    opportunity_id: int
    step: Step
    receiver_id: int
    send_at: datetime
    episode: Episode | None
    gap_days: int = 0


@dataclass(frozen=True, slots=True)
class Notification:
    """One card to one person. pushes: all it settles, most urgent first. What is beyond
    `PushPolicy.group_max` is counted on the card, not listed."""

    receiver_id: int
    reason: Reason
    pushes: tuple[Owed, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A push not sent. until: when to look again; None: dropped for good."""

    push: Owed
    reason: Reason
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is told what now, and what is not sent and why."""

    notifications: tuple[Notification, ...]
    silences: tuple[Silence, ...]


def decide(
    owed: Iterable[Owed], *, policy: PushPolicy, calendar: WorkingCalendar, at: datetime
) -> Decision:
    """What goes out at `at`. `owed`: what is due, and what is due within the group wait, so
    that it travels along."""
    notifications: list[Notification] = []
    silences: list[Silence] = []
    by_receiver = sorted(owed, key=lambda push: push.receiver_id)
    for receiver_id, group in groupby(by_receiver, key=lambda push: push.receiver_id):
        speaking: list[Owed] = []
        for push in group:
            silence = _silence(push, policy=policy, calendar=calendar, at=at)
            if silence is None:
                speaking.append(push)
            else:
                silences.append(silence)
        if any(push.send_at <= at for push in speaking):
            notifications.append(_notify(receiver_id, speaking))
        else:
            silences += [Silence(push, Reason.GROUPING, push.send_at) for push in speaking]
    return Decision(tuple(notifications), tuple(silences))


def first_allowed(at: datetime, *, policy: PushPolicy, calendar: WorkingCalendar) -> datetime:
    """The first moment from `at` on outside the quiet hours of a working day, in UTC."""
    local = calendar.local(at)
    day = local.date()
    if calendar.is_workday(day) and local.time() < policy.quiet_from:
        return max(at, calendar.moment(day, policy.quiet_until))
    return calendar.moment(calendar.next_workday(day), policy.quiet_until)


def send_moment(owed_at: datetime, *, policy: PushPolicy, calendar: WorkingCalendar) -> datetime:
    """When a push owed at `owed_at` goes out: after the group wait, unless the wait would
    carry it into the quiet hours."""
    allowed = first_allowed(owed_at, policy=policy, calendar=calendar)
    waited = max(allowed, owed_at + policy.group_wait)
    quiet = first_allowed(waited, policy=policy, calendar=calendar) > waited
    return allowed if quiet else waited


def repeat_moment(told_at: datetime, *, policy: PushPolicy, calendar: WorkingCalendar) -> datetime:
    """When to tell the supervisor again if nobody acknowledges."""
    return calendar.add(policy.repeat_clock, told_at, policy.repeat_after)


def escalate_moment(repeated_at: datetime, *, calendar: WorkingCalendar) -> datetime:
    """When to tell the supervisor's leader: as the office opens on the next working day."""
    day = calendar.next_workday(calendar.day_of(repeated_at))
    return calendar.moment(day, calendar.opens)


@dataclass(frozen=True, slots=True)
class DigestLead:
    """A lead whose light its receiver was told about before today."""

    receiver_id: int
    opportunity_id: int
    episode: Episode
    gap_days: int


@dataclass(frozen=True, slots=True)
class Digest:
    """One person's morning list, most urgent first. quiet: how many more are acknowledged
    or snoozed."""

    receiver_id: int
    leads: tuple[DigestLead, ...]
    quiet: int


def digest_for(leads: Sequence[DigestLead], at: datetime) -> Digest | Reason:
    """The digest of one receiver. All acknowledged or snoozed: NOTHING_NEW."""
    loud = [lead for lead in leads if not lead.episode.acked_at and not lead.episode.snoozed(at)]
    if not loud:
        return Reason.NOTHING_NEW
    loud.sort(key=lambda lead: _urgency(lead.episode, lead.gap_days, lead.opportunity_id))
    return Digest(leads[0].receiver_id, tuple(loud), quiet=len(leads) - len(loud))


def _silence(
    push: Owed, *, policy: PushPolicy, calendar: WorkingCalendar, at: datetime
) -> Silence | None:
    episode = push.episode
    if episode is None:
        return Silence(push, Reason.CLEARED_BEFORE, until=None)
    if push.step is Step.YELLOW and episode.light is Light.RED:
        return Silence(push, Reason.SUPERSEDED, until=None)
    if episode.acked_at and _may_mute(push, episode):
        return Silence(push, Reason.MUTED, until=None)
    if episode.snoozed_until and episode.snoozed(at):
        wakes = first_allowed(episode.snoozed_until, policy=policy, calendar=calendar)
        return Silence(push, Reason.SNOOZED, until=wakes)
    allowed = first_allowed(at, policy=policy, calendar=calendar)
    return Silence(push, Reason.QUIET_HOURS, until=allowed) if allowed > at else None


def _may_mute(push: Owed, episode: Episode) -> bool:
    """An acknowledgement ends the reminding. It must not keep a first red from anybody but
    the one who acknowledged, else a rep could keep it from the supervisor."""
    return push.step in (Step.REPEAT, Step.ESCALATE) or push.receiver_id == episode.acked_by


def _notify(receiver_id: int, pushes: Sequence[Owed]) -> Notification:
    urgent_first = sorted(
        pushes, key=lambda push: _urgency(push.episode, push.gap_days, push.opportunity_id)
    )
    highest = max((push.step for push in pushes), key=list(_REASON_OF_STEP).index)
    return Notification(receiver_id, _REASON_OF_STEP[highest], tuple(urgent_first))


def _urgency(episode: Episode | None, gap_days: int, opportunity_id: int) -> tuple[bool, int, int]:
    red = episode is not None and episode.light is Light.RED
    return not red, -gap_days, opportunity_id
