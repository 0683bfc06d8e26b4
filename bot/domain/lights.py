"""Lights: how long a lead has been without a valid action, and what that means.

A light says that nothing happened; 停滞 says that much happened and the stage did not move.
From a light's rise to its end is one episode; pushes, acknowledgement and snooze belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import WorkingCalendar
from bot.domain.library import Stage
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from bot.domain.policy import LightPolicy

_DAY = timedelta(days=1)
_WITHOUT_LIGHTS = {OpportunityState.WON, OpportunityState.LOST, OpportunityState.INVALID}


@dataclass(frozen=True, slots=True)
class LeadStanding:
    """How a lead stands at one moment.

    gap_days: whole working days strictly between the day the count began and today.
    next_change_at: the first later moment, UTC, at which light or stuck may differ if
    nothing happens meanwhile; None: never.
    """

    light: Light
    stuck: bool
    gap_days: int
    next_change_at: datetime | None


@dataclass(frozen=True, slots=True)
class Episode:
    """One light from its rise to its end. Times in UTC.

    yellow_at: when it rose. acked_at, acked_by: of the present colour; turning red asks
    anew. snoozed_until: pushes wait till then. next_step, next_push_at: what is owed next
    if nobody acts.
    """

    opportunity_id: int
    number: int
    owner_id: int
    yellow_at: datetime
    red_at: datetime | None = None
    acked_at: datetime | None = None
    acked_by: int | None = None
    snoozed_until: datetime | None = None
    snooze_reason: str = ""
    next_step: str = ""
    next_push_at: datetime | None = None

    @property
    def light(self) -> Light:
        return Light.RED if self.red_at else Light.YELLOW

    def snoozed(self, at: datetime) -> bool:
        return self.snoozed_until is not None and at < self.snoozed_until


@dataclass(frozen=True, slots=True)
class Lead:
    """An opportunity with all that its light depends on. episode: the open one, if any."""

    opportunity: Opportunity
    owner_leave_until: datetime | None = None
    episode: Episode | None = None


class Move(StrEnum):
    """What becomes of a lead's episode when it is judged again."""

    STAY = "stay"
    OPEN = "open"
    REDDEN = "redden"
    CLEAR = "clear"
    REOPEN = "reopen"  # a late entry left a smaller gap: the old light ends, a new one rises


class Cleared(StrEnum):
    """Why an episode ended."""

    VALID_ACTION = "valid_action"
    BACKFILLED = "backfilled"  # 补录: the action lay before the light, the record after it
    REASSIGNED = "reassigned"
    CLOSED = "closed"  # won, lost, invalid
    PAUSED = "paused"  # on hold, or the owner on leave
    RECALCULATED = "recalculated"  # the calendar or the policy changed


MOVES: dict[tuple[Light | None, Light], Move] = {
    (None, Light.GREEN): Move.STAY,
    (None, Light.YELLOW): Move.OPEN,
    (None, Light.RED): Move.OPEN,
    (Light.YELLOW, Light.GREEN): Move.CLEAR,
    (Light.YELLOW, Light.YELLOW): Move.STAY,
    (Light.YELLOW, Light.RED): Move.REDDEN,
    (Light.RED, Light.GREEN): Move.CLEAR,
    (Light.RED, Light.YELLOW): Move.REOPEN,
    (Light.RED, Light.RED): Move.STAY,
}
"""(light of the open episode, light as judged) -> what to do."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A lead judged at a moment, and what follows for its episode."""

    lead: Lead
    standing: LeadStanding
    move: Move
    at: datetime
    reason: Cleared

    @property
    def ends(self) -> bool:
        """An episode ends here."""
        return self.move in (Move.CLEAR, Move.REOPEN)

    @property
    def rises(self) -> bool:
        """An episode begins here."""
        return self.move in (Move.OPEN, Move.REOPEN)

    @property
    def number(self) -> int:
        """Of the episode in force afterwards, or of the last one."""
        return self.lead.opportunity.episode + self.rises


