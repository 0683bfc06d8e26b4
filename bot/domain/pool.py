"""When a customer that nobody works on goes to the public pool, and when its owner is warned.

Whole working days are counted, as lights count them. Nobody loses a customer without a warning:
where one is late, because the rule was switched on late, the customer goes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import WorkingCalendar
from bot.domain.policy import CustomerPolicy

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Idle:
    """A customer and how long nobody has worked on it. Times in UTC.

    since: of the last valid action, or since the owner has it. exempt: something was won or is
    on hold. away_until: the owner's leave.
    """

    account_id: int
    name: str
    owner_id: int
    since: datetime
    warned_at: datetime | None = None
    exempt: bool = False
    away_until: datetime | None = None


class Fate(StrEnum):
    """What becomes of a customer on whom nobody works."""

    STAY = "stay"
    WARN = "warn"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class PoolJudgement:
    """A customer judged at a moment, for the public pool. fate: what is due now. next_at: when to
    look again, None for what goes to the pool. pool_on: for a warning, the day on which it will
    go."""

    fate: Fate
    next_at: datetime | None
    pool_on: date | None = None


def judge_idle(
    idle: Idle, *, policy: CustomerPolicy, calendar: WorkingCalendar, at: datetime
) -> PoolJudgement:
    """Where `pool_after_workdays` is not 0."""
    today = calendar.day_of(at)
    if idle.away_until is not None and at < idle.away_until:
        return PoolJudgement(Fate.STAY, idle.away_until)
    if idle.exempt:
        later = calendar.add_workdays(today, policy.pool_after_workdays)
        return PoolJudgement(Fate.STAY, _opening(later, calendar))
    since = calendar.day_of(idle.since)
    pool_on = calendar.add_workdays(since, policy.pool_after_workdays) + _DAY
    notice = policy.pool_warn_workdays
    warned = idle.warned_at is not None and idle.warned_at >= idle.since
    if not warned:
        warn_on = calendar.add_workdays(since, policy.pool_after_workdays - notice) + _DAY
        if at < _opening(warn_on, calendar):
            return PoolJudgement(Fate.STAY, _opening(warn_on, calendar))
        pool_on = max(pool_on, calendar.add_workdays(today, notice))
        pool_on = calendar.workday_from(pool_on)
        return PoolJudgement(Fate.WARN, _opening(pool_on, calendar), pool_on)
    assert idle.warned_at is not None
    pool_on = max(pool_on, calendar.add_workdays(calendar.day_of(idle.warned_at), notice))
    if at < _opening(pool_on, calendar):
        return PoolJudgement(Fate.STAY, _opening(pool_on, calendar))
    return PoolJudgement(Fate.POOL, None)


def _opening(day: date, calendar: WorkingCalendar) -> datetime:
    return calendar.moment(calendar.workday_from(day), calendar.opens)
