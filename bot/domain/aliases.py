"""Names that reps use for customers: when one may be learnt, and what it then stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHORTEST, LONGEST = 2, 30
PEOPLE_TO_SHARE = 2
"""So many who mean the same by a name, and nobody who denies it, make it everybody's."""


class LearntState(StrEnum):
    """Whether a learnt name still holds."""

    HELD = "held"
    UNDONE = "undone"  # the record that taught it was taken back
    DENIED = "denied"  # «恒锐不是恒锐机电»


@dataclass(frozen=True, slots=True)
class LearntAlias:
    """Somebody chose this customer for this name. alias: normalised."""

    alias: str
    account_id: int
    person_id: int
    state: LearntState = LearntState.HELD


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for. own: by the speaker's own choice, else by that of others."""

    account_id: int
    own: bool


def may_be_learnt(alias: str) -> bool:
    """Whether the words can be a name at all: of a sensible length, and no mere number."""
    return SHORTEST <= len(alias) <= LONGEST and not alias.isdigit()


def meaning(known: Iterable[LearntAlias], person_id: int) -> Meaning | None:
    """What one name stands for when this person uses it; None: ask.

    Who has meant two customers by it is asked each time. `known`: all of one name.
    """
    rows = list(known)
    own = {one.account_id for one in rows if one.person_id == person_id and _is_held(one)}
    if len(own) == 1:
        return Meaning(own.pop(), own=True)
    if own or any(one.person_id == person_id and _is_denied(one) for one in rows):
        return None
    shared = shared_by_all(rows)
    return None if shared is None else Meaning(shared, own=False)


def shared_by_all(known: Iterable[LearntAlias]) -> int | None:
    """The customer that a name stands for whoever says it."""
    rows = list(known)
    meant = {one.account_id for one in rows if _is_held(one)}
    people = {one.person_id for one in rows if _is_held(one)}
    if len(meant) != 1 or len(people) < PEOPLE_TO_SHARE:
        return None
    (account_id,) = meant
    denied = any(_is_denied(one) and one.account_id == account_id for one in rows)
    return None if denied else account_id


def _is_held(alias: LearntAlias) -> bool:
    return alias.state is LearntState.HELD


def _is_denied(alias: LearntAlias) -> bool:
    return alias.state is LearntState.DENIED
