"""All parsers, and the good inputs of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from benchmarks.fuzzing import answers, doors, payouts, uploads, words
from benchmarks.fuzzing.target import FIXTURES, Target

FOUND = FIXTURES / "fuzz"
"""<target>/<what it is>: inputs over which a parser once fell."""

TARGETS: dict[str, Target] = {
    **doors.TARGETS,
    **answers.TARGETS,
    **uploads.TARGETS,
    **words.TARGETS,
    **payouts.TARGETS,
}


def found(name: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((FOUND / name).glob("*"))]


@cache
def corpus(name: str) -> Sequence[bytes]:
    """Good inputs, and those that were not good for the parser once."""
    return [*TARGETS[name].good(), *found(name)]
