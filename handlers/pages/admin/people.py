"""`/admin/people`: everybody, and one of them with all that an administrator decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from bot.domain.leaders import find_supervisor
from bot.domain.people import Person, PersonStatus, Role
from bot.errors import InvalidInput, NotFound, Refused
from handlers.desk import Desk
from handlers.leading import team
from handlers.pages.admin import choosing
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import Asked, Room
from handlers.pages.people import Names
from handlers.people import appointing, joining, leaving
from handlers.texts import admin as texts
from handlers.texts import pages as page_texts
from handlers.texts.binding import PLATFORMS
from storage.unit_of_work import UnitOfWork

PAGE = 50
MOST_NAMED = 8
LEFT_WITH_WORK = "handover"
_SEPARATOR = "~"


@dataclass(frozen=True, slots=True)
class PersonLine:
    """on: names of platforms. leader: who leads them now, "" for nobody."""

    id: int
    name: str
    mobile: str
    status: str
    active: bool
    roles: str
    on: tuple[str, ...]
    leader: str
    away: str
    signed_in: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """status: "", a PersonStatus, or LEFT_WITH_WORK. after: of the next page, "" on the last."""

    words: str
    role: str
    status: str
    roles: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str, int], ...]
    rows: tuple[PersonLine, ...]
    after: str
    first: bool


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account that somebody has on a platform."""

    platform: str
    user_id: str
    departments: str
    titles: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """What is somebody's: how much, and some names."""

    label: str
    count: int
    names: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    """leader_from: where that comes from. candidates: who may be the same human being, with where
    they are. offered: names for a hand-over, the leader first."""

    line: PersonLine
    accounts: tuple[AccountLine, ...]
    leader_from: str
    leader_is_set: bool
    roles: tuple[tuple[str, str, bool], ...]
    roles_are_fixed: bool
    away_until: str
    deputy: str
    sessions: int
    candidates: tuple[tuple[int, str], ...]
    belongings: tuple[Belonging, ...]
    offered: tuple[str, ...]
    today: str


async def listed(room: Room, asked: Asked) -> PeoplePage:
    """Raises InvalidInput for a filter that is none."""
    tx, words = room.tx, asked.get("q", "").strip()[:60]
    status, role, after = asked.get("status", ""), asked.get("role", ""), asked.get("after", "")
    if status not in ("", LEFT_WITH_WORK, *PersonStatus) or role not in ("", *Role):
        raise InvalidInput(texts.NO_KIND)
    left_with_work = status == LEFT_WITH_WORK
    kind = PersonStatus.LEFT if left_with_work else PersonStatus(status) if status else None
    keys = await tx.people_lists.page(
        words=words,
        role=Role(role) if role else None,
        status=kind,
        with_customers=left_with_work,
        after=_place(after),
        limit=PAGE + 1,
    )
    shown = keys[:PAGE]
    counts = await tx.people_lists.counts()
    return PeoplePage(
        words=words,
        role=role,
        status=status,
        roles=tuple((str(one), label) for one, label in page_texts.ROLES.items()),
        statuses=(
            ("", "全部", sum(counts.values())),
            *((str(one), label, counts.get(one, 0)) for one, label in texts.STATUSES.items()),
            (LEFT_WITH_WORK, "离开但没交接", await tx.people_lists.left_with_customers()),
        ),
        rows=await _lines(room, [number for _, number in shown]),
        after=f"{shown[-1][1]}{_SEPARATOR}{shown[-1][0]}" if len(keys) > PAGE else "",
        first=not after,
    )


async def shown(room: Room, asked: Asked) -> PersonPage:
    """Raises NotFound."""
    tx, person = room.tx, await somebody(room.tx, asked)
    facts = (await tx.people.leader_facts_of([person.id], who_left=True))[person.id]
    leader = find_supervisor(facts, room.at)
    names = Names(tx)
    held = person.roles
    return PersonPage(
        line=(await _lines(room, [person.id]))[0],
        accounts=await _accounts(tx, person),
        leader_from=_leader_from(person, leader),
        leader_is_set=person.supervisor_override_id is not None,
        roles=tuple((str(one), label, one in held) for one, label in page_texts.ROLES.items()),
        roles_are_fixed=await tx.people_lists.roles_are_fixed(person.id),
        away_until=_last_day_away(room, person),
        deputy=await names.of(person.deputy_id) if person.on_leave(room.at) else "",
        sessions=await tx.people_lists.open_sessions(person.id, room.at),
        candidates=await _candidates(tx, person),
        belongings=_told(await leaving.belongings(tx, person)),
        offered=await _offered(room, person, leader),
        today=room.office.calendar.day_of(room.at).isoformat(),
    )


async def set_roles(desk: Desk, given: Given) -> None:
    """The boxes that were ticked; with `default`, by title again."""
    person = await somebody(desk.tx, given)
    if "default" in given:
        await appointing.appoint_roles(desk, person, None)
        return
    chosen = frozenset(role for role in Role if f"role.{role}" in given)
    if not chosen:
        raise InvalidInput(texts.ONE_ROLE)
    await appointing.appoint_roles(desk, person, chosen)


async def set_supervisor(desk: Desk, given: Given) -> None:
    person = await somebody(desk.tx, given)
    leader = None if "default" in given else await choosing.person(desk.tx, given.get("who", ""))
    await appointing.appoint_supervisor(desk, person, leader)


async def set_leave(desk: Desk, given: Given) -> None:
    person = await somebody(desk.tx, given)
    if "end" in given:
        await team.end_leave(desk, person)
        return
    last_day = choosing.day(given.get("until", ""))
    if last_day is None:
        raise InvalidInput(texts.NO_DAY)
    words = given.get("deputy", "").strip()
    deputy = await choosing.person(desk.tx, words) if words else None
    await team.give_leave(desk, person, last_day, deputy)


