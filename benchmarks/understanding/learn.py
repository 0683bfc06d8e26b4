"""Learns the reader's second opinion from labelled messages and phrases.

python -m benchmarks.understanding.learn [--check FILE]

A linear model of intents over runs of one to three characters, written to
handlers/understanding/words/opinions.json.
--check: score a model learnt without FILE on the messages of FILE, and write nothing.
"""

from __future__ import annotations

import argparse
import math
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
from handlers.understanding.opinions import FILE, Opinion

PHRASES = HERE / "phrases_intents.txt"

Sample = tuple[str, str]
"""A text with its names hidden, and its intent."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path, metavar="FILE")
    held_out = parser.parse_args().check
    samples = [sample for file in pool_without(held_out) for sample in of_messages(file)]
    samples += phrases(PHRASES)
    learnt = learn(
        [text for text, _ in samples], [frozenset({intent}) for _, intent in samples], COURSE
    )
    if held_out:
        check(Opinion(learnt.labels, learnt.starts, learnt.weights), of_messages(held_out))
    else:
        write(learnt, FILE)


def of_messages(file: Path) -> list[Sample]:
    return [(text, gold["intent"]) for text, gold in messages(file)]


def one_of_them(score: np.ndarray) -> np.ndarray:
    """A message has one intent."""
    raised = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


COURSE = Course(one_of_them, rounds=250, rate=3, decay=1e-5, smallest=0.1)


def check(opinion: Opinion, samples: list[Sample]) -> None:
    """Prints how often the opinion is right where it is at least so sure."""
    said = []
    for text, intent in samples:
        likely = opinion.likely(text)
        guess = max(likely, key=likely.__getitem__)
        said.append((guess, math.exp(likely[guess]), intent))
    for floor in (0.0, 0.2, 0.3, 0.4, 0.5, 0.6):
        kept = [guess == intent for guess, sure, intent in said if sure >= floor]
        print(f"at {floor}: {len(kept) / len(said):.2f} answered, {np.mean(kept):.3f} right")


if __name__ == "__main__":
    main()
