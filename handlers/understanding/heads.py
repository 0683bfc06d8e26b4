"""Searching for long alternations, trying at each character only what may begin with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from string import ascii_lowercase

_DIGIT = r"\d"
"""Stands for every digit: a pattern that may begin with one is tried at each of them."""

_QUANTIFIER = re.compile(r"[?*+]|\{(?P<least>\d*)(?:,\d*)?\}")


class Scanner:
    """words: name -> patterns that stand for it; none of them may match an empty text.

    Finds for each name what `re.finditer` finds with its patterns joined by "|".
    """

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        self._choices = {
            name: [(one, heads(one)) for pattern in patterns for one in _split(pattern)]
            for name, patterns in words.items()
        }
        known = {head for each in self._choices.values() for _, all_ in each for head in all_ or ()}
        self._of = {head: self._beginning(head) for head in known}
        self._of_others = self._beginning("")

    def find(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Each name with its matches that do not overlap, name by name."""
        found: dict[str, list[re.Match[str]]] = {name: [] for name in self._choices}
        for start, character in enumerate(text):
            head = _DIGIT if character.isdecimal() else character
            for name, pattern in self._of.get(head, self._of_others):
                match = pattern.match(text, start)
                if match and (not found[name] or found[name][-1].end() <= start):
                    found[name].append(match)
        for name, matches in found.items():
            for match in matches:
                yield name, match

    def _beginning(self, head: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """The patterns that may begin with `head`, in their order."""
        kept = {
            name: [one for one, of_one in choices if of_one is None or head in of_one]
            for name, choices in self._choices.items()
        }
        return tuple((name, _compiled("|".join(ones))) for name, ones in kept.items() if ones)


_compiled = cache(re.compile)


def heads(pattern: str) -> frozenset[str] | None:
    """The characters that a match of `pattern` may begin with, digits as \\d; None for any."""
    found, empty = _heads_of_choices(pattern)
    return None if empty else found


def headed(pattern: str) -> str:
    """`pattern`, put so that a search passes quickly over what cannot begin it."""
    found = heads(pattern)
    if found is None:
        return pattern
    all_ = "".join(one if one == _DIGIT else re.escape(one) for one in sorted(found))
    return f"(?=[{all_}])(?:{pattern})"


def _heads_of_choices(pattern: str) -> tuple[frozenset[str] | None, bool]:
    """The heads, and whether all of the pattern may be left out."""
    each = [_heads_of_sequence(choice) for choice in _split(pattern)]
    empty = any(one_empty for _, one_empty in each)
    all_: set[str] = set()
    for found, _ in each:
        if found is None:
            return None, empty
        all_ |= found
    return frozenset(all_), empty


def _heads_of_sequence(text: str) -> tuple[frozenset[str] | None, bool]:
    all_: set[str] = set()
    at = 0
    while at < len(text):
        end = _end_of_item(text, at)
        item = text[at:end]
        quantifier = _QUANTIFIER.match(text, end)
        at = quantifier.end() if quantifier else end
        if quantifier and text[at : at + 1] == "?":
            at += 1
        if item in "^$" or item.startswith(("(?=", "(?!", "(?<=", "(?<!")):
            continue
        found, empty = _heads_of_item(item)
        if found is None:
            return None, False
        all_ |= found
        optional = quantifier and (quantifier[0] in "?*" or quantifier["least"] in ("", "0"))
        if not (empty or optional):
            return frozenset(all_), False
    return frozenset(all_), True


def _heads_of_item(item: str) -> tuple[frozenset[str] | None, bool]:
    if item.startswith("(?:"):
        return _heads_of_choices(item[3:-1])
    if item.startswith("["):
        return _heads_of_class(item[1:-1]), False
    if item == _DIGIT or item.isdecimal():
        return frozenset({_DIGIT}), False
    return (frozenset({item}) if len(item) == 1 and item != "." else None), False


def _heads_of_class(inside: str) -> frozenset[str] | None:
    plain = inside.replace(_DIGIT, "0").replace("a-z", ascii_lowercase).replace("0-9", "0")
    if plain.startswith("^") or "\\" in plain or "-" in plain:
        return None
    return frozenset(_DIGIT if one.isdecimal() else one for one in plain)


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


def _split(pattern: str) -> list[str]:
    """The choices of a pattern that "|" parts, groups left whole."""
    choices, start, at = [], 0, 0
    while at < len(pattern):
        if pattern[at] == "|":
            choices.append(pattern[start:at])
            start = at + 1
        at = _end_of_item(pattern, at)
    return [*choices, pattern[start:]]
