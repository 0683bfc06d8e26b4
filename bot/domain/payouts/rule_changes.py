"""New versions of rules on their way to being published (docs/rules-canvas.md).

draft → simulated → approved by a second person → published; in between perhaps tested in silence.
What is published is never edited: where a newer version begins, the older one ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.domain.payouts.days import SHANGHAI
from bot.domain.people import Person, Role

Document = Mapping[str, Any]
"""One rule as in a rules file; `reading_rules.py` says what it holds."""

AUTHORS = frozenset({Role.ADMIN, Role.HRBP, Role.FINANCE})
APPROVERS = AUTHORS | {Role.SALES_DIRECTOR}
SIMULATED_MONTHS = 3
"""Whole months that a simulation replays, and the present one up to now."""


class State(StrEnum):
    """Where a change of rules stands on its way to being published."""

    DRAFT = "draft"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"  # simulated, and asked for approval
    APPROVED = "approved"
    TESTING = "testing"  # approved, and compared in silence: nobody is paid by it or told
    PUBLISHED = "published"
    DROPPED = "dropped"  # taken back by its author, or refused


class Move(StrEnum):
    """What somebody does with a change of rules."""

    SIMULATE = "simulate"
    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    TEST = "test"
    PUBLISH = "publish"
    DROP = "drop"


MOVES: Mapping[tuple[State, Move], State] = {
    (State.DRAFT, Move.SIMULATE): State.SIMULATED,
    (State.DRAFT, Move.DROP): State.DROPPED,
    (State.SIMULATED, Move.SIMULATE): State.SIMULATED,
    (State.SIMULATED, Move.SUBMIT): State.SUBMITTED,
    (State.SIMULATED, Move.DROP): State.DROPPED,
    (State.SUBMITTED, Move.APPROVE): State.APPROVED,
    (State.SUBMITTED, Move.REFUSE): State.DROPPED,
    (State.SUBMITTED, Move.DROP): State.DROPPED,
    (State.APPROVED, Move.TEST): State.TESTING,
    (State.APPROVED, Move.PUBLISH): State.PUBLISHED,
    (State.APPROVED, Move.DROP): State.DROPPED,
    (State.TESTING, Move.SIMULATE): State.TESTING,
    (State.TESTING, Move.PUBLISH): State.PUBLISHED,
    (State.TESTING, Move.DROP): State.DROPPED,
}


class Unfit(StrEnum):
    """Why somebody may not make a move."""

    STATE = "state"
    ROLE = "role"
    FOUR_EYES = "four_eyes"  # who wrote in it does not approve it


@dataclass(frozen=True, slots=True)
class Change:
    """New versions that go through the steps together. simulation: what the last one found.
    revision: how often it was saved on the canvas, edited_at the last time; writers: who did so,
    the last one at the end. layout: where its parts stand there."""

    id: int
    rules: tuple[Document, ...]
    state: State
    author_id: int
    created_at: datetime
    simulation: Mapping[str, Any] | None = None
    approved_by: int | None = None
    tested_since: datetime | None = None
    published_at: datetime | None = None
    note: str = ""
    revision: int = 0
    edited_at: datetime | None = None
    writers: tuple[int, ...] = ()
    layout: Mapping[str, Any] | None = None

    def was_written_by(self, person_id: int) -> bool:
        return person_id == self.author_id or person_id in self.writers


EDITABLE = frozenset({State.DRAFT, State.SIMULATED})
"""A simulation belongs to what was simulated: whoever edits it begins as a draft again."""


def refusal_to_edit(change: Change, person: Person) -> Unfit | None:
    """None when the person may change what it says now."""
    if not person.roles & AUTHORS:
        return Unfit.ROLE
    return None if change.state in EDITABLE else Unfit.STATE


def refusal_of(change: Change, move: Move, person: Person) -> Unfit | None:
    """None when the person may do it now."""
    if not person.roles & (APPROVERS if move in (Move.APPROVE, Move.REFUSE) else AUTHORS):
        return Unfit.ROLE
    if (change.state, move) not in MOVES:
        return Unfit.STATE
    if move is Move.APPROVE and change.was_written_by(person.id):
        return Unfit.FOUR_EYES
    return None


def combine(published: Iterable[tuple[Sequence[Document], datetime]]) -> list[dict[str, Any]]:
    """All published rules as one rules file. published: (rules, when), the first first.

    A rule keeps the place of its first version. An open version ends where a newer one begins
    that does not name it in `supersedes`. A first version replaces nothing, so it may begin before
    it is published; whether it takes something from somebody, a simulation finds out.
    """
    places: dict[str, list[dict[str, Any]]] = {}
    for rules, at in published:
        replaced = set(places)
        for rule in rules:
            versions = places.setdefault(str(rule["id"]), [])
            told = {key: value for key, value in rule.items() if key != "published_at"}
            if str(rule["id"]) in replaced or rule.get("supersedes") is not None:
                told["published_at"] = at.astimezone(SHANGHAI).isoformat(timespec="seconds")
            versions.append(told)
    for versions in places.values():
        for n, newer in enumerate(versions):
            if newer.get("supersedes") is None:
                _end_before(versions[:n], str(newer["effective_from"]))
    return [rule for versions in places.values() for rule in versions]


def _end_before(older: Iterable[dict[str, Any]], begins: str) -> None:
    """ISO days compare as texts."""
    for rule in older:
        if rule.get("effective_to") is None and str(rule["effective_from"]) < begins:
            rule["effective_to"] = begins


def as_if_always(
    published: Sequence[Document], rules: Sequence[Document], since: date
) -> list[dict[str, Any]]:
    """What would have applied from `since` on, had these rules been in force all the time."""
    changed = {str(rule["id"]): _from(rule, since) for rule in rules}
    whole: list[dict[str, Any]] = []
    for rule in published:
        key = str(rule["id"])
        if key not in {str(each["id"]) for each in rules}:
            whole.append(dict(rule))
        elif key in changed:
            whole.append(changed.pop(key))
    return [*whole, *changed.values()]


def _from(rule: Document, since: date) -> dict[str, Any]:
    left_out = ("supersedes", "published_at", "effective_to", "legal_approval")
    kept = {key: value for key, value in rule.items() if key not in left_out}
    return {**kept, "effective_from": since.isoformat()}


def window(today: date, months: int = SIMULATED_MONTHS) -> date:
    """The first of the month that lies `months` months before today's."""
    number = today.year * 12 + today.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def effective_on(rules: Iterable[Document]) -> date:
    """The first day on which any of them applies."""
    return min(date.fromisoformat(str(rule["effective_from"])) for rule in rules)
