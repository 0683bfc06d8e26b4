"""Forecast lines that an ERP holds for us: what to write, what was changed there, what differs.

A line is known by a key of ours that stands on it in the ERP. Nothing that somebody changed
there is written over unasked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum

KEY_PREFIX = "GD-"
"""With which every key of ours begins; by it our lines are found among the ERP's own."""


@dataclass(frozen=True, slots=True)
class ForecastFacts:
    """One expected sale. customer_code: as the ERP has the customer. opportunity: its name, ""
    if unknown. level, evidence: how sure it is, and by which document. A withdrawn line stays,
    with the amount 0."""

    customer_code: str
    amount_fen: int
    expected_on: date
    level: str
    evidence: str
    opportunity: str = ""
    withdrawn: bool = False


FACTS = tuple(field.name for field in fields(ForecastFacts))


class Step(StrEnum):
    """What is to be done with a line in the ERP."""

    CREATE = "create"
    CHANGE = "change"
    NOTHING = "nothing"
    CONFLICT = "conflict"  # somebody changed or removed it there


def next_step(
    wanted: ForecastFacts,
    held: ForecastFacts | None,
    *,
    ours: Collection[ForecastFacts],
    stood: bool,
    overwrite: bool = False,
) -> Step:
    """held: what the ERP has under the key. ours: all that we may have written since it was last
    known to stand there. stood: it is known to have stood there. overwrite: somebody has decided
    that ours goes before theirs."""
    if held == wanted:
        return Step.NOTHING
    if held is None:
        if wanted.withdrawn:
            return Step.NOTHING
        return Step.CONFLICT if stood and not overwrite else Step.CREATE
    return Step.CHANGE if overwrite or held in ours else Step.CONFLICT


def changed_facts(held: ForecastFacts, wanted: ForecastFacts) -> dict[str, object]:
    """The facts in which what is held differs, as it is held."""
    return {
        name: getattr(held, name) for name in FACTS if getattr(held, name) != getattr(wanted, name)
    }


class Difference(StrEnum):
    """How an ERP and we disagree about a line."""

    MISSING = "missing"
    CHANGED = "changed"
    STRANGE = "strange"  # carries a key that we never gave


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A line of forecast that the ERP holds otherwise than we do. held: None where the line is
    missing."""

    key: str
    difference: Difference
    held: ForecastFacts | None = None


def disagreements(
    wanted: Mapping[str, ForecastFacts],
    held: Mapping[str, ForecastFacts],
    *,
    underway: Collection[str] = (),
) -> list[Disagreement]:
    """By key, in order. underway: keys that wait to be written, which says nothing yet."""
    found = [
        Disagreement(key, Difference.STRANGE, facts)
        for key, facts in held.items()
        if key not in wanted
    ]
    for key, facts in wanted.items():
        there = held.get(key)
        if key in underway or there == facts or (there is None and facts.withdrawn):
            continue
        kind = Difference.MISSING if there is None else Difference.CHANGED
        found.append(Disagreement(key, kind, there))
    return sorted(found, key=lambda one: one.key)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a night came to for one ERP. lines: how many there are. retried: keys of those that
    were queued again. blocked: what should be a line and cannot, as (evidence, why)."""

    system: str
    lines: int
    different: tuple[Disagreement, ...] = ()
    retried: tuple[str, ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()

    @property
    def is_fine(self) -> bool:
        return not (self.different or self.retried or self.blocked)
