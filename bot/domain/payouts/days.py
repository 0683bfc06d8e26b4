"""Local days, months and quarters. Payout files count days in Asia/Shanghai, which has had
one offset since 1991, so no table of zones is read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))

_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def local_day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def month_of(moment: datetime) -> tuple[int, int]:
    """(year, month), local."""
    day = local_day(moment)
    return day.year, day.month


def midnight(day: date) -> datetime:
    """The local midnight at which `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def to_moment(text: str) -> datetime:
    """ISO 8601, in UTC; without an offset it is local time, without a time the day's
    beginning. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if not 1991 < moment.year < 9999:
        raise ValueError(f"year {moment.year} is out of range")
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def to_month(text: str) -> tuple[int, int]:
    """2026-03 -> (2026, 3). Raises ValueError."""
    found = _MONTH.fullmatch(text)
    if not found or not 1 <= int(found[2]) <= 12:
        raise ValueError(f"{text!r} is no month such as 2026-03")
    return int(found[1]), int(found[2])


def month_end(month: tuple[int, int]) -> datetime:
    """The local midnight at which the month is over."""
    year, number = month
    return midnight(date(year + number // 12, number % 12 + 1, 1))


def to_quarter(text: str) -> str:
    """2026Q1 or 2026-Q1 -> 2026Q1. Raises ValueError."""
    found = _QUARTER.fullmatch(text)
    if not found or not 1991 < int(found[1]) < 9999:
        raise ValueError(f"{text!r} is no quarter such as 2026Q1")
    return f"{found[1]}Q{found[2]}"


def quarter_bounds(quarter: str) -> tuple[datetime, datetime]:
    """[beginning, end) of 2026Q1, as local midnights."""
    year, number = int(quarter[:4]), int(quarter[5])
    return midnight(date(year, 3 * number - 2, 1)), month_end((year, 3 * number))
