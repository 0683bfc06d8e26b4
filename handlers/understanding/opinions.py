"""What messages that read alike were for, and what they objected to: weighed beside the rules.

Linear models over runs of one to three characters, learnt from labelled messages by
benchmarks/understanding/learn.py and learn_objections.py. They know no meanings; an intent that
they say against the rules is a guess that must be asked about.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from operator import add
from pathlib import Path

FILE = Path(__file__).with_name("words") / "opinions.json"
OBJECTIONS_FILE = FILE.with_name("objections.json")
SCALE = 100
"""Weights are stored as whole hundredths."""

LONGEST = 120
"""Characters of a text that an opinion looks at."""

_SEVERAL = 2
_MIDDLE = 1 << 17
"""Added to each weight of a run: 32 bits hold the sum of some 16,000 runs, and texts have fewer."""

_DIGITS = re.compile(r"\d+")
_NAME = re.compile(r"〓+")


class Opinion:
    """Scores of labels for `plain` texts.

    labels, starts: each label with its first score. weights: run of characters -> one weight
    x SCALE for each label.

    The weights of a run are kept as one whole number, a lane of bits for each label, so that
    one addition adds them all.
    """

    def __init__(
        self, labels: Sequence[str], starts: Sequence[int], weights: Mapping[str, Sequence[int]]
    ) -> None:
        self.labels = list(labels)
        self._starts = [start / SCALE for start in starts]
        # Every lane is raised by _MIDDLE, so that none is below 0 and borrows from the next.
        self._lanes = struct.Struct(f"<{len(labels)}I")
        self._packed = {
            run: int.from_bytes(self._lanes.pack(*[one + _MIDDLE for one in of_run]), "little")
            for run, of_run in weights.items()
        }

    @classmethod
    def of(cls, file: Path) -> Opinion:
        """As stored by benchmarks/understanding/learning.py."""
        stored = json.loads(file.read_text("utf-8"))
        return cls(stored["labels"], stored["starts"], stored["weights"])

    def likely(self, text: str) -> dict[str, float]:
        """How likely each label is if a text has just one of them: logarithms, 0 at most."""
        scores = self._from_starts(self._scores(*self._sum(text)))
        highest = max(scores)
        total = highest + math.log(sum(math.exp(score - highest) for score in scores))
        return {label: one - total for label, one in zip(self.labels, scores, strict=True)}

    def odds(self, text: str, parts: Sequence[str] = ()) -> dict[str, float]:
        """The log odds of each label by itself: above 0 a text likely has it.

        parts: the clauses of the text, in order; what one of them or two that follow each other
        say most weighs as much as what the whole says.
        """
        whole = self._scores(*self._sum(text))
        if len(parts) < _SEVERAL:
            return dict(zip(self.labels, self._from_starts(whole), strict=True))
        sums = [self._sum(part) for part in parts]
        pairs = [(one + two, n + m) for (one, n), (two, m) in pairwise(sums)]
        said = [self._scores(*each) for each in (*sums, *pairs)]
        both = ((one + most) / 2 for one, most in zip(whole, map(max, *said), strict=True))
        return dict(zip(self.labels, self._from_starts(both), strict=True))

    def _sum(self, text: str) -> tuple[int, int]:
        """The weights of the known runs of a text, packed, and how many runs that are."""
        known = list(filter(None, map(self._packed.get, runs(text))))
        return sum(known), len(known)

    def _scores(self, packed: int, count: int) -> list[float]:
        """Of each label, above its start."""
        raised = count * _MIDDLE
        scale = SCALE * math.sqrt(max(count, 1))
        sums = self._lanes.unpack(packed.to_bytes(self._lanes.size, "little"))
        return [(one - raised) / scale for one in sums]

    def _from_starts(self, scores: Iterable[float]) -> list[float]:
        return list(map(add, scores, self._starts))


@cache
def learnt() -> Opinion:
    """The opinion of words/opinions.json, read once."""
    return Opinion.of(FILE)


@cache
def learnt_objections() -> Opinion:
    """The opinion of words/objections.json, read once."""
    return Opinion.of(OBJECTIONS_FILE)


def plain(text: str, *, whole: bool = False) -> str:
    """Numbers and names without their length, as the model was taught; cut unless `whole`."""
    return _NAME.sub("〓", _DIGITS.sub("0", text))[: None if whole else LONGEST]


@lru_cache(maxsize=64)
def runs(text: str) -> frozenset[str]:
    """Every run of one to three characters, with the ends of the text marked."""
    marked = f"^{text}$"
    pairs = list(map(add, marked, marked[1:]))
    return frozenset([*marked, *pairs, *map(add, pairs, marked[2:])])
