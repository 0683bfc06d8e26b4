"""Who leads somebody at a moment, and who leads them: whom to ask and to tell.

Nobody is left without: where no leader is found, it is the administrators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.leaders import find_next_supervisor, find_supervisor
from bot.domain.people import Person, Role
from storage.unit_of_work import UnitOfWork


async def leaders_of(tx: UnitOfWork, owner_id: int, at: datetime) -> list[Person]:
    """The supervisor, or the administrators where there is none."""
    return (await leaders_of_all(tx, [owner_id], at))[owner_id]


async def next_leaders_of(tx: UnitOfWork, owner_id: int, at: datetime) -> list[Person]:
    """The supervisor's leader, or the administrators."""
    return (await next_leaders_of_all(tx, [owner_id], at))[owner_id]


async def leaders_of_all(
    tx: UnitOfWork, owner_ids: Iterable[int], at: datetime
) -> dict[int, list[Person]]:
    """`leaders_of` each, in a few reads for all."""
    facts = await tx.people.leader_facts_of(owner_ids)
    return await _or_administrators(
        tx, {owner_id: find_supervisor(one, at) for owner_id, one in facts.items()}
    )


async def next_leaders_of_all(
    tx: UnitOfWork, owner_ids: Iterable[int], at: datetime
) -> dict[int, list[Person]]:
    """`next_leaders_of` each, in a few reads for all."""
    facts = await tx.people.leader_facts_of(owner_ids)
    supervisors = {owner_id: find_supervisor(one, at) for owner_id, one in facts.items()}
    above = await tx.people.leader_facts_of(one.id for one in supervisors.values() if one)
    found = {
        owner_id: find_next_supervisor(above[one.id], at, below=facts[owner_id].person)
        if one
        else None
        for owner_id, one in supervisors.items()
    }
    return await _or_administrators(tx, found)


async def _or_administrators(
    tx: UnitOfWork, found: Mapping[int, Person | None]
) -> dict[int, list[Person]]:
    instead = [] if all(found.values()) else await administrators(tx)
    return {owner_id: [leader] if leader else instead for owner_id, leader in found.items()}


async def administrators(tx: UnitOfWork) -> list[Person]:
    """Everybody who holds the role."""
    return list(await tx.people.list_by_role(Role.ADMIN))
