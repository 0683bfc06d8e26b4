"""The official calendar, and tables of later years."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

from chinese_calendar.constants import Holiday, holidays, workdays

from bot.domain.calendar import NamedDay, WorkingCalendar
from bot.domain.policy import CalendarPolicy
from config.policy.table import ConfigError


def load_calendar(policy: CalendarPolicy | None = None) -> WorkingCalendar:
    """The official days of every year that the package chinese_calendar knows."""
    policy = policy or CalendarPolicy()
    chinese = {holiday.value: holiday.chinese for holiday in Holiday}
    days = [NamedDay(day, chinese[name], off=True) for day, name in holidays.items()]
    days += [NamedDay(day, chinese[name], off=False) for day, name in workdays.items()]
    empty = WorkingCalendar(
        zone=ZoneInfo(policy.zone), opens=policy.office_opens, closes=policy.office_closes
    )
    return empty.with_table(days, {day.year for day in holidays})


def read_holiday_table(text: str) -> tuple[int, tuple[NamedDay, ...]]:
    """An official table in the JSON shape of holiday-cn: its year, and its days.

    `{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}`.
    Raises ConfigError.
    """
    try:
        raw = json.loads(text)
        year = int(raw["year"])
        days = tuple(
            NamedDay(date.fromisoformat(item["date"]), str(item["name"]), bool(item["isOffDay"]))
            for item in raw["days"]
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        shape = '{"year": 2027, "days": [{"name", "date", "isOffDay"}]}'
        raise ConfigError(f"节假日表读不出来，应为 (expected) {shape}：{error!r}") from None
    if not days:
        raise ConfigError(f"节假日表 {year} 年没有内容 (no days): 放假通知可能还没发布")
    strange = [named.day for named in days if abs(named.day.year - year) > 1]
    if strange:
        raise ConfigError(f"节假日表 {year} 年里有别的年份的日期 (wrong year)：{strange[0]}")
    return year, days
