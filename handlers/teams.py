"""Teams: the reps under one supervisor."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from bot.domain.leaders import find_supervisor
from bot.domain.people import Person, Role
from storage.unit_of_work import UnitOfWork

OVERSEERS = frozenset({Role.SALES_DIRECTOR, Role.ADMIN})


async def by_supervisor(tx: UnitOfWork, at: datetime) -> dict[int, list[Person]]:
    """supervisor id -> their reps, each rep in one team; 0: reps without a supervisor."""
    teams: dict[int, list[Person]] = defaultdict(list)
    for facts in await tx.teams.facts():
        if Role.REP in facts.person.roles:
            supervisor = find_supervisor(facts, at)
            teams[supervisor.id if supervisor else 0].append(facts.person)
    return teams


async def below(tx: UnitOfWork, leader: Person) -> list[Person]:
    """The reps anywhere below somebody; all of them for who oversees everything."""
    found = []
    for facts in await tx.teams.facts():
        levels = [(facts.override,), facts.direct, *facts.department_leaders]
        above = {one.id for level in levels for one in level if one is not None}
        is_below = leader.id in above or bool(leader.roles & OVERSEERS)
        if Role.REP in facts.person.roles and is_below and facts.person.id != leader.id:
            found.append(facts.person)
    return found
