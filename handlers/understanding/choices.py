"""Long alternations, searched for by trying only the choices whose signs stand in the text."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import TypeVar

from handlers.understanding.signs import choices_of, signs_in, signs_of

Key = TypeVar("Key", bound=Hashable)

_compiled = cache(re.compile)


class Index:
    """Which of many patterns may match a text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._always: list[int] = []
        self._numbers: dict[str, list[int]] = {}
        for number, pattern in enumerate(patterns):
            signs = signs_of(pattern)
            if signs is None:
                self._always.append(number)
            for sign in signs or ():
                self._numbers.setdefault(sign, []).append(number)

    def those_of(self, text: str) -> list[int]:
        """The numbers of the patterns that may match `text`, lowest first."""
        known = filter(None, map(self._numbers.get, signs_in(text)))
        return sorted({*self._always, *chain.from_iterable(known)})


class _Shelf:
    """Many lists of patterns, whose signs are looked up in a text for all of them at once."""

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._patterns = [(owner, one) for owner, each in enumerate(lists) for one in each]
        self._index = Index([one for _, one in self._patterns])
        self.possible = lru_cache(maxsize=256)(self._possible)

    def _possible(self, text: str) -> dict[int, list[str]]:
        """The patterns of each list that may match `text`, in its order; none where no one may."""
        found: dict[int, list[str]] = defaultdict(list)
        for number in self._index.those_of(text):
            owner, pattern = self._patterns[number]
            found[owner].append(pattern)
        return found


class Choices:
    """One list of patterns, searched for as if "|" joined them."""

    def __init__(self, shelf: _Shelf, number: int) -> None:
        self._possible = shelf.possible
        self._number = number

    def may_match(self, text: str) -> bool:
        return self._number in self._possible(text)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """As the method of `re.Pattern`: the leftmost match, of two the one of the first choice."""
        first = None
        for pattern in self._possible(text).get(self._number, ()):
            match = _compiled(pattern).search(text, start, end)
            if match and (first is None or match.start() < first.start()):
                first = match
        return first

    def finditer(
        self, text: str, start: int = 0, end: int = sys.maxsize
    ) -> Iterator[re.Match[str]]:
        """As the method of `re.Pattern`."""
        patterns = [_compiled(one) for one in self._possible(text).get(self._number, ())]
        found = [pattern.search(text, start, end) for pattern in patterns]
        while any(found):
            match = min((one for one in found if one), key=re.Match.start)
            yield match
            start = match.end()
            found = [
                pattern.search(text, start, end) if one and one.start() < start else one
                for pattern, one in zip(patterns, found, strict=True)
            ]


def together(lists: Mapping[Key, Sequence[str]]) -> dict[Key, Choices]:
    """Each list as Choices; their signs are looked up in a text for all of them at once.

    No pattern may match an empty text.
    """
    split = [[one for pattern in each for one in choices_of(pattern)] for each in lists.values()]
    shelf = _Shelf(split)
    return {key: Choices(shelf, number) for number, key in enumerate(lists)}
