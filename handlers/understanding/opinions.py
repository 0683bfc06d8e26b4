"""Second opinions: what a message is for, where the rules find nothing, and what it objects to.

Linear models over runs of one to three characters, learnt from labelled messages by
benchmarks/understanding/learn.py and learn_objections.py. They know no meanings; an intent that
they say is a guess that must be asked about.
"""

from __future__ import annotations

import json
import math
import re
import struct
from functools import cache
from operator import add
from pathlib import Path

FILE = Path(__file__).with_name("words") / "opinions.json"
OBJECTIONS_FILE = FILE.with_name("objections.json")
SCALE = 100
"""Weights are stored as whole hundredths."""

LONGEST = 120
"""Characters of a text that an opinion looks at."""

_LANE = 32
"""Bits of a label's weight in a packed whole number; sums of weights stay far below 2 ** 31."""

_DIGITS = re.compile(r"\d+")
_NAME = re.compile(r"〓+")


class Opinion:
    """weights: run of characters -> label -> weight x SCALE; the run "" holds the starts.

    The weights of a run are kept as one whole number, a lane of bits for each label, so that
    one addition adds them all.
    """

    def __init__(self, weights: dict[str, dict[str, int]]) -> None:
        self._labels = list(weights[""])
        self._starts = [weights[""][label] / SCALE for label in self._labels]
        shifts = {label: place * _LANE for place, label in enumerate(self._labels)}
        self._packed = {
            run: sum(weight << shifts[label] for label, weight in of_run.items())
            for run, of_run in weights.items()
        }
        self._middle = sum(1 << (shift + _LANE - 1) for shift in shifts.values())

    def on(self, text: str) -> tuple[str, float]:
        """The likeliest intent of a `plain` text, and how likely: 0..1."""
        scores = self._scores(text)
        highest = max(scores)
        total = sum(math.exp(score - highest) for score in scores)
        return self._labels[scores.index(highest)], 1 / total

    def odds(self, text: str) -> dict[str, float]:
        """The log odds of each label by itself: above 0 a `plain` text likely has it."""
        return dict(zip(self._labels, self._scores(text), strict=True))

    def start(self, label: str) -> float:
        """The log odds of a label before anything is read."""
        return self._starts[self._labels.index(label)]

    def _scores(self, text: str) -> list[float]:
        known = runs(text) & self._packed.keys()
        total = self._middle + sum(map(self._packed.__getitem__, known))
        scale = SCALE * math.sqrt(max(len(known), 1))
        return [
            one / scale + start for one, start in zip(self._lanes(total), self._starts, strict=True)
        ]

    def _lanes(self, total: int) -> list[int]:
        """The sum in each lane; every lane was raised by its middle, to hold sums below 0."""
        count = len(self._labels)
        lanes = struct.unpack(f"<{count}I", total.to_bytes(count * _LANE // 8, "little"))
        return [lane - (1 << (_LANE - 1)) for lane in lanes]


@cache
def learnt() -> Opinion:
    """The opinion of words/opinions.json, read once."""
    return Opinion(json.loads(FILE.read_text("utf-8")))


@cache
def learnt_objections() -> Opinion:
    """The opinion of words/objections.json, read once."""
    return Opinion(json.loads(OBJECTIONS_FILE.read_text("utf-8")))


def plain(text: str) -> str:
    """Numbers and names without their length, as the model was taught."""
    return _NAME.sub("〓", _DIGITS.sub("0", text))[:LONGEST]


def runs(text: str) -> set[str]:
    """Every run of one to three characters, with the ends of the text marked."""
    marked = f"^{text}$"
    pairs = list(map(add, marked, marked[1:]))
    return {*marked, *pairs, *map(add, pairs, marked[2:])}
