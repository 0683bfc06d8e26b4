"""Who was where when (打卡、考勤、签到): facts by person and day, and what bonuses ask of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum


class CheckInKind(StrEnum):
    """What a record of attendance is of."""

    ON = "on"  # to work
    OFF = "off"
    OUTSIDE = "outside"  # on the way, at a place of one's own choice
    VISIT = "visit"  # 签到 of DingTalk


AT_A_CUSTOMER = frozenset({CheckInKind.OUTSIDE, CheckInKind.VISIT})
LATE, EARLY, MISSING, ABSENT = "late", "early", "missing", "absent"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One record as the platform tells it now. key: the same over corrections. day: the working
    day it counts for. at: None where nobody checked in. trouble: LATE, EARLY, MISSING, ABSENT, or
    the platform's own words; "" where there is none."""

    platform: str
    user_id: str
    key: str
    day: date
    kind: CheckInKind
    at: datetime | None
    trouble: str = ""
    place: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What stands of a record. id: of its row; 0: not kept yet."""

    id: int
    person_id: int
    check_in: CheckIn
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class MonthOfAttendance:
    """What is known of one person's month. days: on which they came to work or checked in
    outside. visits: check-ins outside."""

    days: int = 0
    late: int = 0
    early: int = 0
    absent: int = 0
    visits: int = 0


def day_of(at: datetime, planned_at: datetime | None, *, zone: tzinfo, starts: time) -> date:
    """The working day that a record counts for: of its shift, else the local day, which begins at
    `starts`: who clocks out after midnight ends the day before."""
    if planned_at is not None:
        return planned_at.astimezone(zone).date()
    local = at.astimezone(zone)
    before = timedelta(days=1) if local.time() < starts else timedelta(0)
    return local.date() - before


def corrections(
    known: Mapping[str, Fact], told: Iterable[CheckIn]
) -> tuple[list[CheckIn], list[Fact]]:
    """(what is new or different, what no longer stands). known: by key, of the people and days
    that `told` is everything of."""
    now = {one.key: one for one in told}
    new = [one for key, one in now.items() if key not in known or known[key].check_in != one]
    ended = [fact for key, fact in known.items() if key not in now or now[key] != fact.check_in]
    return new, ended


def month_of(facts: Iterable[Fact]) -> MonthOfAttendance:
    """Late, early and absent are days: two records of one day are one."""
    by_day: dict[date, set[str]] = defaultdict(set)
    there: set[date] = set()
    visits = 0
    for fact in facts:
        one = fact.check_in
        by_day[one.day].add(one.trouble)
        if one.at is not None and one.trouble not in (MISSING, ABSENT):
            there.add(one.day)
            visits += one.kind in AT_A_CUSTOMER
    missing = {day for day, troubles in by_day.items() if troubles & {MISSING, ABSENT}}
    return MonthOfAttendance(
        days=len(there),
        late=sum(LATE in troubles for troubles in by_day.values()),
        early=sum(EARLY in troubles for troubles in by_day.values()),
        absent=len(missing - there),
        visits=visits,
    )


def visits_to(facts: Sequence[Fact], account_ids: Collection[int]) -> int:
    return sum(
        fact.account_id in account_ids
        for fact in facts
        if fact.check_in.kind in AT_A_CUSTOMER and fact.check_in.at is not None
    )
