"""People: who they are, on which platform, and who leads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby, zip_longest
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, cast, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.leaders import LeaderFacts
from bot.domain.people import Directory, Identity, Person, PersonStatus, Role
from bot.errors import NotFound, Refused
from storage.dialects import AnyRow, fixed, in_chunks, pairs_among, unhurried
from storage.directory import DirectorySaved, DirectorySync, RolesByTitle
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.tables import (
    departments,
    dialogs,
    drafts,
    identities,
    loose_files,
    metadata,
    people,
    pushes,
)

MAX_DEPARTMENT_DEPTH = 20
FolderKey = tuple[str, str]
"""(platform, id of the department)"""

_LEFT = str(PersonStatus.LEFT)
_known = identities.alias("known")
_EACH_WITH_IDENTITIES = (
    select(
        people.c.id, people.c.name, people.c.status, people.c.roles, people.c.mobile,
        people.c.on_leave_until, people.c.deputy_id, people.c.supervisor_override_id,
        _known.c.platform, _known.c.user_id,
    )
    .select_from(people)
    .outerjoin(_known, and_(_known.c.person_id == people.c.id, _known.c.status != fixed(_LEFT)))
    .order_by(people.c.id, _known.c.platform, _known.c.user_id)
)  # fmt: skip
_BY_ID = prepared(_EACH_WITH_IDENTITIES.where(people.c.id == bindparam("key")))
BY_IDENTITY = prepared(
    _EACH_WITH_IDENTITIES.where(
        people.c.id
        == select(identities.c.person_id)
        .where(
            identities.c.platform == bindparam("platform"),
            identities.c.user_id == bindparam("user_id"),
        )
        .scalar_subquery()
    )
)


class People:
    """Everybody, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._known: dict[int, Person] = memory_of(conn, people, identities)

    async def get(self, person_id: int) -> Person:
        """Raises NotFound."""
        if person_id not in self._known and not await self._read(_BY_ID, {"key": person_id}):
            raise NotFound("没有这个人。")
        return self._known[person_id]

    async def names(self, person_ids: Iterable[int]) -> dict[int, str]:
        """By id, also of those who left."""
        found: dict[int, str] = {}
        for chunk in in_chunks(person_ids):
            rows = await self._conn.execute(
                select(people.c.id, people.c.name).where(people.c.id.in_(chunk))
            )
            found |= {row.id: row.name for row in rows}
        return found

    async def find_by_identity(self, platform: str, user_id: str) -> Person | None:
        """Those who left are found too; their status says so."""
        key = {"platform": str(platform), "user_id": user_id}
        return next(iter(await self._read(BY_IDENTITY, key)), None)

    async def members(self, platform: str, user_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Of those user ids that are somebody's: the person's id and name."""
        found: dict[str, tuple[int, str]] = {}
        for chunk in in_chunks(user_ids):
            query = (
                select(identities.c.user_id, people.c.id, people.c.name)
                .join(people, people.c.id == identities.c.person_id)
                .where(identities.c.platform == str(platform), identities.c.user_id.in_(chunk))
            )
            found |= {row.user_id: (row.id, row.name) for row in await self._conn.execute(query)}
        return found

    async def named(self, name: str) -> list[Person]:
        """Everybody of that name, whoever left among them last."""
        found = await self._list(people.c.name == name)
        return sorted(found, key=lambda one: (one.status is PersonStatus.LEFT, one.id))

    async def all_identities(self, person_id: int) -> list[Identity]:
        """Also those of platforms that somebody has left."""
        rows = await self._conn.execute(
            select(identities.c.platform, identities.c.user_id)
            .where(identities.c.person_id == person_id)
            .order_by(identities.c.platform, identities.c.user_id)
        )
        return [Identity(row.platform, row.user_id) for row in rows]

    async def list_active(self) -> list[Person]:
        return await self._list(people.c.status == str(PersonStatus.ACTIVE))

    async def active_ids(self) -> set[int]:
        of_active = select(people.c.id).where(people.c.status == str(PersonStatus.ACTIVE))
        return set((await self._conn.execute(of_active)).scalars())

    async def list_by_role(self, role: Role) -> list[Person]:
        """The active ones who hold the role."""
        holds = cast(people.c.roles, String).contains(f'"{role}"', autoescape=True)
        return await self._list(people.c.status == str(PersonStatus.ACTIVE), holds)

    async def save_directory(
        self, directory: Directory, *, roles_by_title: RolesByTitle, at: datetime
    ) -> DirectorySaved:
        """Make ours what a platform told; see `storage.directory`."""
        sync = DirectorySync(self._conn, directory, roles_by_title)
        saved = await sync.run()
        for kept, gone in sync.same_people:
            await self.join(kept, gone)
        return saved

    async def set_roles(self, person_id: int, roles: Iterable[Role]) -> None:
        """From now on titles change nothing about them."""
        await self._change(person_id, roles=sorted(str(role) for role in roles), roles_fixed=True)

    async def set_leave(
        self, person_id: int, until: datetime | None, deputy_id: int | None
    ) -> None:
        """until: the first moment back at work; None ends the leave."""
        await self._change(person_id, on_leave_until=until, deputy_id=deputy_id)

    async def follow_titles(self, person_id: int) -> None:
        """What titles say of their roles holds again, from the next reading on."""
        await self._change(person_id, roles_fixed=False)

    async def set_supervisor_override(self, person_id: int, supervisor_id: int | None) -> None:
        """Goes before what the platform says; None: the platform's word again."""
        await self._change(person_id, supervisor_override_id=supervisor_id)

    async def join(self, person_id: int, other_person_id: int) -> Person:
        """The two are one human being: all that is the other's becomes the first's.

        Raises NotFound, and Refused when both are members of the same platform.
        """
        person, other = await self.get(person_id), await self.get(other_person_id)
        if person.id == other.id:
            return person
        shared = {one.platform for one in person.identities} & {
            one.platform for one in other.identities
        }
        if shared:
            raise Refused(f"{person.name}和{other.name}在同一个平台上是两个成员，不能合并。")
        await self._move_references(of=other.id, to=person.id)
        await self._change(
            person.id,
            mobile=person.mobile or other.mobile,
            status=str(_better(person.status, other.status)),
            roles=sorted(str(role) for role in person.roles | other.roles),
            deputy_id=_not_self(person.deputy_id or other.deputy_id, person.id, other.id),
            supervisor_override_id=_not_self(
                person.supervisor_override_id or other.supervisor_override_id, person.id, other.id
            ),
        )
        await self._conn.execute(delete(people).where(people.c.id == other.id))
        return await self.get(person.id)

    async def split(
        self, person_id: int, identity: Identity, *, name: str, mobile: str | None
    ) -> Person:
        """That identity is somebody else's after all: a new person, with the open drafts and
        questions of that platform. Facts stay with the one who keeps the other identity.

        Raises NotFound, and Refused when nothing would be left to the first.
        """
        person = await self.get(person_id)
        if identity not in person.identities or len(person.identities) == 1:
            raise Refused(f"{person.name}没有第二个平台的账号，不用拆分。")
        created = await self._conn.execute(
            insert(people)
            .values(
                name=name,
                mobile=mobile,
                status=str(person.status),
                roles=sorted(str(role) for role in person.roles),
            )
            .returning(people.c.id)
        )
        new_id = created.scalar_one()
        of_person = identities.c.person_id == person.id
        one_platform = identities.c.platform == identity.platform
        await self._conn.execute(
            update(identities).where(of_person, one_platform).values(person_id=new_id)
        )
        for table in (drafts, loose_files, dialogs):
            there = table.c.conversation.startswith(f"{identity.platform}:", autoescape=True)
            await self._conn.execute(
                update(table).where(table.c.person_id == person.id, there).values(person_id=new_id)
            )
        return await self.get(new_id)

    async def departments_of(self, identity: Identity) -> list[str]:
        """The names of the departments a member is in, the main one first."""
        row = (
            await self._conn.execute(
                select(identities.c.departments, identities.c.main_department).where(
                    identities.c.platform == identity.platform,
                    identities.c.user_id == identity.user_id,
                )
            )
        ).one_or_none()
        if row is None:
            return []
        found = await self._conn.execute(
            select(departments.c.id, departments.c.name).where(
                departments.c.platform == identity.platform,
                departments.c.id.in_(row.departments),
            )
        )
        names = {department.id: department.name for department in found}
        ranked = sorted(row.departments, key=lambda key: key != row.main_department)
        return [names[key] for key in ranked if key in names]

    async def leader_facts(self, person_id: int) -> LeaderFacts:
        """Who is above somebody, as far as our table and their platforms say. Raises
        NotFound."""
        found = await self.leader_facts_of([person_id])
        if person_id not in found:
            raise NotFound("没有这个人。")
        return found[person_id]

    async def leader_facts_of(
        self, person_ids: Iterable[int], *, who_left: bool = False
    ) -> dict[int, LeaderFacts]:
        """The same of many at once, in a few reads; unknown ids are left out. who_left: they have
        left, and whoever was above them is meant."""
        persons = await self.list_some(person_ids)
        present = identities.c.status != _LEFT
        of_interest = [] if who_left else [present]
        rows = [
            row
            for chunk in in_chunks(sorted(persons))
            for row in await self._conn.execute(
                select(identities)
                .where(identities.c.person_id.in_(chunk), *of_interest)
                .order_by(identities.c.platform, identities.c.user_id)
            )
        ]
        folders = await self._folders_above((row.platform, _main_folder(row)) for row in rows)
        direct: dict[int, list[Identity]] = defaultdict(list)
        chains: dict[int, list[list[list[Identity]]]] = defaultdict(list)
        for row in rows:
            direct[row.person_id] += [Identity(row.platform, one) for one in row.leaders]
            chains[row.person_id].append(_line_of(folders, row.platform, _main_folder(row)))
        levels = {
            person_id: [list(chain(*level)) for level in zip_longest(*lines, fillvalue=[])]
            for person_id, lines in chains.items()
        }
        named = [*chain(*direct.values()), *chain(*(chain(*one) for one in levels.values()))]
        known = await self._by_identity(named)
        overrides = await self.list_some(
            one.supervisor_override_id
            for one in persons.values()
            if one.supervisor_override_id is not None
        )
        return {
            person_id: LeaderFacts(
                person=person,
                override=overrides.get(person.supervisor_override_id or 0),
                direct=_resolve(direct[person_id], known),
                department_leaders=tuple(
                    _resolve(level, known) for level in levels.get(person_id, ())
                ),
            )
            for person_id, person in persons.items()
        }

    async def _folders_above(
        self, start: Iterable[tuple[str, str | None]]
    ) -> dict[FolderKey, AnyRow]:
        """These departments, and each one above them; a read for each level."""
        found: dict[FolderKey, AnyRow] = {}
        wanted = {(platform, folder) for platform, folder in start if folder is not None}
        for _ in range(MAX_DEPARTMENT_DEPTH):
            level: list[AnyRow] = []
            if missing := sorted(wanted - found.keys()):
                key = departments.c.platform, departments.c.id
                level = list(
                    await self._conn.execute(
                        select(departments).where(pairs_among(self._conn, key, missing))
                    )
                )
            if not level:
                break
            found |= {(row.platform, row.id): row for row in level}
            wanted = {(row.platform, row.parent_id) for row in level if row.parent_id is not None}
        return found

    async def _by_identity(self, wanted: Iterable[Identity]) -> dict[Identity, Person]:
        keys = sorted({(one.platform, one.user_id) for one in wanted})
        key = identities.c.platform, identities.c.user_id
        rows = await self._conn.execute(
            select(*key, identities.c.person_id).where(
                pairs_among(self._conn, key, keys), identities.c.status != _LEFT
            )
        )
        owners = {Identity(row.platform, row.user_id): row.person_id for row in rows}
        persons = await self.list_some(owners.values())
        return {identity: persons[person_id] for identity, person_id in owners.items()}

    async def list_some(self, person_ids: Iterable[int]) -> dict[int, Person]:
        """These, as far as they are known, by id."""
        found: dict[int, Person] = {}
        for chunk in in_chunks(sorted(set(person_ids))):
            found |= {one.id: one for one in await self._list(people.c.id.in_(chunk))}
        return found

    async def _list(self, *which: Any) -> list[Person]:
        return await self._read(_EACH_WITH_IDENTITIES.where(*which))

    async def _read(self, query: Select[Any], key: dict[str, Any] | None = None) -> list[Person]:
        rows = [row async for row in unhurried(await self._conn.execute(query, key))]
        each = groupby(rows, key=lambda row: row.id)
        return [self.known(list(own)) async for _, own in unhurried(each)]

    def known(self, rows: Sequence[AnyRow]) -> Person:
        """Somebody as read: a row for each identity, or one without any."""
        person = self._known[rows[0].id] = _to_person(rows)
        return person

    async def _change(self, person_id: int, **values: Any) -> None:
        changed = await self._conn.execute(
            update(people).where(people.c.id == person_id).values(**values)
        )
        if changed.rowcount == 0:
            raise NotFound("没有这个人。")

    async def _move_references(self, *, of: int, to: int) -> None:
        """Wherever a person is named. Where both are named and only one may be, the one that
        stays keeps their row."""
        twin = pushes.alias()
        received = select(twin.c.id).where(
            twin.c.receiver_id == to,
            twin.c.opportunity_id == pushes.c.opportunity_id,
            twin.c.episode == pushes.c.episode,
            twin.c.step == pushes.c.step,
        )
        await self._conn.execute(
            delete(pushes).where(pushes.c.receiver_id == of, received.exists())
        )
        shared = select(dialogs.c.conversation).where(dialogs.c.person_id == to)
        await self._conn.execute(
            delete(dialogs).where(dialogs.c.person_id == of, dialogs.c.conversation.in_(shared))
        )
        await self._conn.execute(
            update(dialogs).where(dialogs.c.person_id == of).values(person_id=to)
        )
        for table in metadata.sorted_tables:
            for column in table.columns:
                if column.references(people.c.id):
                    await self._conn.execute(update(table).where(column == of).values({column: to}))


def _main_folder(row: AnyRow) -> str | None:
    """The department somebody belongs to first."""
    main: str | None = row.main_department or next(iter(row.departments), None)
    return main


def _line_of(
    folders: Mapping[FolderKey, AnyRow], platform: str, start: str | None
) -> list[list[Identity]]:
    """The leaders of the department, then of each one above it."""
    levels: list[list[Identity]] = []
    seen: set[str] = set()
    while start is not None and start not in seen and len(seen) < MAX_DEPARTMENT_DEPTH:
        seen.add(start)
        folder = folders.get((platform, start))
        if folder is None:
            break
        levels.append([Identity(platform, user_id) for user_id in folder.leaders])
        start = folder.parent_id
    return levels


def _to_person(rows: Sequence[AnyRow]) -> Person:
    row = rows[0]
    known = [Identity(one.platform, one.user_id) for one in rows if one.platform is not None]
    return Person(
        id=row.id,
        name=row.name,
        status=PersonStatus(row.status),
        roles=frozenset(Role(role) for role in row.roles),
        mobile=row.mobile,
        identities=tuple(known),
        on_leave_until=row.on_leave_until,
        deputy_id=row.deputy_id,
        supervisor_override_id=row.supervisor_override_id,
    )


def _resolve(wanted: Iterable[Identity], known: dict[Identity, Person]) -> tuple[Person, ...]:
    found = {known[one].id: known[one] for one in wanted if one in known}
    return tuple(found.values())


def _better(one: PersonStatus, other: PersonStatus) -> PersonStatus:
    return min(one, other, key=list(PersonStatus).index)


def _not_self(named_id: int | None, *own_ids: int) -> int | None:
    return None if named_id in own_ids else named_id
