"""Valid actions: which entries of the stream count as progress with a customer, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.activities import Activity, Grade, Intent, Moment
from bot.domain.calendar import WorkingCalendar
from bot.domain.drafting import missing_slots, starts_at
from bot.domain.library import ActionLibrary, ActionUnit
from bot.domain.policy import ActionPolicy


class Invalid(StrEnum):
    """Why an action does not count. Worded in handlers/texts/alerts.py."""

    NOT_COUNTED = "not_counted"  # the unit never counts
    FUTURE_DATED = "future_dated"
    LOCKED = "locked"  # recorded too late; the supervisor may unlock it
    MISSING_FIELDS = "missing_fields"
    UNPROVEN = "unproven"  # less evidence than the unit asks for
    NOT_CONNECTED = "not_connected"
    TOO_SHORT = "too_short"
    SAME_CALL = "same_call"
    SAME_FILE = "same_file"  # one file for many customers is not made for this one
    NO_CLOCK = "no_clock"  # a visit needs an hour
    VISIT_PAST = "visit_past"
    VISIT_MOVED = "visit_moved"  # the same visit, at another time


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """An action as it is to be recorded.

    slots: as in `Activity.slots`. files: SHA-256 -> media type. proven: the platform itself
    has it (call record, archived message). unlocked: the supervisor lets it be late.
    """

    occurred_at: datetime
    recorded_at: datetime
    slots: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    proven: bool = False
    unlocked: bool = False

    @property
    def duration(self) -> timedelta:
        minutes = self.slots.get("duration_min")
        return timedelta(minutes=minutes if isinstance(minutes, int) else 0)


@dataclass(frozen=True, slots=True)
class EarlierFacts:
    """What was recorded before with the same customer.

    calls: (when, how long) of each connected call. visit_pending: a visit is booked and was
    not held yet. file_customers: SHA-256 -> how many other customers got that file.
    """

    calls: tuple[tuple[datetime, timedelta], ...] = ()
    visit_pending: bool = False
    file_customers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action counts. reason: why not. missing: labels of what is lacking.

    late: recorded past the unit's hours, unlocked or not.
    """

    valid: bool
    grade: Grade
    reason: Invalid | None = None
    late: bool = False
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Not to be recorded at all, rather than recorded and not counted."""
        return self.reason is Invalid.FUTURE_DATED


def judge(
    unit: ActionUnit,
    facts: ActionFacts,
    earlier: EarlierFacts,
    policy: ActionPolicy,
    calendar: WorkingCalendar,
) -> Verdict:
    """Whether the action counts as valid; the first reason against it if not."""
    late = _is_late(unit, facts, policy, calendar)
    missing = missing_slots(unit, facts.slots, list(facts.files.values()))
    reason = _reason_against(unit, facts, late=late, missing=bool(missing))
    if reason is None:
        reason = _reason_by_kind(unit, facts, earlier, policy, calendar.zone)
    return Verdict(
        valid=reason is None,
        grade=_grade(facts),
        reason=reason,
        late=late,
        missing=tuple(slot.label for slot in missing),
    )


def earlier_facts(
    activities: Iterable[Activity],
    library: ActionLibrary,
    *,
    file_customers: Mapping[str, int] | None = None,
) -> EarlierFacts:
    """What the customer's stream says, in any order, what was taken back left out."""
    stream = sorted(activities, key=lambda activity: (activity.occurred_at, activity.id))
    retracted = {activity.retracts_id for activity in stream}
    calls: list[tuple[datetime, timedelta]] = []
    visit_pending = False
    for activity in stream:
        unit = library.unit(activity.unit)
        if unit is None or activity.id in retracted:
            continue
        if unit.intent is Intent.LOG_CALL and activity.valid:
            calls.append((activity.occurred_at, _duration(activity)))
        elif unit.intent is Intent.LOG_VISIT:
            visit_pending = False
        elif unit.intent is Intent.BOOK_VISIT and activity.valid:
            visit_pending = True
    return EarlierFacts(tuple(calls), visit_pending, file_customers or {})


def _reason_against(
    unit: ActionUnit, facts: ActionFacts, *, late: bool, missing: bool
) -> Invalid | None:
    if facts.occurred_at > facts.recorded_at:
        return Invalid.FUTURE_DATED
    if not unit.counts:
        return Invalid.NOT_COUNTED
    if facts.slots.get("connected") is False:
        return Invalid.NOT_CONNECTED
    if missing:
        return Invalid.MISSING_FIELDS
    if _grade(facts) < unit.grade:
        return Invalid.UNPROVEN
    return Invalid.LOCKED if late and not facts.unlocked else None


def _reason_by_kind(
    unit: ActionUnit,
    facts: ActionFacts,
    earlier: EarlierFacts,
    policy: ActionPolicy,
    zone: ZoneInfo,
) -> Invalid | None:
    if unit.intent is Intent.LOG_CALL:
        return _reason_against_call(unit, facts, earlier, policy)
    if unit.intent is Intent.LOG_PROPOSAL:
        return _reason_against_proposal(facts, earlier, policy)
    if unit.intent is Intent.BOOK_VISIT:
        return _reason_against_booking(facts, earlier, zone)
    return None


def _reason_against_call(
    unit: ActionUnit, facts: ActionFacts, earlier: EarlierFacts, policy: ActionPolicy
) -> Invalid | None:
    least_s = policy.call_min_s if unit.min_duration_s is None else unit.min_duration_s
    if facts.duration < timedelta(seconds=least_s):
        return Invalid.TOO_SHORT
    for began, lasted in earlier.calls:
        if abs(facts.occurred_at - began) < max(lasted, facts.duration):
            return Invalid.SAME_CALL
    return None


def _reason_against_proposal(
    facts: ActionFacts, earlier: EarlierFacts, policy: ActionPolicy
) -> Invalid | None:
    """A proposal is custom as long as one of its files is."""
    customers = [earlier.file_customers.get(sha256, 0) + 1 for sha256 in facts.files]
    if customers and min(customers) >= policy.same_file_customers:
        return Invalid.SAME_FILE
    return None


def _reason_against_booking(
    facts: ActionFacts, earlier: EarlierFacts, zone: ZoneInfo
) -> Invalid | None:
    moment = Moment.parse(str(facts.slots["next_contact"]))
    if moment.clock is None:
        return Invalid.NO_CLOCK
    if starts_at(moment, zone) <= facts.occurred_at:
        return Invalid.VISIT_PAST
    return Invalid.VISIT_MOVED if earlier.visit_pending else None


def _is_late(
    unit: ActionUnit, facts: ActionFacts, policy: ActionPolicy, calendar: WorkingCalendar
) -> bool:
    waited = calendar.elapsed(policy.late_clock, facts.occurred_at, facts.recorded_at)
    return waited > timedelta(hours=unit.deadline_h or policy.late_hours)


def _grade(facts: ActionFacts) -> Grade:
    if facts.proven:
        return Grade.PLATFORM_PROVEN
    return Grade.FILE_ATTACHED if facts.files else Grade.SELF_REPORTED


def _duration(activity: Activity) -> timedelta:
    minutes = activity.slots.get("duration_min")
    return timedelta(minutes=minutes if isinstance(minutes, int) else 0)
