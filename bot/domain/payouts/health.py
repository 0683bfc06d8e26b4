"""How healthy bonuses are: what was promised is paid, disputes end soon. Each figure says of how
many. In words: docs/payouts-in-chat.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from statistics import median

from bot.domain.payouts.disputes import TARGET


@dataclass(frozen=True, slots=True)
class Realisation:
    """How much of what was due to people was paid. rate: the mean over people of paid/due, None
    where nobody is due anything. people: those with something due. due_fen, paid_fen: of all."""

    rate: Fraction | None
    people: int
    due_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Closing:
    """How long disputes took on the office clock. within: how many met the target."""

    count: int
    middle: timedelta | None
    mean: timedelta | None
    within: int


def realisation(by_person: Mapping[int, tuple[int, int]]) -> Realisation:
    """by_person: (fen due, fen paid). Whose due is not above zero has nothing to be paid; more
    than what is due counts as all of it."""
    owed = [(due, paid) for due, paid in by_person.values() if due > 0]
    rates = [Fraction(min(max(paid, 0), due), due) for due, paid in owed]
    rate = sum(rates, Fraction()) / len(rates) if rates else None
    return Realisation(rate, len(owed), sum(due for due, _ in owed), sum(paid for _, paid in owed))


def closing(spans: Iterable[timedelta]) -> Closing:
    """spans: from submission to decision, pauses left out."""
    took: Sequence[timedelta] = sorted(spans)
    if not took:
        return Closing(0, None, None, 0)
    seconds = [one.total_seconds() for one in took]
    return Closing(
        len(took),
        timedelta(seconds=median(seconds)),
        timedelta(seconds=sum(seconds) / len(seconds)),
        sum(one <= TARGET for one in took),
    )
