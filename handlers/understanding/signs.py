"""What a text must hold for a pattern to match in it: one character, or two side by side.

A message is held against thousands of expressions, and nearly none of them stands in it. «太?贵
[了啦]» cannot match where neither 贵了 nor 贵啦 stands: such signs are looked up for all patterns
at once (see choices.py), and only what is left is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from operator import add, attrgetter
from string import ascii_lowercase

_ANY_DIGIT = "0"
"""Stands for every digit, in patterns as in texts."""

_QUANTIFIER = re.compile(r"[?*+]|\{(?P<least>\d*)(?:,\d*)?\}")
_GROUP = re.compile(r"\((?:\?:|\?P<\w+>)?")
_ZERO_WIDTH = ("(?=", "(?!", "(?<=", "(?<!")
_DIGIT = re.compile(r"\d")
_MOST_PAIRS = 400
_COST_OF_SINGLE = 30
"""Pairs are that much rarer than characters, and so tell more."""

Signs = frozenset[str]


def signs_of(pattern: str) -> Signs | None:
    """Every match of `pattern` holds one of these; None where none could be told."""
    part = _of_choices(pattern)
    return None if part.empty else part.signs


@lru_cache(maxsize=64)
def signs_in(text: str) -> Signs:
    """Every character of `text` and every pair of neighbours."""
    text = _DIGIT.sub(_ANY_DIGIT, text)
    return frozenset(chain(text, map(add, text, text[1:])))


def choices_of(pattern: str) -> list[str]:
    """The choices of a pattern that "|" parts, groups left whole."""
    choices, start, at = [], 0, 0
    while at < len(pattern):
        if pattern[at] == "|":
            choices.append(pattern[start:at])
            start = at + 1
        at = _end_of_item(pattern, at)
    return [*choices, pattern[start:]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern. first, last: the characters its match may begin and end with.

    empty: whether it may match nothing. None stands for what could not be told.
    """

    first: Signs | None
    last: Signs | None
    signs: Signs | None
    empty: bool = False


_FIRST, _LAST = attrgetter("first"), attrgetter("last")


def _of_choices(pattern: str) -> _Part:
    parts = [_of_sequence(choice) for choice in choices_of(pattern)]
    return _Part(
        _union(part.first for part in parts),
        _union(part.last for part in parts),
        _union(part.signs for part in parts),
        any(part.empty for part in parts),
    )


def _of_sequence(text: str) -> _Part:
    parts = _parts(text)
    found: list[Signs] = []
    for number, part in enumerate(parts):
        if part.empty:
            continue
        following, ends = _edge(parts[number + 1 :], _FIRST)
        pairs = None if ends else _pairs(part.last, following)
        found += [one for one in (part.signs, pairs) if one is not None]
    first, empty = _edge(parts, _FIRST)
    last, _ = _edge(parts[::-1], _LAST)
    return _Part(first, last, min(found, key=_cost, default=None), empty)


def _edge(parts: list[_Part], of: Callable[[_Part], Signs | None]) -> tuple[Signs | None, bool]:
    """The characters at the edge of a sequence, and whether all of it may be left out."""
    seen: list[Signs | None] = []
    for part in parts:
        seen.append(of(part))
        if not part.empty:
            return _union(seen), False
    return _union(seen), True


def _parts(text: str) -> list[_Part]:
    """The items of a sequence; what takes no room (^, $, a look ahead or behind) is left out."""
    parts, at = [], 0
    while at < len(text):
        end = _end_of_item(text, at)
        item = text[at:end]
        quantifier = _QUANTIFIER.match(text, end)
        at = quantifier.end() if quantifier else end
        if quantifier and text[at : at + 1] == "?":
            at += 1
        if item in ("^", "$") or item.startswith(_ZERO_WIDTH):
            continue
        part = _of_item(item)
        if quantifier and (quantifier[0] in "?*" or quantifier["least"] in ("", "0")):
            part = _Part(part.first, part.last, None, empty=True)
        parts.append(part)
    return parts


def _of_item(item: str) -> _Part:
    group = _GROUP.match(item)
    if group:
        return _of_choices(item[group.end() : -1])
    known = _of_class(item[1:-1]) if item[0] == "[" else _of_character(item)
    return _Part(known, known, known)


def _of_character(item: str) -> Signs | None:
    if item == r"\d" or item.isdecimal():
        return frozenset({_ANY_DIGIT})
    character = item.removeprefix("\\")
    escaped = character != item
    if item == "." or (escaped and character.isalnum()):
        return None
    return frozenset({character})


def _of_class(inside: str) -> Signs | None:
    plain = inside.replace(r"\d", _ANY_DIGIT).replace("0-9", _ANY_DIGIT)
    plain = plain.replace("a-z", ascii_lowercase)
    if plain.startswith("^") or "\\" in plain or "-" in plain[1:]:
        return None
    return frozenset(_ANY_DIGIT if one.isdecimal() else one for one in plain)


def _pairs(first: Signs | None, second: Signs | None) -> Signs | None:
    if first is None or second is None or len(first) * len(second) > _MOST_PAIRS:
        return None
    return frozenset(map("".join, product(first, second)))


def _union(each: Iterable[Signs | None]) -> Signs | None:
    known: set[str] = set()
    for signs in each:
        if signs is None:
            return None
        known |= signs
    return frozenset(known)


def _cost(signs: Signs) -> int:
    return sum(1 if len(sign) > 1 else _COST_OF_SINGLE for sign in signs)


def _end_of_item(text: str, at: int) -> int:
    """Where the character, class or group ends that begins at `at`."""
    if text[at] == "\\":
        return at + 2
    if text[at] == "[":
        return text.index("]", at + 2) + 1
    if text[at] != "(":
        return at + 1
    end = at + 1
    while text[end] != ")":
        end = _end_of_item(text, end)
    return end + 1
