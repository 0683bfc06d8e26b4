"""A value read from a stretch of a message, and which of several values counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

CORRECTION = re.compile(
    r"不对|[啊呃哎额诶唉]不[\s,]|哦不|噢不|喔不|不不|说错|打错|记错|写错|搞错|弄错|看错|口误|更正|应该是|改成"
    r"|改为|改到|错了|纠正|应为|(?<=,)其实"
)
_DENIED = re.compile(r"(?:不是|并非|不该是|而不是|非)(?:在|约|说|的)?\s*$")


class Found(NamedTuple, Generic[T]):
    """Something read, and where. `value`, read from text[start:end]. approximate: 大概, 左右 stood
    beside it."""

    start: int
    end: int
    value: T
    approximate: bool = False


def choose(text: str, found: Sequence[Found[T]]) -> Found[T] | None:
    """The value that counts: the first said, unless it was taken back or corrected."""
    if not found:
        return None
    held = [one for one in found if not _DENIED.search(text[max(0, one.start - 6) : one.start])]
    markers = [match.end() for match in CORRECTION.finditer(text)]
    if markers:
        corrected = [one for one in held if one.start >= markers[-1]]
        if corrected:
            return corrected[0]
        before = [one for one in held if one.end <= markers[-1]]
        return before[-1] if before else (held[0] if held else None)
    return held[0] if held else None


def blanked(text: str, found: Sequence[Found[T]]) -> str:
    """`text` with what was read replaced by spaces, so that it is not read twice."""
    for one in found:
        text = text[: one.start] + " " * (one.end - one.start) + text[one.end :]
    return text


def longest_first(found: Sequence[Found[T]]) -> list[Found[T]]:
    """Drops what overlaps a longer find; in the order of the text."""
    kept: list[Found[T]] = []
    for one in sorted(found, key=lambda each: (each.start - each.end, each.start)):
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
