"""The many ways of saying one thing: most lines of the phrase lists are understood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.domain.activities import Record
from handlers.understanding.normal import normalise
from handlers.understanding.objections import LEAST, find_objections

PHRASES = Path(__file__).parents[3] / "benchmarks" / "understanding"


def _labelled(name: str) -> list[tuple[str, str]]:
    lines = (PHRASES / name).read_text("utf-8").splitlines()
    return [(label, phrase) for label, _, phrase in (line.partition(": ") for line in lines)]


def test_most_phrases_are_read_for_what_they_are(read: Callable[[str], tuple[Record, ...]]) -> None:
    phrases = _labelled("phrases_intents.txt")
    right = sum(read(phrase)[0].intent.value == label for label, phrase in phrases)
    assert right >= 0.95 * len(phrases)


def test_most_objections_are_heard_and_few_are_made_up() -> None:
    right = wrong = 0
    told = [one for one in _labelled("phrases_objections.txt") if len(one[1]) >= LEAST]
    for labels, phrase in told:
        wanted = set(labels.split(",")) - {"-"}
        heard = {one.value for one in find_objections(normalise(phrase))}
        right += 2 * len(wanted & heard)
        wrong += len(wanted ^ heard)
    assert right >= 0.9 * (right + wrong)
