"""How long a call or visit took, in whole minutes, rounded down."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

from handlers.understanding.choices import Index
from handlers.understanding.clocks import find_clocks
from handlers.understanding.numbers import HAN, SMALL, to_lower_number, to_number
from handlers.understanding.spans import Found, choose, longest_first

_WHOLE = rf"(?<![\d.{HAN}])"
"""The tail of a longer number is no number of minutes."""

_MORE = r"(?P<more>多|来|几|\+)?"
_HOURS = re.compile(
    rf"{_WHOLE}(?:(?P<hours>{SMALL})(?:个(?!把))?)?(?P<half>半)?(?:拉|啦)?个?{_MORE}\s?个?(?:小时|钟头|"
    rf"(?<=个)钟|(?<=半)钟|h(?![a-z]))"
    rf"(?P<and_half>半)?[零又]?(?:(?P<minutes>{SMALL})(?:分钟?|min|(?<=[时头钟]零[一二三四五六七八九5])(?![\d点号月日万千百块元wk%:年.个家人台套])|(?<=[时头零][1-5]\d)(?![\d点号月日万千百块元wk%:年.个家人台套]))|(?P<quarter>一刻|三刻))?"
)
_ABOUT_AN_HOUR = re.compile(r"[个成](?:把|个)(?:小时|钟头|钟)")
_QUARTERS = re.compile(r"(?<![点\d])(?P<count>[一二两三123])刻钟")
_MINUTES = re.compile(
    rf"{_WHOLE}(?P<count>{SMALL}){_MORE}\s?个?(?:分钟|分半|分(?=\d{{1,2}}秒|[一二三四五六七八九十]+秒)"
    rf"|min(?:s|utes?)?|分(?![公部析销期钱之店享给发包数成标项没不都也毛]))"
    r"(?:零?(?:\d{1,2}|[一二三四五六七八九十]{1,3})秒)?"
)
_SECONDS = re.compile(rf"{_WHOLE}(?P<count>{SMALL})(?P<more>多|来|几)?秒钟?")
_PRIMES = re.compile(r"(?<![\d.])(?P<count>\d{1,3})['′’](?:[0-5]?\d(?:\"|″|”|''))?")
_STOPWATCH = re.compile(r"(?<![\d:])(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d):[0-5]\d(?![\d:])")
_SHORT_STOPWATCH = re.compile(
    r"(?:通话|时长|录音|聊了|打了|讲了|谈了)\D{0,4}?(?P<minutes>\d{1,3}):[0-5]\d(?![\d:])"
)
_BELOW_BEFORE = re.compile(r"(?:不到|没到|不足|不满|未满|少于|还没|没有|没|未到)\s*$")
_BELOW_AFTER = re.compile(r"\s*(?:都|还)?(?:不到|没到|不足|不满)")
_ABOUT = re.compile(r"(?:大概|大约|差不多|约|估计|左右|上下)")
_NO_DURATION_AFTER = re.compile(
    r"\s*(?:之?后|以后|过后|之?内|以内|之?前|一次|的会|的时间|的演示|车程)"
)
_NO_DURATION_BEFORE = re.compile(
    r"(?:(?:等|堵|迟到|开车|路上|车程|排队|晚到|早到|提前|延后|推迟|每天|给我|再给)了?\D{0,2}"
    r"|(?<!大)约个?|预约|要|需要|还差|几)$"
)
_LONGEST_MIN = 24 * 60
_HALF_DAY_MIN = 12 * 60
_UNTIL = re.compile(r"(?:一直|开始)?(?:聊|讲|谈|打|开|坐|待|转|忙|做|弄|干|说|开会)到")
_FROM = re.compile(r"从[^,。;!?]{0,2}$")
_BARE_UNTIL = re.compile(r"(?:一直)?到")


def find_durations(text: str) -> list[Found[int]]:
    """Durations that were spent, in the order of the text; "30分钟后" is none."""
    found: list[Found[int]] = []
    for number in _INDEX.those_of(text):
        pattern, read = _READERS[number]
        for match in pattern.finditer(text):
            minutes = read(match)
            if minutes is not None and _was_spent(text, match):
                found.append(_found(text, match, minutes))
    found += _from_to(text)
    return [one for one in longest_first(found) if one.value <= _LONGEST_MIN]


def _from_to(text: str) -> list[Found[int]]:
    """从两点讲到三点半: from one clock time to another."""
    if "到" not in text:
        return []
    found: list[Found[int]] = []
    for one, other in pairwise(find_clocks(text)):
        between = text[one.end : other.start].strip()
        bare = _BARE_UNTIL.fullmatch(between) and _FROM.search(text[: one.start])
        if one.at and other.at and (bare or _UNTIL.fullmatch(between)):
            start, end = (at.hour * 60 + at.minute for at in (one.at, other.at))
            minutes = (end - start) % _HALF_DAY_MIN
            if minutes:
                found.append(Found(one.start, other.end, minutes))
    return found


def find_duration(text: str) -> Found[int] | None:
    """The duration that counts after corrections."""
    return choose(text, find_durations(text))


def _was_spent(text: str, match: re.Match[str]) -> bool:
    return not (
        _NO_DURATION_AFTER.match(text, match.end())
        or _NO_DURATION_BEFORE.search(text[max(0, match.start() - 8) : match.start()])
    )


def _found(text: str, match: re.Match[str], minutes: int) -> Found[int]:
    before = text[max(0, match.start() - 4) : match.start()]
    below = _BELOW_BEFORE.search(before) or _BELOW_AFTER.match(text, match.end())
    about = _ABOUT.search(before) or _ABOUT.match(text, match.end())
    return Found(match.start(), match.end(), max(minutes - 1, 0) if below else minutes, bool(about))


def _hours(match: re.Match[str]) -> int | None:
    if not match["hours"] and not match["half"]:
        return None
    hours = to_lower_number(match["hours"]) if match["hours"] else Decimal(0)
    minutes = to_number(match["minutes"]) if match["minutes"] else Decimal(0)
    if hours is None or minutes is None:
        return None
    halves = bool(match["half"]) + bool(match["and_half"])
    quarters = {"一刻": 15, "三刻": 45}.get(match["quarter"] or "", 0)
    return int(hours * 60 + minutes) + 30 * halves + quarters


def _minutes(match: re.Match[str]) -> int | None:
    count = to_lower_number(match["count"])
    return None if count is None else int(count)


def _seconds(match: re.Match[str]) -> int | None:
    count = to_lower_number(match["count"])
    return None if count is None else int(count) // 60


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int | None]], ...] = (
    (_STOPWATCH, lambda match: int(match["hours"]) * 60 + int(match["minutes"])),
    (_SHORT_STOPWATCH, lambda match: int(match["minutes"])),
    (_HOURS, _hours),
    (_PRIMES, lambda match: int(match["count"])),
    (_ABOUT_AN_HOUR, lambda match: 60),
    (_QUARTERS, lambda match: {"一": 1, "三": 3, "3": 3, "1": 1}.get(match["count"], 2) * 15),
    (_MINUTES, _minutes),
    (_SECONDS, _seconds),
)
_INDEX = Index([pattern.pattern for pattern, _ in _READERS])
