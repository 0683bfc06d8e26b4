"""Who leads whom, of everybody at once: three reads instead of several for each person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.leaders import LeaderFacts
from bot.domain.people import Person, PersonStatus
from storage.people import MAX_DEPARTMENT_DEPTH, People
from storage.tables import departments, identities

_LEFT = str(PersonStatus.LEFT)


class Teams:
    """Queries of who leads whom, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def facts(self) -> list[LeaderFacts]:
        """What `People.leader_facts` says, of each active person; a leader who is not active
        is left out."""
        people = {one.id: one for one in await People(self._conn).list_active()}
        rows = (
            await self._conn.execute(
                select(identities)
                .where(identities.c.status != _LEFT)
                .order_by(identities.c.platform)
            )
        ).all()
        owner = {(row.platform, row.user_id): people.get(row.person_id) for row in rows}
        above = {
            (row.platform, row.id): row for row in await self._conn.execute(select(departments))
        }
        own: dict[int, list[Row[Any]]] = {number: [] for number in people}
        for row in rows:
            if row.person_id in own:
                own[row.person_id].append(row)
        return [_facts(person, own[person.id], people, owner, above) for person in people.values()]


def _facts(
    person: Person,
    own: Sequence[Row[Any]],
    people: dict[int, Person],
    owner: dict[tuple[str, str], Person | None],
    above: dict[tuple[str, str], Row[Any]],
) -> LeaderFacts:
    def resolve(platform: str, user_ids: Sequence[str]) -> list[Person]:
        found = [owner.get((platform, user_id)) for user_id in user_ids]
        return [leader for leader in found if leader is not None]

    direct = [leader for row in own for leader in resolve(row.platform, row.leaders)]
    chains = []
    for row in own:
        levels = []
        place = row.main_department or next(iter(row.departments), None)
        for _ in range(MAX_DEPARTMENT_DEPTH):
            department = above.get((row.platform, place)) if place is not None else None
            if department is None:
                break
            levels.append(resolve(row.platform, department.leaders))
            place = department.parent_id
        chains.append(levels)
    return LeaderFacts(
        person=person,
        override=people.get(person.supervisor_override_id or 0),
        direct=tuple(direct),
        department_leaders=tuple(
            tuple(chain(*level)) for level in zip_longest(*chains, fillvalue=[])
        ),
    )
