"""Learns the reader's second opinion on objections from labelled messages and phrases.

python -m benchmarks.understanding.learn_objections [--check FILE]

One linear model for each code over runs of one to three characters, written to
handlers/understanding/words/objections.json.
--check: print how well a model learnt without FILE reads the messages of FILE by itself, and
write nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.understanding.learning import (
    HERE,
    Course,
    learn,
    messages,
    phrases,
    pool_without,
    write,
)
from handlers.understanding.objections import parts_of, unsettled
from handlers.understanding.opinions import OBJECTIONS_FILE, Opinion, plain

PHRASES = HERE / "phrases_objections.txt"
"""Lines "code,code: phrase"; the code "-" stands for none."""

Sample = tuple[str, frozenset[str]]
"""A text with its names hidden and without what is settled, and what it objects to."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path, metavar="FILE")
    held_out = parser.parse_args().check
    samples = [sample for file in pool_without(held_out) for sample in of_messages(file)]
    samples += _open((text, frozenset(codes.split(","))) for text, codes in phrases(PHRASES))
    learnt = learn([text for text, _ in samples], [held for _, held in samples], COURSE)
    if held_out:
        check(Opinion(learnt.labels, learnt.starts, learnt.weights), of_messages(held_out))
    else:
        write(learnt, OBJECTIONS_FILE)


def of_messages(file: Path) -> list[Sample]:
    return _open((text, frozenset(gold["objections"])) for text, gold in messages(file))


def _open(samples: Iterable[Sample]) -> list[Sample]:
    return [(plain(unsettled(text)), held - {"-"}) for text, held in samples]


def each_by_itself(score: np.ndarray) -> np.ndarray:
    """A message may object to several things at once."""
    return np.asarray(1 / (1 + np.exp(-score)))


COURSE = Course(each_by_itself, rounds=300, rate=3, decay=6e-6, smallest=0.1, rare=3, start=-3)


def check(opinion: Opinion, samples: list[Sample]) -> None:
    for floor in (-0.5, 0.0, 0.3, 0.7, 1.0):
        right = wrong = 0
        for text, wanted in samples:
            heard = {
                code
                for code, likely in opinion.odds(text, parts_of(text)).items()
                if likely > floor
            }
            right += 2 * len(heard & wanted)
            wrong += len(heard ^ wanted)
        print(f"above {floor}: F1 {right / (right + wrong):.3f}")


if __name__ == "__main__":
    main()
