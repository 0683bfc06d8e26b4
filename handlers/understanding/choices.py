"""Long alternations, searched for by trying only the choices whose signs stand in the text."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, reduce
from operator import or_
from typing import TypeVar

from handlers.understanding.signs import choices_of, signs_in, signs_of

Key = TypeVar("Key", bound=Hashable)

_compiled = cache(re.compile)


class Index:
    """Which of many patterns may match a text, as the bits of a whole number."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._bits: dict[str, int] = {}
        self._always = 0
        for number, pattern in enumerate(patterns):
            signs = signs_of(pattern)
            if signs is None:
                self._always |= 1 << number
            for sign in signs or ():
                self._bits[sign] = self._bits.get(sign, 0) | 1 << number
        self.may_match = lru_cache(maxsize=256)(self._may_match)

    def those_of(self, text: str) -> Iterator[int]:
        """The numbers of the patterns that may match `text`."""
        return numbers_in(self.may_match(text))

    def _may_match(self, text: str) -> int:
        return reduce(or_, filter(None, map(self._bits.get, signs_in(text))), self._always)


class Choices:
    """One list of patterns, searched for as if "|" joined them."""

    def __init__(self, index: Index, first: int, patterns: Sequence[str]) -> None:
        self._index = index
        self._first = first
        self._patterns = patterns
        self._mine = (1 << len(patterns)) - 1 << first

    def may_match(self, text: str) -> bool:
        return bool(self._index.may_match(text) & self._mine)

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """As the method of `re.Pattern`."""
        return next(self.finditer(text, start, end), None) if self.may_match(text) else None

    def finditer(
        self, text: str, start: int = 0, end: int | None = None
    ) -> Iterator[re.Match[str]]:
        """As the method of `re.Pattern`: the leftmost match, of two the one of the first choice."""
        patterns = self._possible(text)
        end = len(text) if end is None else end
        found = [pattern.search(text, start, end) for pattern in patterns]
        while any(found):
            match = min((one for one in found if one), key=re.Match.start)
            yield match
            start = match.end()
            found = [
                pattern.search(text, start, end) if one and one.start() < start else one
                for pattern, one in zip(patterns, found, strict=True)
            ]

    def _possible(self, text: str) -> list[re.Pattern[str]]:
        bits = (self._index.may_match(text) & self._mine) >> self._first
        return [_compiled(self._patterns[number]) for number in numbers_in(bits)]


def numbers_in(bits: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def together(lists: Mapping[Key, Sequence[str]]) -> dict[Key, Choices]:
    """Each list as Choices; their signs are looked up in a text for all of them at once.

    No pattern may match an empty text.
    """
    split = {
        key: [one for pattern in each for one in choices_of(pattern)] for key, each in lists.items()
    }
    index = Index([one for each in split.values() for one in each])
    made, first = {}, 0
    for key, patterns in split.items():
        made[key] = Choices(index, first, patterns)
        first += len(patterns)
    return made
