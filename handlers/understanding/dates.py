"""Days and clock times as people say them, each day put together with its clock time."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain.activities import Moment
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.choices import Index
from handlers.understanding.clocks import Clock, find_clocks, may_hold_one
from handlers.understanding.days import IN_HOURS, READERS, Today
from handlers.understanding.spans import Found, longest_first

_INDEX = Index([pattern.pattern for pattern, _ in READERS])


def find_moments(text: str, now: datetime, calendar: WorkingCalendar) -> list[Found[Moment | None]]:
    """Every day or time said, past ones included, in the order of the text.

    A value of None is a day that does not exist or is too vague (2月30日, 25点, 过两天).
    """
    today = Today(now.astimezone(calendar.zone), calendar)
    days = longest_first(_matches(text, today))
    clocks = [clock for clock in find_clocks(text) if not _inside(clock, days)]
    return _joined(text, days, clocks, today)


def may_say_the_hour(text: str) -> bool:
    """Whether a moment of the text may have a clock time. Few have one, and this costs a fraction
    of finding them all."""
    return may_hold_one(text) or IN_HOURS.search(text) is not None


def _matches(text: str, today: Today) -> list[Found[Moment | None]]:
    found: list[Found[Moment | None]] = []
    for number in _INDEX.those_of(text):
        pattern, read = READERS[number]
        for match in pattern.finditer(text):
            try:
                moment = read(match, today)
            except (ValueError, OverflowError):
                moment = None
            found.append(Found(match.start(), match.end(), moment))
    return found


def _inside(clock: Clock, days: list[Found[Moment | None]]) -> bool:
    return any(clock.start < day.end and day.start < clock.end for day in days)


_BETWEEN_DAY_AND_CLOCK = re.compile(
    r"(?:那天|当天|的|,|，|\s|\(|\)|左右|大概|早上|上午|下午|晚上|一早|的时候|约个?会?|开始|补班|加班|(?:过?去|上门)\s)*"
)
_SAME_DAY_AGAIN = re.compile(r"[\s,(的就是也]{0,3}")
_CHOICE = re.compile(r"\s*(?:或者?|还是|要么|到|至|、|-|~|和|跟)\s*")
_AFTER = re.compile(r"(?:年|节|元旦|五一|端午|中秋|国庆)后$")
_BARE_WEEKDAY = re.compile(r"(?:周|星期|礼拜)\w")
_FURTHEST = 18
_ENDED = re.compile(r"[。;!?\n]|今天|刚|才|打了|聊了|谈了|去了|见了|到了|回来|一直")
"""Behind these another story begins."""
_PUT_RIGHT = re.compile(
    r"[,\s]*(?:(?:[啊哦呃额诶噢]+[,\s]*)?(?:不对|说错|写错|打错|记错|讲错|错|口误|更正)了?|[啊哦呃额诶噢]不)"
    r"[,\s]*(?:(?:应该是?|是)[,\s]*)?"
)
_TOLD = re.compile(r"[多来]?钟?(?:打|聊|见|去|谈|发|通|接|回|开)(?:的|了|完|过)(?!去)")
_UNTIL = re.compile(r"(?:\d|点|半|分)(?:[打聊谈开讲坐待]?到|-|~|至)$")
_CONTACT = re.compile(
    r"再|门口|楼下|等|出发|打|联系|见|去|拜访|开会|约|到|过来|回|碰|聊|提醒|电话|会议|演示|现场|前"
)


def _joined(
    text: str, days: list[Found[Moment | None]], clocks: list[Clock], today: Today
) -> list[Found[Moment | None]]:
    """Puts clock times with their days; a clock alone is today, if it is still to come."""
    result: list[Found[Moment | None]] = []
    left = list(clocks)
    for day in _merged(text, days):
        found = day
        for clock in left:
            between = text[day.end : clock.start]
            if 0 <= clock.start - day.end <= 6 and _BETWEEN_DAY_AND_CLOCK.fullmatch(between):
                found = _with_clock(day, clock, text)
                _share_clock(text, result, found)
                left.remove(clock)
                break
        result.append(found)
    for clock in left:
        if _is_over(text, clock) or not (clock.certain or _CONTACT.match(text, clock.end)):
            continue
        apart = _day_before(text, result, clock, today)
        if apart is None:
            result.append(Found(clock.start, clock.end, _today_at(clock, today)))
        else:
            result[result.index(apart)] = _with_clock(apart, clock, text)
    return sorted(result, key=lambda one: one.start)


def _day_before(
    text: str, days: list[Found[Moment | None]], clock: Clock, today: Today
) -> Found[Moment | None] | None:
    """The coming day that a clock time belongs to which stands apart from it.

    周五去看风场，我说好，八点门口等; or which it puts right: 周五十点，说错了，是两点.
    """
    before = [one for one in days if one.end <= clock.start]
    day = max(before, key=lambda one: one.end, default=None)
    if day is None or day.value is None or day.value.day <= today.day:
        return None
    between = text[day.end : clock.start]
    if day.value.clock is not None:
        return day if _PUT_RIGHT.fullmatch(between) else None
    apart = len(between) <= _FURTHEST and _ENDED.search(between) is None
    return day if apart and not _CHOICE.fullmatch(between) else None


def _is_over(text: str, clock: Clock) -> bool:
    """九点多打的, 16:05打到16:20: when something was, not when it will be."""
    return bool(_TOLD.match(text, clock.end) or _UNTIL.search(text[: clock.start]))


def _share_clock(
    text: str, earlier: list[Found[Moment | None]], found: Found[Moment | None]
) -> None:
    """周三还是周四9点: the clock time of the last choice holds for the first as well."""
    before = earlier[-1] if earlier else None
    if before is None or before.value is None or found.value is None:
        return
    if before.value.clock is None and _CHOICE.fullmatch(text, before.end, found.start):
        earlier[-1] = before._replace(value=Moment(before.value.day, found.value.clock))


def _merged(text: str, days: list[Found[Moment | None]]) -> list[Found[Moment | None]]:
    """下周三(25号), 25号周四, 年后26号: one day said in two ways is one; the date proper wins."""
    merged: list[Found[Moment | None]] = []
    for day in days:
        before = merged[-1] if merged else None
        if before is not None and before.end == day.start and _AFTER.search(text, 0, before.end):
            merged[-1] = day._replace(start=before.start)
        elif before is None or not _same_day(text, before, day):
            merged.append(day)
        elif _BARE_WEEKDAY.fullmatch(text, before.start, before.end):
            merged[-1] = day._replace(start=before.start)
        else:
            merged[-1] = before._replace(end=day.end)
    return merged


def _same_day(text: str, one: Found[Moment | None], other: Found[Moment | None]) -> bool:
    return (
        one.value is not None
        and other.value is not None
        and one.value.day.weekday() == other.value.day.weekday()
        and _SAME_DAY_AGAIN.fullmatch(text, one.end, other.start) is not None
    )


def _with_clock(day: Found[Moment | None], clock: Clock, text: str) -> Found[Moment | None]:
    at = clock.at
    evening = (
        text[day.start : day.end].endswith(("晚", "夜")) or "晚" in text[day.end : clock.start]
    )
    afternoon = "下午" in text[day.end : clock.start]
    if at is not None and at.hour < 12 and (evening or afternoon):
        at = at.replace(hour=at.hour + 12)
    value = None if day.value is None or at is None else Moment(day.value.day, at)
    return Found(day.start, clock.end, value)


def _today_at(clock: Clock, today: Today) -> Moment | None:
    return None if clock.at is None else Moment(today.day, clock.at)
