"""A fixed share of what `python -m benchmarks.fuzz` does at length."""

from __future__ import annotations

import random

import pytest

from benchmarks import fuzz

INPUTS = 1_500


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_a_parser_refuses_and_never_falls_over(name: str) -> None:
    assert [(type(error), error, data) for data, error in fuzz.run(name, 1, INPUTS)] == []


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_the_inputs_begin_with_good_ones_and_are_the_same_each_time(name: str) -> None:
    target = fuzz.TARGETS[name]
    corpus = target.corpus()
    taken = 0
    for data in corpus:
        try:
            target.parse(data)
            taken += 1
        except target.refusals:
            continue
    assert taken, "nothing of the corpus is let in, so nothing behind the first check is tried"
    one, other = random.Random(name), random.Random(name)
    assert [fuzz.mutated(corpus, one) for _ in range(50)] == [
        fuzz.mutated(corpus, other) for _ in range(50)
    ]


def test_what_falls_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(raw: bytes) -> object:
        return raw.decode()

    monkeypatch.setitem(fuzz.TARGETS, "said", fuzz.Target(fragile, lambda: [b"good"], ()))
    assert any(isinstance(error, UnicodeDecodeError) for _, error in fuzz.run("said", 1, 500))
