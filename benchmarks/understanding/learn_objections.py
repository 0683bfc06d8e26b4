"""Learns the reader's second opinion on objections from labelled messages and phrases.

python -m benchmarks.understanding.learn_objections [--check FILE]

One linear model for each code over runs of one to three characters, written to
handlers/understanding/words/objections.json.
--check: print how well a model learnt without FILE reads the messages of FILE by itself, and
write nothing.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.understanding.learn import NAMED, hidden
from handlers.understanding.objections import unsettled
from handlers.understanding.opinions import OBJECTIONS_FILE, SCALE, Opinion, plain, runs

HERE = Path(__file__).parent
POOL = tuple(
    HERE / f"{name}.jsonl" for name in ("tune", "fresh_tune", "fresh_measure", "second_tune")
)
PHRASES = HERE / "phrases_objections.txt"

ROUNDS, RATE, DECAY = 800, 16.0, 2e-5
RARE = 3
"""How much a message with the code weighs against one without."""

SMALLEST = 0.9
"""Weights nearer to nothing are left out of the file."""

Sample = tuple[str, frozenset[str]]
"""A text with its names hidden, and what it objects to."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path, metavar="FILE")
    held_out = parser.parse_args().check
    pool = [file for file in POOL if held_out is None or file.name != held_out.name]
    samples = [sample for file in pool for sample in read_messages(file)] + read_phrases(PHRASES)
    learnt = learn(samples)
    if held_out:
        check(Opinion(learnt), read_messages(held_out))
    else:
        text = json.dumps(learnt, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        OBJECTIONS_FILE.write_text(text.replace("},", "},\n") + "\n", "utf-8")


def read_messages(file: Path) -> list[Sample]:
    """Messages with one record; several records would mix what belongs to each."""
    cases = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [
        (hidden(case["text"], case["known_customers"]), frozenset(case["gold"]["objections"]))
        for case in cases
        if "also" not in case["gold"]
    ]


def read_phrases(file: Path) -> list[Sample]:
    """Lines "code,code: phrase"; the code "-" stands for none."""
    pairs = [line.partition(": ") for line in file.read_text("utf-8").splitlines() if line]
    return [
        (hidden(phrase, NAMED), frozenset(codes.split(",")) - {"-"}) for codes, _, phrase in pairs
    ]


def learn(samples: list[Sample]) -> dict[str, dict[str, int]]:
    """run of characters -> code -> weight x SCALE; the run "" holds each code's start."""
    read = [runs(plain(unsettled(text))) for text, _ in samples]
    seen = Counter(run for found in read for run in found)
    known = {
        run: index for index, run in enumerate(run for run, count in seen.items() if count > 1)
    }
    codes = sorted({code for _, held in samples for code in held})
    given = np.zeros((len(samples), len(known)), dtype=np.float32)
    wanted = np.zeros((len(samples), len(codes)), dtype=np.float32)
    for row, found in enumerate(read):
        columns = [known[run] for run in found if run in known]
        given[row, columns] = 1 / np.sqrt(max(len(columns), 1))
        wanted[row] = [code in samples[row][1] for code in codes]
    weights, start = _fit(given, wanted)
    learnt = {"": {code: round(float(start[k]) * SCALE) for k, code in enumerate(codes)}}
    for run, row in known.items():
        kept = {
            code: round(float(weights[row, k]) * SCALE)
            for k, code in enumerate(codes)
            if abs(weights[row, k]) >= SMALLEST
        }
        if kept:
            learnt[run] = kept
    return learnt


def _fit(given: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights = np.zeros((given.shape[1], wanted.shape[1]), dtype=np.float32)
    start = np.full(wanted.shape[1], -3, dtype=np.float32)
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-(given @ weights + start)))
        error = (likely - wanted) * (1 + (RARE - 1) * wanted)
        weights -= RATE * (given.T @ error / len(given) + DECAY * weights)
        start -= RATE / 2 * error.mean(axis=0)
    return weights, start


def check(opinion: Opinion, samples: list[Sample]) -> None:
    for floor in (-0.5, 0.0, 0.3, 0.7, 1.0):
        right = wrong = 0
        for text, wanted in samples:
            odds = opinion.odds(plain(unsettled(text)))
            heard = {code for code, likely in odds.items() if likely > floor}
            right += 2 * len(heard & wanted)
            wrong += len(heard ^ wanted)
        print(f"above {floor}: F1 {right / (right + wrong):.3f}")


if __name__ == "__main__":
    main()
