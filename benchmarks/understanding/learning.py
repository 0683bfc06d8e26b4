"""What the two second opinions are learnt from, and how: linear models over runs of characters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlers.understanding.customers import CustomerIndex
from handlers.understanding.normal import normalise
from handlers.understanding.opinions import SCALE, plain, runs

HERE = Path(__file__).parent
POOL = tuple(
    HERE / f"{name}.jsonl"
    for name in (
        "tune",
        "fresh_tune",
        "fresh_measure",
        "second_tune",
        "third_tune",
        "third_measure",
        "fourth_tune",
    )
)
"""Never a set that is only measured on."""
NAMED = "南京栖霞阀业", "镇江丹徒电缆"
"""The customers that the phrases name."""

Matrix = NDArray[np.floating]
Likely = Callable[[Matrix], Matrix]
"""Scores, one row a text and one column a label, -> how likely each label is."""


@dataclass(frozen=True)
class Course:
    """How a model is learnt. rare: how much a label that is there weighs against one that is not.

    start: the first score of every label. smallest: weights nearer to nothing are left out.
    """

    likely: Likely
    rounds: int
    rate: float
    decay: float
    smallest: float
    rare: float = 1
    start: float = 0


@dataclass(frozen=True)
class Learnt:
    """What an `Opinion` is made of."""

    labels: list[str]
    starts: list[int]
    weights: dict[str, list[int]]


def pool_without(held_out: Path | None) -> list[Path]:
    return [file for file in POOL if held_out is None or file.name != held_out.name]


def messages(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each text of one record, its names hidden, with its gold; several would mix what is whose."""
    for line in file.read_text("utf-8").splitlines():
        case = json.loads(line)
        if "also" not in case["gold"]:
            yield hidden(case["text"], case["known_customers"]), case["gold"]


def phrases(file: Path) -> Iterator[tuple[str, str]]:
    """Lines "labels: phrase", as (phrase with its names hidden, labels)."""
    for line in file.read_text("utf-8").splitlines():
        labels, _, phrase = line.partition(": ")
        if phrase:
            yield hidden(phrase, NAMED), labels


def hidden(text: str, names: Sequence[str]) -> str:
    customers = CustomerIndex()
    for name in names:
        customers.add(name)
    text = normalise(text)
    for mention in customers.find(text)[::-1]:
        text = f"{text[: mention.start]}〓{text[mention.end :]}"
    return plain(text)


def learn(texts: Sequence[str], held: Sequence[frozenset[str]], course: Course) -> Learnt:
    """held: the labels of each text."""
    read = [runs(text) for text in texts]
    seen = Counter(run for found in read for run in found)
    known = {
        run: number for number, run in enumerate(run for run, count in seen.items() if count > 1)
    }
    labels = sorted(set().union(*held))
    wanted = np.array([[label in each for label in labels] for each in held], dtype=np.float32)
    weights, starts = _fit(_Sparse(read, known), wanted, course)
    rounded = np.rint(weights * SCALE).astype(int)
    kept = {
        run: rounded[row].tolist()
        for run, row in known.items()
        if np.abs(weights[row]).max() >= course.smallest
    }
    return Learnt(labels, np.rint(starts * SCALE).astype(int).tolist(), kept)


def write(learnt: Learnt, file: Path) -> None:
    text = json.dumps(asdict(learnt), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    file.write_text(text.replace("],", "],\n") + "\n", "utf-8")


class _Sparse:
    """Which of the known runs each text holds: a matrix of which nearly everything is 0."""

    def __init__(self, read: Sequence[frozenset[str]], known: dict[str, int]) -> None:
        columns = [sorted(known[run] for run in found if run in known) or [0] for found in read]
        lengths = np.array([len(each) for each in columns])
        self.shape = len(read), len(known)
        self._columns = np.concatenate([np.array(each) for each in columns])
        self._starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        rows = np.repeat(np.arange(len(read)), lengths)
        order = np.argsort(self._columns, kind="stable")
        self._rows = rows[order]
        self._present, self._firsts = np.unique(self._columns[order], return_index=True)
        self._scale = (1 / np.sqrt(lengths)).astype(np.float32)[:, None]

    def times(self, weights: Matrix) -> Matrix:
        sums: Matrix = np.add.reduceat(weights[self._columns], self._starts)
        scaled: Matrix = sums * self._scale
        return scaled

    def transposed_times(self, error: Matrix) -> Matrix:
        result = np.zeros((self.shape[1], error.shape[1]), dtype=np.float32)
        of_rows = (error * self._scale)[self._rows]
        result[self._present] = np.add.reduceat(of_rows, self._firsts)
        return result


def _fit(given: _Sparse, wanted: Matrix, course: Course) -> tuple[Matrix, Matrix]:
    """Logistic regression by Nesterov's accelerated descent."""
    texts, known = given.shape
    weights: Matrix = np.zeros((known, wanted.shape[1]), dtype=np.float32)
    starts: Matrix = np.full(wanted.shape[1], course.start, dtype=np.float32)
    ahead, starts_ahead = weights, starts
    for past in range(course.rounds):
        error = course.likely(given.times(ahead) + starts_ahead) - wanted
        error *= 1 + (course.rare - 1) * wanted
        slope = given.transposed_times(error) / texts + course.decay * ahead
        stepped = ahead - course.rate * slope
        starts_stepped = starts_ahead - course.rate * error.mean(axis=0)
        momentum = past / (past + 3)
        ahead = stepped + momentum * (stepped - weights)
        starts_ahead = starts_stepped + momentum * (starts_stepped - starts)
        weights, starts = stepped, starts_stepped
    return weights, starts