def judge_lead(
    lead: Lead,
    *,
    policy: LightPolicy,
    calendar: WorkingCalendar,
    at: datetime,
    stage: Stage | None = None,
    reason: Cleared | None = None,
) -> Judgement:
    """Where the lead stands and what becomes of its episode. reason: why, should it end;
    without one it is read off the lead."""
    standing = judge_light(
        lead.opportunity,
        policy=policy,
        calendar=calendar,
        at=at,
        stage=stage,
        owner_leave_until=lead.owner_leave_until,
    )
    before = lead.episode.light if lead.episode else None
    move = MOVES[before, standing.light]
    return Judgement(lead, standing, move, at, reason or _why_dark(lead, at))


def judge_light(
    opportunity: Opportunity,
    *,
    policy: LightPolicy,
    calendar: WorkingCalendar,
    at: datetime,
    stage: Stage | None = None,
    owner_leave_until: datetime | None = None,
) -> LeadStanding:
    """How the opportunity stands at `at`.

    stage: of the action library, None for one it does not know (never stuck).
    owner_leave_until: of the owner; past or None means at work. The deputy covers meanwhile,
    and the count begins anew when a leave or a hold ends.
    """
    on_hold = opportunity.state is OpportunityState.ON_HOLD
    for_ever = on_hold and opportunity.hold_until is None
    if opportunity.state in _WITHOUT_LIGHTS or for_ever:
        return LeadStanding(Light.GREEN, stuck=False, gap_days=0, next_change_at=None)
    paused_until = _latest(opportunity.hold_until if on_hold else None, owner_leave_until)
    since = calendar.day_of(_count_since(opportunity, paused_until))
    stuck_at = _stuck_at(opportunity, stage, paused_until, calendar)
    gap = calendar.workdays_between(since, calendar.day_of(at))
    changes = [*_light_changes(since, policy, calendar), *([stuck_at] if stuck_at else [])]
    return LeadStanding(
        light=_light_of(gap, policy),
        stuck=stuck_at is not None and at >= stuck_at,
        gap_days=gap,
        next_change_at=min((change for change in changes if change > at), default=None),
    )


def _why_dark(lead: Lead, at: datetime) -> Cleared:
    if lead.opportunity.state in _WITHOUT_LIGHTS:
        return Cleared.CLOSED
    on_leave = lead.owner_leave_until is not None and at < lead.owner_leave_until
    if on_leave or lead.opportunity.state is OpportunityState.ON_HOLD:
        return Cleared.PAUSED
    if lead.episode is not None and lead.opportunity.assigned_at > lead.episode.yellow_at:
        return Cleared.REASSIGNED
    return Cleared.RECALCULATED


def _light_of(gap: int, policy: LightPolicy) -> Light:
    if gap > policy.red_days:
        return Light.RED
    return Light.YELLOW if gap >= policy.yellow_days else Light.GREEN


def _count_since(opportunity: Opportunity, paused_until: datetime | None) -> datetime:
    """A reassignment restarts the count: the new owner answers for their own days only."""
    since = _latest(opportunity.assigned_at, opportunity.last_valid_at, paused_until)
    assert since is not None
    return since


def _light_changes(
    since: date, policy: LightPolicy, calendar: WorkingCalendar
) -> Iterator[datetime]:
    yield _reached_at(since, policy.yellow_days, calendar)
    yield _reached_at(since, policy.red_days + 1, calendar)


def _stuck_at(
    opportunity: Opportunity,
    stage: Stage | None,
    paused_until: datetime | None,
    calendar: WorkingCalendar,
) -> datetime | None:
    """The mark counts every day in the stage, and is not shown during a pause."""
    if stage is None:
        return None
    since = calendar.day_of(opportunity.stage_since)
    return _latest(_reached_at(since, stage.stuck_days + 1, calendar), paused_until)


def _reached_at(since: date, gap_days: int, calendar: WorkingCalendar) -> datetime:
    """The midnight from which `gap_days` working days lie strictly between `since` and today:
    when the last of them is over, be the day after it worked or not."""
    return calendar.midnight(calendar.add_workdays(since, gap_days) + _DAY)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
