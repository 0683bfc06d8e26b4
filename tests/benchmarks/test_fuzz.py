"""A fixed share of what `python -m benchmarks.fuzz` does at length."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

from benchmarks import fuzz
from benchmarks.fuzzing import targets
from benchmarks.fuzzing.mutating import mutated
from benchmarks.fuzzing.target import Target

INPUTS = 10
"""For each part of a target's share."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Doors tell of each delivery that they refuse."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_a_parser_refuses_and_never_falls_over(name: str) -> None:
    inputs = INPUTS * fuzz.TARGETS[name].share
    assert [(type(error), error, data) for data, error in fuzz.run(name, 1, inputs)] == []


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_what_was_once_found_is_no_find_any_more(name: str) -> None:
    for data in targets.found(name):
        assert fuzz.trouble(name, data) is None


def test_each_input_that_was_found_has_a_parser() -> None:
    assert {folder.name for folder in targets.FOUND.iterdir()} <= fuzz.TARGETS.keys()


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_the_inputs_begin_with_good_ones_and_are_the_same_each_time(name: str) -> None:
    target = fuzz.TARGETS[name]
    good = target.good()
    taken = 0
    for data in good:
        try:
            target.parse(data)
            taken += 1
        except target.refusals:
            continue
    assert taken, "nothing of the corpus is let in, so nothing behind the first check is tried"
    one, other = random.Random(name), random.Random(name)
    assert [mutated(good, one, target.form) for _ in range(50)] == [
        mutated(good, other, target.form) for _ in range(50)
    ]


def test_what_falls_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(raw: bytes) -> object:
        return raw.decode()

    monkeypatch.setitem(fuzz.TARGETS, "message", Target(fragile, lambda: [b"good"], ()))
    assert any(isinstance(error, UnicodeDecodeError) for _, error in fuzz.run("message", 1, 500))


def test_what_takes_too_long_is_found_whatever_the_parser_catches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(_: bytes) -> object:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - as parsers do that promise never to raise
            return None

    monkeypatch.setattr(fuzz, "LIMIT_S", 0.05)
    monkeypatch.setitem(fuzz.TARGETS, "message", Target(slow, lambda: [b"good"], (Exception,)))
    assert isinstance(fuzz.trouble("message", b"good"), fuzz.TooLong)


def test_every_target_gets_its_share() -> None:
    given: dict[str, int] = {}
    for name, _, inputs in fuzz.jobs(["message", "amounts"], 10_000, seed=1):
        given[name] = given.get(name, 0) + inputs
    assert sum(given.values()) == 10_000
    message, amounts = fuzz.TARGETS["message"].share, fuzz.TARGETS["amounts"].share
    assert given["amounts"] / given["message"] == pytest.approx(amounts / message, rel=0.3)
