"""Until when a light or reminder is to be quiet: 缓两天, 静音到周五."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from bot.domain.calendar import WorkingCalendar
from handlers.understanding.dates import find_moments
from handlers.understanding.numbers import SMALL, to_lower_number

_FOR = re.compile(rf"(?P<count>{SMALL})个?(?P<unit>工作日|天|日|周|星期|礼拜)")
_QUIET = re.compile(r"缓|静音|停|关|别|不要|免|不用|暂|延|到(?!了|账)|至")
_HALF_MONTH = re.compile(r"半个?月")


def find_until(text: str, now: datetime, calendar: WorkingCalendar) -> date | None:
    """The last quiet day, None when the text names none."""
    span = _FOR.search(text)
    if span:
        return _later(span, now.date(), calendar)
    moments = [one.value for one in find_moments(text, now, calendar) if one.value]
    coming = [moment.day for moment in moments if moment.day >= now.date()]
    if coming and _QUIET.search(text):
        return coming[-1]
    return now.date() + timedelta(days=15) if _HALF_MONTH.search(text) else None


def _later(span: re.Match[str], today: date, calendar: WorkingCalendar) -> date | None:
    count = to_lower_number(span["count"])
    if count is None or not 0 < count <= 365:
        return None
    if span["unit"] == "工作日":
        return calendar.add_workdays(today, int(count))
    return today + timedelta(days=int(count) * (1 if span["unit"] in ("天", "日") else 7))
