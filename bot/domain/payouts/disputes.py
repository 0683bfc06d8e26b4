"""Disputes about a line of a locked month: which steps are allowed, who may decide, and the office
clock that runs until the decision. In words: docs/payouts-in-chat.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import ClockKind, WorkingCalendar

WINDOW = timedelta(days=30)
"""After the statement, on the calendar."""
APPEAL_WORKDAYS = 5
ALERT_AFTER = timedelta(hours=1)
TARGET = timedelta(hours=2)
ESCALATE_AFTER = timedelta(hours=4)


class State(StrEnum):
    """Where a dispute stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REPORTED = "reported"  # the fact report is ready and with the arbiter
    IN_REVIEW = "in_review"
    ASKED = "asked"  # for more information: the clock stands still
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


DECIDED = frozenset({State.UPHELD, State.PARTLY_UPHELD, State.REJECTED})

MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.WITHDRAWN}),
    State.SUBMITTED: frozenset({State.REPORTED, State.WITHDRAWN}),
    State.REPORTED: frozenset({State.IN_REVIEW, State.ASKED, State.WITHDRAWN}) | DECIDED,
    State.IN_REVIEW: frozenset({State.ASKED, State.WITHDRAWN}) | DECIDED,
    State.ASKED: frozenset({State.IN_REVIEW, State.WITHDRAWN}),
    State.UPHELD: frozenset(),
    State.PARTLY_UPHELD: frozenset(),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


class Step(StrEnum):
    """What happens next while nobody decides."""

    ALERT = "alert"  # the arbiter is reminded
    ESCALATE = "escalate"  # whoever stands above hears of it
    NOTHING = ""


class Unfit(StrEnum):
    """Why a line cannot be disputed."""

    NOT_OWN = "not_own"
    NOT_LOCKED = "not_locked"
    TOO_LATE = "too_late"
    OPEN_ALREADY = "open_already"
    APPEAL_TOO_LATE = "appeal_too_late"
    DECIDED_TWICE = "decided_twice"


class Conflict(StrEnum):
    """Why somebody may not decide."""

    OWN = "own"
    AUTHOR = "author"  # wrote the rule
    SHARES = "shares"  # gets a part of the same contract
    DECIDED_BEFORE = "decided_before"  # a re-appeal goes to somebody else


@dataclass(frozen=True, slots=True)
class Earlier:
    """A dispute about the same line that has ended. is_appeal: it was a re-appeal itself."""

    state: State
    decided_at: datetime | None
    arbiter_id: int | None
    is_appeal: bool


@dataclass(frozen=True, slots=True)
class SlaClock:
    """How long a step of a dispute has run on the office clock. since: it runs since then, None
    while it stands still. worked: what it ran before."""

    since: datetime | None
    worked: timedelta

    def started(self, at: datetime) -> SlaClock:
        return self if self.since is not None else SlaClock(at, self.worked)

    def stopped(self, at: datetime, calendar: WorkingCalendar) -> SlaClock:
        return SlaClock(None, self.ran(at, calendar))

    def ran(self, at: datetime, calendar: WorkingCalendar) -> timedelta:
        """On the office clock, until `at`."""
        if self.since is None:
            return self.worked
        return self.worked + calendar.elapsed(ClockKind.OFFICE, self.since, at)

    def due_at(self, step: Step, calendar: WorkingCalendar) -> datetime | None:
        """When the step is due; None while the clock stands still, or nothing comes."""
        if self.since is None or step is Step.NOTHING:
            return None
        after = ALERT_AFTER if step is Step.ALERT else ESCALATE_AFTER
        return calendar.add(ClockKind.OFFICE, self.since, max(after - self.worked, timedelta()))


def refusal_to_dispute(
    *,
    is_own: bool,
    locked_at: datetime | None,
    has_open: bool,
    earlier: Collection[Earlier],
    at: datetime,
    calendar: WorkingCalendar,
) -> Unfit | None:
    """None when a dispute, or a re-appeal after a decision, may begin now."""
    if not is_own:
        return Unfit.NOT_OWN
    if locked_at is None:
        return Unfit.NOT_LOCKED
    if has_open:
        return Unfit.OPEN_ALREADY
    decided = [one for one in earlier if one.state in DECIDED and one.decided_at is not None]
    if not decided:
        return Unfit.TOO_LATE if at > locked_at + WINDOW else None
    if any(one.is_appeal for one in decided):
        return Unfit.DECIDED_TWICE
    last = max(one.decided_at for one in decided if one.decided_at is not None)
    last_day = calendar.add_workdays(calendar.day_of(last), APPEAL_WORKDAYS)
    late = calendar.day_of(at) > last_day
    return Unfit.APPEAL_TOO_LATE if late else None


def conflict_of(
    person_id: int,
    *,
    disputer_id: int,
    author_ids: Collection[int],
    sharing_ids: Collection[int],
    decided_ids: Collection[int],
) -> Conflict | None:
    """None when the person may decide. author_ids: who wrote the rule. sharing_ids: who else gets
    a part of the contract. decided_ids: who decided on the line before."""
    if person_id == disputer_id:
        return Conflict.OWN
    if person_id in author_ids:
        return Conflict.AUTHOR
    if person_id in sharing_ids:
        return Conflict.SHARES
    return Conflict.DECIDED_BEFORE if person_id in decided_ids else None


def may_move(state: State, to: State) -> bool:
    return to in MOVES[state]
