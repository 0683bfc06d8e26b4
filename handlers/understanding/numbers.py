"""Numerals as people write and say them: 25, 12.5, 十二, 16万3, 三十五万八, 一百零八万零三百."""

from __future__ import annotations

import re
from decimal import Decimal

HAN = "零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟廿卅俩仨"
ARABIC = r"\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,6})?"
SMALL = r"(?:\d{1,3}(?:\.\d{1,2})?|[零〇一二两三四五六七八九十百廿卅俩仨]{1,6})"
"""A numeral of everyday size, for days and minutes. Bounded, so that no text makes it slow."""

_DIGITS = {character: index for index, character in enumerate("零一二三四五六七八九")}
_DIGITS |= {character: index for index, character in enumerate("〇壹贰叁肆伍陆柒捌玖")}
_DIGITS |= {"两": 2, "俩": 2, "仨": 3}
_UNITS = (
    ("亿", 100_000_000),
    ("万", 10_000),
    ("千", 1_000),
    ("百", 100),
    ("十", 10),
)
_SPELLINGS = str.maketrans(
    {"w": "万", "k": "千", "拾": "十", "佰": "百", "仟": "千", "廿": "二十", "卅": "三十"}
    | {"个": "", ",": "", " ": ""}
)
_ARABIC_ONLY = re.compile(r"\d{1,15}(?:\.\d{1,6})?")
_NEIGHBOURS = (
    "一两",
    "两三",
    "一二",
    "二三",
    "三四",
    "三五",
    "四五",
    "五六",
    "六七",
    "七八",
    "八九",
)
_LONGEST = 24


def to_number(text: str) -> Decimal | None:
    """The number that `text` is, or None where it is none ("几十", "七八十", "1.2.3").

    A last digit without a unit counts in tenths of the unit before it: 16万3 is 163,000.
    """
    if len(text) > _LONGEST:
        return None
    return _read(text.lower().translate(_SPELLINGS))


def to_lower_number(text: str) -> Decimal | None:
    """As `to_number`; a span said with neighbours (七八, 三四十, 十七八) gives its lower end."""
    for pair in _NEIGHBOURS:
        if pair in text:
            return to_number(text.replace(pair, pair[0], 1))
    return to_number(text)


def _read(text: str) -> Decimal | None:
    for unit, scale in _UNITS:
        head, found, tail = text.partition(unit)
        if found:
            return _scaled(head, tail, scale)
    return _digits(text)


def _scaled(head: str, tail: str, scale: int) -> Decimal | None:
    many = _read(head) if head else Decimal(1)
    rest = _tail(tail, scale)
    return None if many is None or rest is None else many * scale + rest


def _tail(text: str, scale: int) -> Decimal | None:
    if not text:
        return Decimal(0)
    if text[0] in "零〇":
        return _read(text[1:])
    rest = _read(text)
    if rest is not None and len(text) == 1 and scale >= 100:
        return rest * scale / 10
    return rest


def _digits(text: str) -> Decimal | None:
    """Digits without a unit: 0.5, 25, 二五, 一点二."""
    text = "".join(str(_DIGITS.get(character, character)) for character in text)
    text = text.replace("点", ".")
    return Decimal(text) if _ARABIC_ONLY.fullmatch(text) and text.isascii() else None
