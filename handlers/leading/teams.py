"""Teams: the reps under one supervisor."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime

from bot.domain.leaders import find_supervisor
from bot.domain.people import Person, Role
from storage.unit_of_work import UnitOfWork

MINE = ("我的团队", "我团队", "本团队", "我们团队", "我的组", "我们组")

OVERSEERS = frozenset({Role.SALES_DIRECTOR, Role.ADMIN})
LEADING = OVERSEERS | {Role.SUPERVISOR}


async def by_supervisor(tx: UnitOfWork, at: datetime) -> dict[int, list[Person]]:
    """supervisor id -> their reps, each rep in one team; 0: reps without a supervisor."""
    teams: dict[int, list[Person]] = defaultdict(list)
    for facts in await tx.teams.facts():
        if Role.REP in facts.person.roles:
            supervisor = find_supervisor(facts, at)
            teams[supervisor.id if supervisor else 0].append(facts.person)
    return teams


async def leader_named(tx: UnitOfWork, words: str, *, speaker: Person) -> Person | None:
    """Whose team is meant by «我的团队», «李敏团队», «李主管的团队»; None: not clear."""
    if words in MINE:
        return speaker
    active = await tx.people.list_active()
    names = {words, re.sub(r"的?(?:团队|小组|组)$", "", words)}
    bare = {re.sub(r"(?:主管|经理|总监|组长|总)$", "", name) for name in names}
    found = [person for person in active if person.name in names | bare]
    if len(found) != 1:
        titled = [one for one in active if one.roles & {Role.SUPERVISOR, Role.SALES_DIRECTOR}]
        found = [one for one in titled if any(len(n) == 1 and one.name[0] == n for n in bare)]
    return found[0] if len(found) == 1 else None


def is_called(person: Person, name: str) -> bool:
    """By the full name, or as colleagues say it: 小张, 老张, 阿伟 for 张伟."""
    return name == person.name or name in nicknames(person)


def nicknames(person: Person) -> tuple[str, ...]:
    first, last = person.name[:1], person.name[-1:]
    return (f"小{first}", f"老{first}", f"阿{last}", f"小{last}", person.name[1:])


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
