"""Searching running text for many known forms at once, with additions taking effect at once.

A dictionary stands where an Aho-Corasick automaton would: the forms are short, a message is
short, and adding one costs microseconds instead of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import add
from typing import NamedTuple

_HEAD = 2
_MOST_SHARED = 1_000
"""A form that stands for more entries than this tells nothing about any of them."""


class Hit(NamedTuple):
    """text[start:end] is a form of the entries `ids`."""

    start: int
    end: int
    ids: Sequence[int]


class Shared:
    """Which entries a form stands for."""

    def __init__(self) -> None:
        self._ids: dict[str, int | list[int]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, forms: Iterable[str], entry: int) -> None:
        """Make every one of `forms` stand for `entry` as well."""
        ids = self._ids
        for form in forms:
            known = ids.setdefault(form, entry)
            if known is not entry:
                self._add_another(form, known, entry)

    def _add_another(self, form: str, known: int | list[int], entry: int) -> None:
        if isinstance(known, int):
            if known != entry:
                self._ids[form] = [known, entry]
        elif known[-1] != entry and len(known) < _MOST_SHARED:
            known.append(entry)

    def remove(self, form: str, entry: int) -> None:
        left = [one for one in self.get(form) if one != entry]
        if left:
            self._ids[form] = left
        else:
            self._ids.pop(form, None)

    def get(self, form: str) -> Sequence[int]:
        known = self._ids.get(form, ())
        return (known,) if isinstance(known, int) else known


class Forms(Shared):
    """Forms of at least two characters that can be found in a text."""

    def __init__(self) -> None:
        super().__init__()
        self._longest: dict[str, int] = {}

    def add(self, forms: Iterable[str], entry: int) -> None:
        ids, longest = self._ids, self._longest
        for form in forms:
            known = ids.setdefault(form, entry)
            if known is entry:  # else its length was seen to
                head = form[:_HEAD]
                if longest.get(head, 0) < len(form):
                    longest[head] = len(form)
            else:
                self._add_another(form, known, entry)

    def find(self, text: str) -> Iterator[Hit]:
        """The longest form at each place, overlaps included."""
        heads = map(add, text, text[1:])
        for start, longest in enumerate(map(self._longest.get, heads)):
            if longest is None:
                continue
            for end in range(min(start + longest, len(text)), start + 1, -1):
                known = self._ids.get(text[start:end])
                if known is not None:
                    yield Hit(start, end, (known,) if isinstance(known, int) else known)
                    break


def without_overlaps(hits: list[Hit]) -> list[Hit]:
    """Longer hits win, then earlier ones; in the order of the text."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start - one.end, one.start)):
        if all(hit.end <= other.start or hit.start >= other.end for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda one: one.start)