async def join(desk: Desk, given: Given) -> None:
    person = await somebody(desk.tx, given)
    other = await choosing.person(desk.tx, given.get("other", ""))
    if person.id == other.id:
        raise Refused(texts.WHO)
    await joining.join(desk, person, other)


async def part(desk: Desk, given: Given) -> None:
    await joining.part_person(desk, await somebody(desk.tx, given))


async def hand_over(desk: Desk, given: Given) -> None:
    leaver = await somebody(desk.tx, given)
    to = await choosing.person(desk.tx, given.get("who", ""))
    await leaving.hand_over_all(desk, leaver, to)


async def end_sessions(desk: Desk, given: Given) -> None:
    """Whoever lost a phone: every page of theirs asks for a new link."""
    person = await somebody(desk.tx, given)
    await desk.tx.page_sessions.end_all_of(person.id, at=desk.at, why="by an admin")
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="end_sessions",
        subject=f"person:{person.id}",
        before=None,
        after={},
    )
    desk.say(texts.SESSIONS_ENDED.format(name=person.name))


async def somebody(tx: UnitOfWork, asked: Mapping[str, str]) -> Person:
    """Whom the address names. Raises NotFound."""
    try:
        return await tx.people.get(int(asked["number"]))
    except NotFound:
        raise NotFound(texts.NO_SUCH_PERSON) from None


async def _lines(room: Room, ids: list[int]) -> tuple[PersonLine, ...]:
    tx = room.tx
    persons = await tx.people.list_some(ids)
    facts = await tx.people.leader_facts_of(ids)
    signed_in = await tx.people_lists.last_sign_ins(ids)
    found = []
    for number in ids:
        person = persons[number]
        leader = find_supervisor(facts[number], room.at)
        active = person.status is PersonStatus.ACTIVE
        found.append(
            PersonLine(
                id=number,
                name=person.name,
                mobile=person.mobile or "",
                status=texts.STATUSES[person.status],
                active=active,
                roles="、".join(
                    label for role, label in page_texts.ROLES.items() if role in person.roles
                ),
                on=tuple(PLATFORMS.get(one.platform, one.platform) for one in person.identities),
                leader=leader.name if leader is not None and active else "",
                away=_last_day_away(room, person),
                signed_in=room.ago(signed_in.get(number)),
            )
        )
    return tuple(found)


async def _accounts(tx: UnitOfWork, person: Person) -> tuple[AccountLine, ...]:
    titles = await tx.people_lists.titles_of(person.id)
    return tuple(
        [
            AccountLine(
                PLATFORMS.get(one.platform, one.platform),
                one.user_id,
                " / ".join(await tx.people.departments_of(one)),
                "、".join(titles.get((one.platform, one.user_id), [])),
            )
            for one in await tx.people.all_identities(person.id)
        ]
    )


async def _candidates(tx: UnitOfWork, person: Person) -> tuple[tuple[int, str], ...]:
    """Of the same name, and not on the same platform."""
    namesakes = [
        one
        for one in await tx.people.named(person.name)
        if one.id != person.id and one.status is PersonStatus.ACTIVE and joining.may_be(person, one)
    ]
    return tuple(
        (one.id, "、".join(f"{PLATFORMS[i.platform]} {i.user_id}" for i in one.identities))
        for one in namesakes
    )


async def _offered(room: Room, person: Person, leader: Person | None) -> tuple[str, ...]:
    """Names that a form proposes: the leader, and colleagues who are reps or lead."""
    keys = await room.tx.people_lists.page(status=PersonStatus.ACTIVE, limit=200)
    names = [leader.name] if leader is not None else []
    names += [name for name, number in keys if number != person.id]
    return tuple(dict.fromkeys(names))


def _told(theirs: leaving.Belongings) -> tuple[Belonging, ...]:
    every = (
        ("客户", len(theirs.accounts), _named([one.name for one in theirs.accounts])),
        ("进行中的商机", theirs.deals, ""),
        ("没确认的草稿", len(theirs.drafts), _named([one.text[:20] for one in theirs.drafts])),
        ("待补全的记录", theirs.deadlines, ""),
        ("外部联系人", theirs.contact_count, ""),
        ("客户群", len(theirs.groups), _named([one.name for one in theirs.groups])),
    )
    return tuple(Belonging(*one) for one in every if one[1])


def _named(names: list[str] | tuple[str, ...]) -> str:
    shown = "、".join(islice((one for one in names if one), MOST_NAMED))
    return f"{shown} 等" if len(names) > MOST_NAMED else shown


def _leader_from(person: Person, leader: Person | None) -> str:
    if leader is None:
        return "没有主管时，提醒发给管理员"
    if leader.id == person.supervisor_override_id:
        return "在这里指定"
    return "按通讯录" if person.supervisor_override_id is None else "指定的主管不在，按通讯录"


def _last_day_away(room: Room, person: Person) -> str:
    """ "" for somebody who is at work."""
    if not person.on_leave(room.at) or person.on_leave_until is None:
        return ""
    calendar = room.office.calendar
    last_day = calendar.day_of(person.on_leave_until) - timedelta(days=1)
    return page_texts.day(last_day, calendar.day_of(room.at))


def _place(after: str) -> tuple[str, int]:
    """Raises InvalidInput."""
    if not after:
        return "", 0
    number, separator, name = after.partition(_SEPARATOR)
    if not separator or not number.isdecimal() or len(number) > 18:
        raise InvalidInput(texts.NO_PAGE)
    return name, int(number)
