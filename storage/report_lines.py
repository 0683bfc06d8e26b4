"""Who is above whom, for everybody at once: what `People.leader_facts` tells of one person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import PersonStatus
from storage.tables import departments, identities, people

MAX_DEPTH = 20


async def leaders_of_everybody(conn: AsyncConnection) -> dict[int, list[int]]:
    """Person -> the ids of everybody above, nearest first. Three reads, whatever the size."""
    folders = {(row.platform, row.id): row for row in await conn.execute(select(departments))}
    left = identities.c.status == str(PersonStatus.LEFT)
    every = select(identities).order_by(identities.c.platform)
    members = (await conn.execute(every)).all()
    person_of = {(row.platform, row.user_id): row.person_id for row in members}
    direct: dict[int, list[int]] = {}
    levels: dict[int, list[list[list[int]]]] = {}
    for row in (await conn.execute(every.where(~left))).all():
        named = [person_of.get((row.platform, user_id)) for user_id in row.leaders]
        direct.setdefault(row.person_id, []).extend(one for one in named if one is not None)
        start = row.main_department or next(iter(row.departments), None)
        above = [
            [
                found
                for user in leaders
                if (found := person_of.get((row.platform, user))) is not None
            ]
            for leaders in _department_leaders(folders, row.platform, start)
        ]
        levels.setdefault(row.person_id, []).append(above)
    lines: dict[int, list[int]] = {}
    for person_id, override_id in await conn.execute(
        select(people.c.id, people.c.supervisor_override_id)
    ):
        merged = zip_longest(*levels.get(person_id, []), fillvalue=[])
        flat = chain.from_iterable(chain.from_iterable(level) for level in merged)
        override = [] if override_id is None else [override_id]
        lines[person_id] = list(dict.fromkeys([*override, *direct.get(person_id, []), *flat]))
    return lines


def _department_leaders(
    folders: dict[tuple[str, str], Any], platform: str, start: str | None
) -> Iterator[list[str]]:
    seen: set[str] = set()
    while start is not None and start not in seen and len(seen) < MAX_DEPTH:
        seen.add(start)
        folder = folders.get((platform, start))
        if folder is None:
            return
        yield folder.leaders
        start = folder.parent_id
