"""People: who they are, on which platform, and who leads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import String, cast, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.leaders import LeaderFacts
from bot.domain.people import Directory, Identity, Person, PersonStatus, Role
from bot.errors import NotFound, Refused
from storage.directory import DirectorySaved, DirectorySync, RolesByTitle
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
CHUNK = 500

_PERSON = (
    people.c.id, people.c.name, people.c.status, people.c.roles, people.c.mobile,
    people.c.on_leave_until, people.c.deputy_id, people.c.supervisor_override_id,
)  # fmt: skip
_LEFT = str(PersonStatus.LEFT)


class People:
    """Everybody, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, person_id: int) -> Person:
        """Raises NotFound."""
        found = await self._list(people.c.id == person_id)
        if not found:
            raise NotFound("没有这个人。")
        return found[0]

    async def find_by_identity(self, platform: str, user_id: str) -> Person | None:
        """Those who left are found too; their status says so."""
        person_id = await self._conn.scalar(
            select(identities.c.person_id).where(
                identities.c.platform == str(platform), identities.c.user_id == user_id
            )
        )
        return None if person_id is None else await self.get(person_id)

    async def identity_on(self, person_id: int) -> list[Identity]:
        """Where somebody can be written to, by platform."""
        return list((await self.get(person_id)).identities)

    async def list_active(self) -> list[Person]:
        return await self._list(people.c.status == str(PersonStatus.ACTIVE))

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
        person = await self.get(person_id)
        rows = await self._conn.execute(
            select(identities)
            .where(identities.c.person_id == person_id, identities.c.status != _LEFT)
            .order_by(identities.c.platform)
        )
        direct: list[Identity] = []
        chains: list[list[list[Identity]]] = []
        for row in rows.all():
            direct += [Identity(row.platform, user_id) for user_id in row.leaders]
            start = row.main_department or next(iter(row.departments), None)
            chains.append(await self._department_leaders(row.platform, start))
        levels = [list(chain(*level)) for level in zip_longest(*chains, fillvalue=[])]
        override_id = person.supervisor_override_id
        known = await self._by_identity([*direct, *chain(*levels)])
        return LeaderFacts(
            person=person,
            override=await self.get(override_id) if override_id is not None else None,
            direct=_resolve(direct, known),
            department_leaders=tuple(_resolve(level, known) for level in levels),
        )

    async def _department_leaders(
        self, platform: str, department_id: str | None
    ) -> list[list[Identity]]:
        """Of the department, then of each one above it."""
        levels: list[list[Identity]] = []
        seen: set[str] = set()
        while department_id is not None and len(seen) < MAX_DEPARTMENT_DEPTH:
            if department_id in seen:
                break
            seen.add(department_id)
            rows = await self._conn.execute(
                select(departments.c.parent_id, departments.c.leaders).where(
                    departments.c.platform == platform, departments.c.id == department_id
                )
            )
            row = rows.one_or_none()
            if row is None:
                break
            levels.append([Identity(platform, user_id) for user_id in row.leaders])
            department_id = row.parent_id
        return levels

    async def _by_identity(self, wanted: Sequence[Identity]) -> dict[Identity, Person]:
        keys = sorted({(one.platform, one.user_id) for one in wanted})
        owners: dict[Identity, int] = {}
        for start in range(0, len(keys), CHUNK):
            key = tuple_(identities.c.platform, identities.c.user_id)
            rows = await self._conn.execute(
                select(identities.c.platform, identities.c.user_id, identities.c.person_id).where(
                    key.in_(keys[start : start + CHUNK]), identities.c.status != _LEFT
                )
            )
            owners |= {Identity(row.platform, row.user_id): row.person_id for row in rows}
        persons = {one.id: one for one in await self._list(people.c.id.in_(list(owners.values())))}
        return {identity: persons[person_id] for identity, person_id in owners.items()}

    async def _list(self, *which: Any) -> list[Person]:
        rows = (
            await self._conn.execute(select(*_PERSON).where(*which).order_by(people.c.id))
        ).all()
        if not rows:
            return []
        found = await self._conn.execute(
            select(identities.c.person_id, identities.c.platform, identities.c.user_id)
            .join(people, people.c.id == identities.c.person_id)
            .where(*which, identities.c.status != _LEFT)
            .order_by(identities.c.platform, identities.c.user_id)
        )
        known: dict[int, list[Identity]] = defaultdict(list)
        for row in found:
            known[row.person_id].append(Identity(row.platform, row.user_id))
        return [_to_person(row, known[row.id]) for row in rows]

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


def _to_person(row: Any, known: Sequence[Identity]) -> Person:
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
