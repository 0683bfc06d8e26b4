"""`/admin`: what an administrator should look at today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.people import PersonStatus
from handlers.pages.admin import operations
from handlers.pages.admin.operations import ConnectorLine, QueueLine
from handlers.pages.admin.rooms import ADMINS, Asked, Room
from handlers.texts import operations as words

_DEAD = "/admin/dead-letters"
_OPERATIONS = "/admin/operations"
_QUEUES = f"{_OPERATIONS}#queues"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that leads somewhere. tone: "", yellow or red."""

    label: str
    value: str
    link: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that a person must do or know of. tone: red for the one, yellow for the other.
    words: what is wrong with it and what helps, "" where the title says it."""

    tone: str
    title: str
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """waiting: the most pressing first; empty: nothing."""

    tiles: tuple[Tile, ...]
    waiting: tuple[Waiting, ...]


async def shown(room: Room, _: Asked) -> OverviewPage:
    is_admin = bool(room.person.roles & ADMINS)
    tiles: list[Tile] = []
    waiting: list[Waiting] = []
    for part in (*((_people, _running) if is_admin else ()), _settings):
        more, wait = await part(room)
        tiles += more
        waiting += wait
    waiting.sort(key=lambda one: one.tone != "red")
    return OverviewPage(tuple(tiles), tuple(waiting))


Part = tuple[list[Tile], list[Waiting]]


async def _people(room: Room) -> Part:
    counts = await room.tx.people_lists.counts()
    left = await room.tx.people_lists.left_with_customers()
    link = "/admin/people?status=handover" if left else "/admin/people"
    tone = "yellow" if left else ""
    active = Tile("在岗人员", f"{counts.get(PersonStatus.ACTIVE, 0):,}人", link, tone)
    waits = [Waiting(tone, f"{left}位离开的同事还有客户没交接", "", link)] if left else []
    return [active], waits


async def _running(room: Room) -> Part:
    """How the program fares: applications, queues, dead letters."""
    connectors, queues = await operations.connectors(room), await operations.queues(room)
    boxes = await room.tx.delivery.counts()
    dead, queued = boxes["inbox_dead"] + boxes["outbox_dead"], boxes["inbox"] + boxes["outbox"]
    ill = [
        Waiting("red", name, trouble, _OPERATIONS)
        for name, trouble in await operations.parts(room)
        if trouble
    ]
    ill += filter(None, map(_of_connector, connectors))
    late = _late(queues)
    lost = [Waiting("red", f"{dead:,}条消息没能处理或发出", "", _DEAD)] if dead else []
    well = sum(not one.troubles for one in connectors)
    tiles = [
        Tile(
            "连接",
            f"{well}/{len(connectors)}正常",
            _OPERATIONS,
            "red" if well < len(connectors) else "",
        ),
        Tile("排队消息", f"{queued:,}条", _QUEUES, "yellow" if late else ""),
        Tile("失败消息", f"{dead:,}条", _DEAD, "red" if dead else ""),
    ]
    return tiles, [*ill, *lost, *late]


def _of_connector(line: ConnectorLine) -> Waiting | None:
    told = [one.words for one in line.troubles]
    tone = "red" if told else ""
    if line.quota is not None and line.quota.tone:
        told.append(words.used_up(line.quota.month, line.quota.share, line.quota.foretold))
        tone = tone or line.quota.tone
    name = f"{line.platform} · {line.name}"
    return Waiting(tone, name, "；".join(told), _OPERATIONS) if told else None


def _late(queues: Sequence[QueueLine]) -> list[Waiting]:
    """One of each box."""
    told: dict[str, list[str]] = {}
    for one in queues:
        if one.late:
            told.setdefault(one.box, []).append(words.waits(one.place, one.count, one.oldest))
    return [
        Waiting("yellow", f"{box}消息积压", "；".join(lines), _QUEUES)
        for box, lines in told.items()
    ]


async def _settings(room: Room) -> Part:
    policies, shelf = room.office.policies, room.office.libraries
    contacts, groups = await room.tx.boxes.contacts_known()
    year = room.office.calendar.day_of(room.at).year
    tone = "" if year in room.office.calendar.covered_years else "yellow"
    tiles = [
        Tile("客户联系人和群", f"{contacts + groups:,}个", "/admin/bindings"),
        Tile("动作库", shelf.organisation.label, "/admin/libraries"),
        Tile("改过的设置", f"{len(policies.own(None))}项", "/admin/policies"),
        Tile("日历", f"{year}年", "/admin/calendar", tone),
    ]
    title = f"{year}年的放假安排还没有导入"
    no_days = Waiting("yellow", title, "现在按周一到周五算工作日", "/admin/calendar")
    return tiles, [no_days] if tone else []
