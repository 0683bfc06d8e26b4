"""Learns the reader's second opinion from labelled messages and phrases.

python -m benchmarks.understanding.learn [--check FILE]

A linear model of intents over runs of one to three characters, written to
handlers/understanding/words/opinions.json.
--check: score a model learnt without FILE on the messages of FILE, and write nothing.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from handlers.understanding.customers import CustomerIndex
from handlers.understanding.normal import normalise
from handlers.understanding.opinions import FILE, SCALE, Opinion, plain, runs

HERE = Path(__file__).parent
POOL = tuple(
    HERE / f"{name}.jsonl" for name in ("tune", "fresh_tune", "fresh_measure", "second_tune")
)
PHRASES = HERE / "phrases_intents.txt"
NAMED = "南京栖霞阀业", "镇江丹徒电缆"
"""The customers that the phrases name."""

ROUNDS, RATE, DECAY = 250, 8.0, 2e-5
SMALLEST = 0.25
"""Weights nearer to nothing are left out of the file."""

Sample = tuple[str, str]
"""A text with its names hidden, and its intent."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path, metavar="FILE")
    held_out = parser.parse_args().check
    pool = [file for file in POOL if held_out is None or file.name != held_out.name]
    samples = [sample for file in pool for sample in read_messages(file)] + read_phrases(PHRASES)
    learnt = learn(samples)
    if held_out:
        check(learnt, read_messages(held_out))
    else:
        text = json.dumps(learnt, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        FILE.write_text(text.replace("},", "},\n") + "\n", "utf-8")


def read_messages(file: Path) -> list[Sample]:
    """Messages with one record; several records would mix what belongs to each."""
    cases = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [
        (hidden(case["text"], case["known_customers"]), case["gold"]["intent"])
        for case in cases
        if "also" not in case["gold"]
    ]


def read_phrases(file: Path) -> list[Sample]:
    """Lines "intent: phrase"."""
    pairs = [line.partition(": ") for line in file.read_text("utf-8").splitlines() if line]
    return [(hidden(phrase, NAMED), intent) for intent, _, phrase in pairs]


def hidden(text: str, names: Sequence[str]) -> str:
    customers = CustomerIndex()
    for name in names:
        customers.add(name)
    text = normalise(text)
    for mention in customers.find(text)[::-1]:
        text = f"{text[: mention.start]}〓{text[mention.end :]}"
    return plain(text)


def learn(samples: list[Sample]) -> dict[str, dict[str, int]]:
    """run of characters -> label -> weight x SCALE; the run "" holds each label's start."""
    seen = Counter(run for text, _ in samples for run in runs(text))
    known = {
        run: index for index, run in enumerate(run for run, count in seen.items() if count > 1)
    }
    labels = sorted({label for _, label in samples})
    given = np.zeros((len(samples), len(known)), dtype=np.float32)
    wanted = np.zeros((len(samples), len(labels)), dtype=np.float32)
    for row, (text, intent) in enumerate(samples):
        columns = [known[run] for run in runs(text) if run in known]
        given[row, columns] = 1 / np.sqrt(max(len(columns), 1))
        wanted[row, labels.index(intent)] = 1
    weights = np.zeros((len(known), len(labels)), dtype=np.float32)
    start = np.zeros(len(labels), dtype=np.float32)
    for _ in range(ROUNDS):
        error = _likely(given @ weights + start) - wanted
        weights -= RATE * (given.T @ error / len(samples) + DECAY * weights)
        start -= RATE * error.mean(axis=0)
    learnt = {"": {label: round(float(start[k]) * SCALE) for k, label in enumerate(labels)}}
    for run, row in known.items():
        kept = {
            label: round(float(weights[row, k]) * SCALE)
            for k, label in enumerate(labels)
            if abs(weights[row, k]) >= SMALLEST
        }
        if kept:
            learnt[run] = kept
    return learnt


def _likely(score: np.ndarray) -> np.ndarray:
    raised = np.exp(score - score.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def check(learnt: dict[str, dict[str, int]], samples: list[Sample]) -> None:
    """Prints how often the opinion is right where it is at least so sure."""
    opinion = Opinion(learnt)
    said = [(*opinion.on(text), intent) for text, intent in samples]
    for floor in (0.0, 0.2, 0.3, 0.4, 0.5, 0.6):
        kept = [guess == intent for guess, sure, intent in said if sure >= floor]
        print(f"at {floor}: {len(kept) / len(said):.2f} answered, {np.mean(kept):.3f} right")


if __name__ == "__main__":
    main()
