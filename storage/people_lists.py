"""Lists of people as administrators look through them: searched, filtered, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import PersonStatus, Role
from storage.dialects import in_chunks
from storage.tables import accounts, identities, page_sessions, people

CHUNK = 500
_OWNS = exists().where(accounts.c.owner_id == people.c.id, accounts.c.merged_into_id.is_(None))


class PeopleLists:
    """Queries of people for administrators' lists, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def page(
        self,
        *,
        words: str = "",
        role: Role | None = None,
        status: PersonStatus | None = None,
        with_customers: bool = False,
        after: tuple[str, int] = ("", 0),
        limit: int,
    ) -> list[tuple[str, int]]:
        """(name, id) in that order. words: part of a name, a mobile, or a user id."""
        query = select(people.c.name, people.c.id).where(
            tuple_(people.c.name, people.c.id) > after,
            *_which(words, role, status, with_customers=with_customers),
        )
        rows = await self._conn.execute(query.order_by(people.c.name, people.c.id).limit(limit))
        return [(row.name, row.id) for row in rows]

    async def counts(self) -> dict[PersonStatus, int]:
        rows = await self._conn.execute(
            select(people.c.status, func.count()).group_by(people.c.status)
        )
        return {PersonStatus(status): count for status, count in rows}

    async def left_with_customers(self) -> int:
        """How many who have left still own customers."""
        left = people.c.status == str(PersonStatus.LEFT)
        return int(await self._conn.scalar(select(func.count()).where(left, _OWNS)) or 0)

    async def roles_are_fixed(self, person_id: int) -> bool:
        """Whether an administrator has set them, so that titles change nothing."""
        found = await self._conn.scalar(
            select(people.c.roles_fixed).where(people.c.id == person_id)
        )
        return bool(found)

    async def titles_of(self, person_id: int) -> dict[tuple[str, str], list[str]]:
        """(platform, user id) -> what the directory calls their position."""
        rows = await self._conn.execute(
            select(identities.c.platform, identities.c.user_id, identities.c.titles).where(
                identities.c.person_id == person_id
            )
        )
        return {(row.platform, row.user_id): list(row.titles) for row in rows}

    async def last_sign_ins(self, person_ids: Iterable[int]) -> dict[int, datetime]:
        """When each of them last opened a page."""
        found: dict[int, datetime] = {}
        for chunk in in_chunks(person_ids):
            rows = await self._conn.execute(
                select(page_sessions.c.person_id, func.max(page_sessions.c.began_at))
                .where(page_sessions.c.person_id.in_(chunk))
                .group_by(page_sessions.c.person_id)
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    async def open_sessions(self, person_id: int, at: datetime) -> int:
        query = select(func.count()).where(
            page_sessions.c.person_id == person_id,
            page_sessions.c.ended_at.is_(None),
            page_sessions.c.expires_at > at,
        )
        return int(await self._conn.scalar(query) or 0)

    async def everybody(self) -> AsyncIterator[list[int]]:
        """All ids, some at a time."""
        last = 0
        while True:
            query = select(people.c.id).where(people.c.id > last).order_by(people.c.id)
            ids = list((await self._conn.execute(query.limit(CHUNK))).scalars())
            if not ids:
                return
            yield ids
            last = ids[-1]


def _which(
    words: str, role: Role | None, status: PersonStatus | None, *, with_customers: bool
) -> list[ColumnElement[bool]]:
    found: list[Any] = []
    if words:
        known = exists().where(
            identities.c.person_id == people.c.id,
            func.lower(identities.c.user_id) == words.lower(),
        )
        found.append(
            or_(
                people.c.name.contains(words, autoescape=True),
                people.c.mobile == words,
                known,
            )
        )
    if role is not None:
        found.append(cast(people.c.roles, String).contains(f'"{role}"', autoescape=True))
    if status is not None:
        found.append(people.c.status == str(status))
    if with_customers:
        found.append(_OWNS)
    return found
