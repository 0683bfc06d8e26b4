"""Makes our people what a platform's directory says they are.

A member we do not know is a new person, unless somebody on another platform has the same
mobile number and a name that does not contradict: then it is that person. Roles follow from
titles and from who leads whom, unless an administrator has set them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import Directory, DirectoryUser, PersonStatus, Role
from storage.dialects import AnyRow, among, insert_into
from storage.tables import departments, identities, people

RolesByTitle = Callable[[tuple[str, ...]], frozenset[Role]]
"""Position and role names of one person -> what they are in the company."""

_LEFT = str(PersonStatus.LEFT)
_STATUSES = [str(status) for status in PersonStatus]  # the most present one first


@dataclass(frozen=True, slots=True)
class DirectorySaved:
    """How many people were new, changed, found to be known from another platform, gone.
    merged: (kept, gone) where two people were found to be one."""

    created: int
    updated: int
    joined: int
    left: int
    merged: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class _Known:
    """A person as found before the news. platforms: where they are a member."""

    id: int
    name: str
    mobile: str | None
    platforms: set[str] = field(default_factory=set)


class DirectorySync:
    """One directory into our tables, inside one transaction.

    same_people: after `run`, pairs found to be one human being, for `People.join`.
    """

    def __init__(
        self, conn: AsyncConnection, directory: Directory, roles_by_title: RolesByTitle
    ) -> None:
        self.same_people: list[tuple[int, int]] = []
        self._conn = conn
        self._directory = directory
        self._platform = str(directory.platform)
        self._roles_by_title = roles_by_title
        self._members: dict[str, AnyRow] = {}  # user id -> identity on this platform
        self._people: dict[int, _Known] = {}
        self._by_mobile: dict[str, list[_Known]] = defaultdict(list)

    async def run(self) -> DirectorySaved:
        await self._save_departments()
        await self._load()
        fresh = [user for user in self._directory.users if user.user_id not in self._members]
        seen = [user for user in self._directory.users if user.user_id in self._members]
        created, joined = await self._add(fresh)
        changed = await self._change(seen)
        left = await self._mark_left()
        changed |= await self._derive()
        return DirectorySaved(
            created=len(created),
            updated=len(changed - created - left),
            joined=joined + len(self.same_people),
            left=len(left),
            merged=tuple(self.same_people),
        )

    async def _save_departments(self) -> None:
        """Replaces all, or the ones in the news. Leaders are named by either side."""
        of_platform = departments.c.platform == self._platform
        given = {one.id: one for one in self._directory.departments}
        replaced = [] if self._directory.whole else [among(self._conn, departments.c.id, given)]
        await self._conn.execute(delete(departments).where(of_platform, *replaced))
        await self._execute_many(
            insert(departments),
            [
                {
                    "platform": self._platform,
                    "id": one.id,
                    "name": one.name,
                    "parent_id": one.parent_id,
                    "leaders": list(one.leaders),
                }
                for one in given.values()
            ],
        )
        led_by: dict[str, list[str]] = defaultdict(list)
        for user in self._directory.users:
            for department_id in user.leads:
                led_by[department_id].append(user.user_id)
        rows = await self._conn.execute(
            select(departments.c.id, departments.c.leaders).where(
                of_platform, among(self._conn, departments.c.id, led_by)
            )
        )
        await self._execute_many(
            update(departments)
            .where(of_platform, departments.c.id == bindparam("of_id"))
            .values(leaders=bindparam("all_leaders")),
            [
                {
                    "of_id": row.id,
                    "all_leaders": list(dict.fromkeys([*row.leaders, *led_by[row.id]])),
                }
                for row in rows
            ],
        )

    async def _load(self) -> None:
        for row in await self._conn.execute(select(people.c.id, people.c.name, people.c.mobile)):
            known = self._people[row.id] = _Known(row.id, row.name, row.mobile)
            if known.mobile is not None:
                self._by_mobile[known.mobile].append(known)
        for row in await self._conn.execute(select(identities)):
            if row.status != _LEFT:
                self._people[row.person_id].platforms.add(row.platform)
            if row.platform == self._platform:
                self._members[row.user_id] = row

    async def _add(self, users: Sequence[DirectoryUser]) -> tuple[set[int], int]:
        """New members: the ids of the new people, and how many members we knew elsewhere."""
        owners: dict[str, int] = {}
        for user in users:
            mate = self._find_mate(user, apart_from={self._platform})
            if mate is not None:
                mate.platforms.add(self._platform)
                owners[user.user_id] = mate.id
        strangers = [user for user in users if user.user_id not in owners]
        ids: list[int] = []
        if strangers:
            created = await self._conn.execute(
                insert(people).returning(people.c.id, sort_by_parameter_order=True),
                [_new_person(user) for user in strangers],
            )
            ids = list(created.scalars())
        new = {user.user_id: number for user, number in zip(strangers, ids, strict=True)}
        await self._save_identities(
            [self._identity(user, (owners | new)[user.user_id]) for user in users]
        )
        return set(ids), len(owners)

    async def _change(self, users: Sequence[DirectoryUser]) -> set[int]:
        """Members we knew; the ids of the people about whom anything is new."""
        rows = [self._identity(user, self._members[user.user_id].person_id) for user in users]
        news = [row for row in rows if self._members[row["user_id"]]._mapping != row]
        await self._save_identities(news)
        touched = {row["person_id"] for row in news}
        for user, row in zip(users, rows, strict=True):
            known = self._people[row["person_id"]]
            if await self._update_person(known, user):
                touched.add(known.id)
            mate = self._find_mate(user, apart_from=known.platforms | {self._platform})
            if mate is not None and mate is not known:
                mate.platforms |= known.platforms
                known.platforms |= mate.platforms
                self.same_people.append((min(mate.id, known.id), max(mate.id, known.id)))
        return touched

    async def _update_person(self, known: _Known, user: DirectoryUser) -> bool:
        """A mobile that is withheld is kept; who is on two platforms keeps the first name."""
        name = user.name if known.platforms <= {self._platform} else known.name
        mobile = plain_mobile(user.mobile) or known.mobile
        if (name, mobile) == (known.name, known.mobile):
            return False
        await self._conn.execute(
            update(people).where(people.c.id == known.id).values(name=name, mobile=mobile)
        )
        return True

    async def _mark_left(self) -> set[int]:
        gone = set(self._directory.left_user_ids)
        if self._directory.whole:
            gone |= self._members.keys() - {user.user_id for user in self._directory.users}
        leaving = [
            self._members[user_id]
            for user_id in gone & self._members.keys()
            if self._members[user_id].status != _LEFT
        ]
        await self._save_identities([{**row._mapping, "status": _LEFT} for row in leaving])
        return {row.person_id for row in leaving}

    async def _derive(self) -> set[int]:
        """Status and roles of everybody, since one piece of news may make another person a
        leader; the ids of those whom it changed."""
        memberships = defaultdict(list)
        leading: set[tuple[str, str]] = set()
        for row in await self._conn.execute(select(identities)):
            memberships[row.person_id].append(row)
            if row.status != _LEFT:
                leading |= {(row.platform, user_id) for user_id in row.leaders}
        for row in await self._conn.execute(select(departments)):
            leading |= {(row.platform, user_id) for user_id in row.leaders}
        changes = []
        for person in await self._conn.execute(
            select(people).where(among(self._conn, people.c.id, memberships))
        ):
            members = memberships[person.id]
            status = min((row.status for row in members), key=_STATUSES.index)
            roles = person.roles
            if status != _LEFT and not person.roles_fixed:
                roles = self._roles_of(members, leading)
            if (status, roles) != (person.status, person.roles):
                changes.append({"of_id": person.id, "now": status, "new_roles": roles})
        await self._execute_many(
            update(people)
            .where(people.c.id == bindparam("of_id"))
            .values(status=bindparam("now"), roles=bindparam("new_roles")),
            changes,
        )
        return {change["of_id"] for change in changes}

    def _roles_of(self, members: Sequence[AnyRow], leading: set[tuple[str, str]]) -> list[str]:
        present = [row for row in members if row.status != _LEFT]
        roles = self._roles_by_title(tuple(title for row in present for title in row.titles))
        if any((row.platform, row.user_id) in leading for row in present):
            roles |= {Role.SUPERVISOR}
        return sorted(str(role) for role in roles)

    def _find_mate(self, user: DirectoryUser, *, apart_from: set[str]) -> _Known | None:
        """The one person with the same mobile who is a member of none of these platforms."""
        mobile = plain_mobile(user.mobile)
        mates = [
            known
            for known in self._by_mobile.get(mobile or "", [])
            if not known.platforms & apart_from and _agree(known.name, user.name)
        ]
        return mates[0] if len(mates) == 1 else None

    def _identity(self, user: DirectoryUser, person_id: int) -> dict[str, Any]:
        return {
            "platform": self._platform,
            "user_id": user.user_id,
            "person_id": person_id,
            "titles": list(user.titles),
            "departments": list(user.departments),
            "main_department": user.main_department,
            "leaders": list(user.leaders),
            "status": str(user.status),
        }

    async def _save_identities(self, rows: Sequence[dict[str, Any]]) -> None:
        statement = insert_into(self._conn, identities)
        told = statement.excluded
        await self._execute_many(
            statement.on_conflict_do_update(
                index_elements=[identities.c.platform, identities.c.user_id],
                set_={
                    column.name: told[column.name]
                    for column in identities.columns
                    if not column.primary_key
                },
            ),
            rows,
        )

    async def _execute_many(self, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self._conn.execute(statement, rows)


def plain_mobile(mobile: str | None) -> str | None:
    """Digits alone, without China's country code, so that platforms compare."""
    digits = re.sub(r"\D", "", mobile or "")
    return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits) or None


def _new_person(user: DirectoryUser) -> dict[str, Any]:
    return {
        "name": user.name,
        "mobile": plain_mobile(user.mobile),
        "status": str(user.status),
        "roles": [],
    }


def _agree(one: str, other: str) -> bool:
    """One name may carry an addition: 王芳 and 王芳(华东)."""
    first, second = ("".join(name.split()).casefold() for name in (one, other))
    return first in second or second in first
