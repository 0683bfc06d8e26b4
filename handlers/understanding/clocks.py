"""Clock times as people say them: 下午3点, 两点半, 15:30."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from handlers.understanding.numbers import to_number

_PART = (
    r"(?:凌晨|早上|早晨|清早|朝早|上昼|一早|上午|中午|午间|正午|下午"
    r"|下昼|晏昼|下半天|午后|傍晚|晚上|晚间|夜里|晚|早|夜)"
)
_HOUR = r"(?:[0-9]{1,2}|二十[一二三四]?|十[一二三四五六七八九]?|[一二两三四五六七八九])"
_CLOCK = re.compile(
    rf"(?P<part>{_PART})?\s*(?<![\d第.:个])(?P<hour>{_HOUR})"
    rf"(?:(?::(?P<digits>[0-9]{{2}})(?![\d:]))"
    rf"|(?=\s?[ap]m(?![a-z]))|(?P<dot>点(?!儿|\d+万|[\d一二三四五六七八九]+[亿万折%]|[a-z])钟?|(?<=\d)时(?!间"
    rf"|候|长))(?P<rest>半|一刻|三刻|整|过?(?:[0-9]?\d|[二三四五六七八九]?十[一二三四五六七八九]?"
    rf"|零?[一二三四五六七八九](?![万十百]))分?)?)"
    r"(?P<noon>\s?[ap]m(?![a-z]))?(?!意见|要求|建议|问题|原因|需求|异议|疑问|内容|顾虑|优惠|折扣|返)"
)

_SIGN_OF_A_CLOCK = re.compile("[点时:m]")
"""Of 点, 时, a colon, am and pm every clock time has one."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock time as somebody said it."""

    start: int
    end: int
    at: time | None
    certain: bool
    """False for a bare 3点, which may be a number of points."""


def may_hold_one(text: str) -> bool:
    return _SIGN_OF_A_CLOCK.search(text) is not None


def find_clocks(text: str) -> list[Clock]:
    if not may_hold_one(text):
        return []
    return [
        Clock(match.start(), match.end(), _clock_of(match), _is_certain(match))
        for match in _CLOCK.finditer(text)
    ]


def _is_certain(match: re.Match[str]) -> bool:
    return bool(
        match["part"]
        or match["noon"]
        or match["digits"]
        or match["rest"]
        or "钟" in (match["dot"] or "")
    )


def _clock_of(match: re.Match[str]) -> time | None:
    hour = to_number(match["hour"])
    minute = _minute_of(match)
    if hour is None or minute is None:
        return None
    whole = int(hour)
    part = {"pm": "下午", "am": "上午"}.get((match["noon"] or "").strip(), match["part"] or "")
    leading_zero = match["hour"].startswith("0")
    if any(word in part for word in ("下午", "下昼", "晏昼", "下半天", "午后", "傍晚", "晚", "夜")):
        if whole == 12 and ("晚" in part or "夜" in part):
            return None  # midnight belongs to no day for sure
        whole += 12 if whole < 12 else 0
    elif part in ("中午", "午间", "正午"):
        whole += 12 if whole < 3 else 0
    elif not part and 1 <= whole <= 6 and not leading_zero:
        whole += 12
    return time(whole, minute) if whole < 24 and minute < 60 else None


def _minute_of(match: re.Match[str]) -> int | None:
    if match["digits"]:
        return int(match["digits"])
    rest = (match["rest"] or "").strip("过分整")
    if not rest:
        return 0
    named = {"半": 30, "一刻": 15, "三刻": 45}.get(rest)
    if named is not None:
        return named
    minute = to_number(rest.lstrip("零") or "零")
    return None if minute is None else int(minute)
