"""Deadlines: what an action still owes (the minutes of a visit, fields, files), when its rep is
reminded, and when it is locked. Reopening a locked one is the supervisor's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.activities import Activity, Intent, Moment
from bot.domain.calendar import WorkingCalendar
from bot.domain.drafting import starts_at
from bot.domain.library import ActionLibrary
from bot.domain.policy import ActionPolicy
from bot.domain.valid_actions import Invalid


class Awaited(StrEnum):
    """What is missing."""

    MINUTES = "minutes"  # a visit was booked, and its hour came
    FIELDS = "fields"  # the record lacks fields or files
    LATE = "late"  # the record is whole and came too late: only the supervisor's word


class DeadlineState(StrEnum):
    """Whether something is still owed."""

    OPEN = "open"
    LOCKED = "locked"
    DONE = "done"
    DROPPED = "dropped"  # taken back, or the visit did not take place


@dataclass(frozen=True, slots=True)
class Deadline:
    """What one entry of the stream still owes. Times in UTC.

    activity_id: the entry; there is one deadline for each at most. acted_at: when the entry's
    action was. since: what the hours count from: the action, the hour of the booked visit, or
    the reopening. hours: till the lock, on the working clock of the policy. step: how many of
    the reminders are over. due_at: when something is to be done, None: nothing more.
    reopened_at: the supervisor's word, after which a record counts although late.
    locked_at: of the present lock.
    account_name, title: as read, for people.
    """

    id: int
    activity_id: int
    account_id: int
    opportunity_id: int | None
    person_id: int
    awaited: Awaited
    state: DeadlineState
    acted_at: datetime
    since: datetime
    hours: int
    step: int = 0
    due_at: datetime | None = None
    reopened_at: datetime | None = None
    locked_at: datetime | None = None
    account_name: str = ""
    title: str = ""

    @property
    def reopened(self) -> bool:
        return self.state is DeadlineState.OPEN and self.reopened_at is not None

    def shows(self, at: datetime) -> bool:
        """Whether it is owed already: nobody owes the minutes of a visit to come."""
        return self.state is DeadlineState.LOCKED or self.since <= at


def deadline_of(
    entry: Activity,
    library: ActionLibrary,
    policy: ActionPolicy,
    calendar: WorkingCalendar,
    *,
    at: datetime,
) -> Deadline | None:
    """What a stored entry owes from now on; None: nothing."""
    unit = library.unit(entry.unit)
    if unit is None or not unit.counts:
        return None
    blank = Deadline(
        id=0,
        activity_id=entry.id,
        account_id=entry.account_id,
        opportunity_id=entry.opportunity_id,
        person_id=entry.actor_id or 0,
        awaited=Awaited.FIELDS,
        state=DeadlineState.OPEN,
        acted_at=entry.occurred_at,
        since=entry.occurred_at,
        hours=unit.deadline_h or policy.late_hours,
    )
    if entry.invalid_reason == Invalid.LOCKED:
        return replace(blank, awaited=Awaited.LATE, state=DeadlineState.LOCKED, locked_at=at)
    if entry.invalid_reason == Invalid.MISSING_FIELDS:
        return planned(blank, policy, calendar, at=at)
    visit_at = _booked_for(entry, unit.intent, calendar.zone)
    if visit_at is None:
        return None
    visit = next((one for one in library.units if one.intent is Intent.LOG_VISIT), unit)
    owed = replace(
        blank, awaited=Awaited.MINUTES, since=visit_at, hours=visit.deadline_h or policy.late_hours
    )
    return planned(owed, policy, calendar, at=at)


def planned(
    deadline: Deadline, policy: ActionPolicy, calendar: WorkingCalendar, *, at: datetime
) -> Deadline:
    """With the next reminder, or the lock, that is still to come after `at`. What was missed
    meanwhile is passed over: one word is enough."""
    moments = step_moments(deadline, policy, calendar)
    step = next((n for n, moment in enumerate(moments) if moment > at), len(moments) - 1)
    return replace(deadline, step=step, due_at=moments[step])


def step_moments(
    deadline: Deadline, policy: ActionPolicy, calendar: WorkingCalendar
) -> tuple[datetime, ...]:
    """When each reminder is due, and last the lock."""
    hours = [hour for hour in policy.remind_after_h if hour < deadline.hours]
    return tuple(
        calendar.add(policy.late_clock, deadline.since, timedelta(hours=hour))
        for hour in (*hours, deadline.hours)
    )


def locks_at(deadline: Deadline, policy: ActionPolicy, calendar: WorkingCalendar) -> datetime:
    return calendar.add(policy.late_clock, deadline.since, timedelta(hours=deadline.hours))


def words_at(
    deadline: Deadline, policy: ActionPolicy, calendar: WorkingCalendar
) -> tuple[datetime, ...]:
    """When its rep is told of it by itself: each reminder and the lock, or the lock it is under."""
    if deadline.locked_at is not None:
        return (deadline.locked_at,)
    return step_moments(deadline, policy, calendar)


def _booked_for(entry: Activity, intent: Intent, zone: ZoneInfo) -> datetime | None:
    """The hour of a visit that was booked, or moved, with all that a booking needs."""
    booked = entry.valid or entry.invalid_reason == Invalid.VISIT_MOVED
    said = entry.slots.get("next_contact")
    if intent is not Intent.BOOK_VISIT or not booked or not isinstance(said, str):
        return None
    return starts_at(Moment.parse(said), zone)
