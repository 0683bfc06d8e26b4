"""Who answers for a rep: their supervisor, and the one above.

Nobody found means the administrators; a push is never dropped for want of a leader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.people import Person, PersonStatus


@dataclass(frozen=True, slots=True)
class LeaderFacts:
    """What is known of the people above `person`, nearest first.

    override: named in our own table. direct: named by the platform.
    department_leaders: of the main department, then of each department above it.
    """

    person: Person
    override: Person | None = None
    direct: tuple[Person, ...] = ()
    department_leaders: tuple[tuple[Person, ...], ...] = ()


def find_supervisor(facts: LeaderFacts, at: datetime) -> Person | None:
    """The first one above who is at work. Never the person themselves: a leader's own leads
    go one level up. None: ask the administrators."""
    return _first(leaders_above(facts), at, barred={facts.person.id})


def find_next_supervisor(
    supervisor_facts: LeaderFacts, at: datetime, *, below: Person
) -> Person | None:
    """The supervisor's own leader, who may be neither the supervisor nor the rep `below`."""
    barred = {supervisor_facts.person.id, below.id}
    return _first(leaders_above(supervisor_facts), at, barred=barred)


def leaders_above(facts: LeaderFacts) -> Iterator[Person]:
    """Everybody above somebody, nearest first; the same person may come more than once."""
    if facts.override is not None:
        yield facts.override
    yield from facts.direct
    for leaders in facts.department_leaders:
        yield from leaders


def _first(candidates: Iterable[Person], at: datetime, *, barred: set[int]) -> Person | None:
    for person in candidates:
        at_work = person.status is PersonStatus.ACTIVE and not person.on_leave(at)
        if at_work and person.id not in barred:
            return person
    return None
