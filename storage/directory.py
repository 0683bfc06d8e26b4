"""Makes our people what a platform's directory says they are.

A member we do not know is a new person, unless somebody on another platform has the same
mobile number and a name that does not contradict: then it is that person. Roles follow from
titles and from who leads whom, unless an administrator has set them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    bindparam,
    cast,
    delete,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import Directory, DirectoryUser, PersonStatus, Role
from storage.dialects import AnyRow, among, in_chunks, insert_into, unhurried
from storage.tables import departments, identities, people

RolesByTitle = Callable[[tuple[str, ...]], frozenset[Role]]
"""Position and role names of one person -> what they are in the company."""

_AT_ONCE = 1_000  # rows of one statement
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
    """One directory into our tables, inside one transaction. A whole one goes through everybody;
    news of a few read only those whom they concern.

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
        self._concerned: set[str] = set()  # user ids on this platform, of news about a few
        self._people: dict[int, _Known] = {}
        self._by_mobile: dict[str, list[_Known]] = defaultdict(list)

    async def run(self) -> DirectorySaved:
        await self._save_departments()
        await self._load()
        self._concern_members()
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
        for row in await self._conn.execute(
            delete(departments).where(of_platform, *replaced).returning(departments.c.leaders)
        ):
            self._concerned.update(row.leaders)
        self._concerned.update(leader for one in given.values() for leader in one.leaders)
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
        of_people, of_identities = [], []
        if not self._directory.whole:
            named = [user.user_id for user in self._directory.users]
            named += self._directory.left_user_ids
            theirs = select(identities.c.person_id).where(
                identities.c.platform == self._platform,
                among(self._conn, identities.c.user_id, named),
            )
            mobiles = [plain_mobile(user.mobile) for user in self._directory.users]
            same_mobile = among(self._conn, people.c.mobile, filter(None, mobiles))
            of_people.append(or_(people.c.id.in_(theirs), same_mobile))
        columns = people.c.id, people.c.name, people.c.mobile
        async for row in unhurried(await self._conn.execute(select(*columns).where(*of_people))):
            known = self._people[row.id] = _Known(row.id, row.name, row.mobile)
            if known.mobile is not None:
                self._by_mobile[known.mobile].append(known)
        if not self._directory.whole:
            of_identities.append(among(self._conn, identities.c.person_id, self._people))
        rows = await self._conn.execute(select(identities).where(*of_identities))
        async for row in unhurried(rows):
            if row.status != _LEFT:
                self._people[row.person_id].platforms.add(row.platform)
            if row.platform == self._platform:
                self._members[row.user_id] = row

    def _concern_members(self) -> None:
        """Those who are told of, and whoever led them before or does so now."""
        for user in self._directory.users:
            self._concerned.update((user.user_id, *user.leaders))
        self._concerned.update(self._directory.left_user_ids)
        for user_id in self._concerned & self._members.keys():
            self._concerned.update(self._members[user_id].leaders)

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
        owners |= {user.user_id: number for user, number in zip(strangers, ids, strict=True)}
        await self._save_identities([self._identity(user, owners[user.user_id]) for user in users])
        return set(ids), len(users) - len(strangers)

    async def _change(self, users: Sequence[DirectoryUser]) -> set[int]:
        """Members we knew; the ids of the people about whom anything is new."""
        news = []
        async for user in unhurried(users):
            before = self._members[user.user_id]
            now = self._identity(user, before.person_id)
            if before._mapping != now:
                news.append(now)
        await self._save_identities(news)
        touched = {row["person_id"] for row in news}
        async for user in unhurried(users):
            known = self._people[self._members[user.user_id].person_id]
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
        """Status and roles of whom the news concern, since one piece of them may make another
        person a leader; the ids of those whom it changed."""
        memberships = defaultdict(list)
        async for row in unhurried(
            await self._conn.execute(select(identities).where(*self._of_the_concerned()))
        ):
            memberships[row.person_id].append(row)
        leading = await self._leading(
            {row.user_id for members in memberships.values() for row in members}
        )
        changes = []
        async for person in unhurried(
            await self._conn.execute(
                select(people).where(among(self._conn, people.c.id, memberships))
            )
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

    def _of_the_concerned(self) -> list[ColumnElement[bool]]:
        """All their identities, on whatever platform."""
        if self._directory.whole:
            return []
        theirs = select(identities.c.person_id).where(
            identities.c.platform == self._platform,
            among(self._conn, identities.c.user_id, self._concerned),
        )
        return [identities.c.person_id.in_(theirs)]

    async def _leading(self, user_ids: Set[str]) -> set[tuple[str, str]]:
        """Platform and user id of leaders: all there are, or at least those of these user ids."""
        found: set[tuple[str, str]] = set()
        chunks = [[]] if self._directory.whole else list(in_chunks(user_ids))
        for table, which in ((identities, [identities.c.status != _LEFT]), (departments, [])):
            for chunk in chunks:
                named = [or_(*(_names(table.c.leaders, one) for one in chunk))] if chunk else []
                rows = await self._conn.execute(
                    select(table.c.platform, table.c.leaders).where(*which, *named)
                )
                async for row in unhurried(rows):
                    found.update((row.platform, user_id) for user_id in row.leaders)
        return found

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
        for start in range(0, len(rows), _AT_ONCE):
            await self._conn.execute(statement, rows[start : start + _AT_ONCE])


def plain_mobile(mobile: str | None) -> str | None:
    """Digits alone, without China's country code, so that platforms compare."""
    digits = re.sub(r"\D", "", mobile or "")
    return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits) or None


def _names(leaders: ColumnElement[Any], user_id: str) -> ColumnElement[bool]:
    """Whether the list may have this user id. Other letters than ASCII are escaped by one
    database and not by the other."""
    if not user_id.isascii():
        return true()
    return cast(leaders, String).contains(f'"{user_id}"', autoescape=True)


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
