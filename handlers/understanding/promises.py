"""«下周定»: by when a customer is said to decide. A promise, and no evidence of anything."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.domain.calendar import WorkingCalendar

_PROMISE = re.compile(
    r"(?P<when>下下周|下周|这周|本周|下个?月底?|这个月底?|本月底?|月底|年底)"
    r"(?:之?前|内|里|就|肯定|一定|应该|大概|可能|基本|差不多|能|可以|会|要)*"
    r"(?P<what>定下?来?|签|下单|拍板|敲定|成交?|给答复)"
)


def read_promise(text: str, today: date, calendar: WorkingCalendar) -> tuple[str, date] | None:
    """(the words, the last working day of what they name), or None."""
    match = _PROMISE.search(text)
    if match is None:
        return None
    return match[0], _last_workday(_end_of(match["when"], today), calendar)


def _end_of(when: str, today: date) -> date:
    sunday = today + timedelta(days=6 - today.weekday())
    if when.endswith("周"):
        return sunday + timedelta(weeks={"下下周": 2, "下周": 1}.get(when, 0))
    if when == "年底":
        return date(today.year, 12, 31)
    first = today.replace(day=1)
    months = 2 if when.startswith("下") else 1
    for _ in range(months):
        first = (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1)


def _last_workday(day: date, calendar: WorkingCalendar) -> date:
    while not calendar.is_workday(day):
        day -= timedelta(days=1)
    return day
