"""Customers spoken of by their trade: 常德那家烟机, 是米粉那家, 光伏那单."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.understanding.names import place_at

_LENGTH = 2
_POINTED_AFTER = re.compile(
    r"(?:厂|公司|店)?(?:那|这)(?:家|单|个|边|笔|条|头)|家的|(?:厂|公司)?那个?客户"
    r"|(?:厂|公司|店)(?=给|说|的|打|来|要|嫌|今|昨|刚|没|又|还)|(?:厂)?(?:老板娘?|厂长|店长|掌柜)"
)
_POINTED_BEFORE = re.compile(r"(?:那|这)(?:家|个)(?:做|搞|卖|生产|开)?的?$")
_LINK = re.compile(r"(?:市|省)?(?:的|那家|那个|这家|那边|那边的|做|搞)?(?:做|搞|卖)?的?$")
_REACH = 8


@dataclass(frozen=True, slots=True)
class Description:
    """text[start:end] speaks of a trade, and of a place ("" when none stands before it)."""

    start: int
    end: int
    trade: str
    place: str


def trade_of(core: str) -> str:
    """The last characters of a company's core: 烟机 of 武陵烟机; "" for short cores."""
    return core[-_LENGTH:] if len(core) >= 2 * _LENGTH else ""


def descriptions(text: str) -> Iterator[Description]:
    """Stretches of two characters that a pointing word or a place marks as a company's trade."""
    for start in range(len(text) - _LENGTH + 1):
        end = start + _LENGTH
        before = text[max(0, start - _REACH) : start]
        place, length = _place_in(before)
        pointed = _POINTED_AFTER.match(text, end) or _POINTED_BEFORE.search(before)
        if place or pointed:
            yield Description(start - length, end, text[start:end], place)


def _place_in(before: str) -> tuple[str, int]:
    """The place at the end of `before`, with its distance to the trade."""
    for index in range(len(before)):
        place = place_at(before, index)
        if place and _LINK.fullmatch(before, index + len(place)):
            return place.rstrip("市省"), len(before) - index
    return "", 0
