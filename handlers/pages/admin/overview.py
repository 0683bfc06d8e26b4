"""`/admin`: what an administrator should look at today."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.people import PersonStatus
from handlers.pages.admin import operations
from handlers.pages.admin.rooms import ADMINS, Asked, Room


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that leads somewhere. tone: "", yellow or red."""

    label: str
    value: str
    note: str
    link: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """waiting: what a person must do, the most pressing first; empty: nothing."""

    tiles: tuple[Tile, ...]
    waiting: tuple[tuple[str, str], ...]


async def shown(room: Room, _: Asked) -> OverviewPage:
    is_admin = bool(room.person.roles & ADMINS)
    tiles = [*(await _of_admins(room) if is_admin else ()), *await _of_overseers(room)]
    waiting = [(one.note or one.label, one.link) for one in tiles if one.tone == "red"]
    waiting += [(one.note or one.label, one.link) for one in tiles if one.tone == "yellow"]
    return OverviewPage(tuple(tiles), tuple(waiting))


async def _of_admins(room: Room) -> list[Tile]:
    tx = room.tx
    counts, boxes = await tx.people_lists.counts(), await tx.delivery.counts()
    left = await tx.people_lists.left_with_customers()
    connectors = await operations.connectors(room)
    ill = [one for one in connectors if one.trouble]
    dead = boxes["inbox_dead"] + boxes["outbox_dead"]
    waiting = boxes["inbox"] + boxes["outbox"]
    return [
        Tile(
            "在岗人员",
            f"{counts.get(PersonStatus.ACTIVE, 0):,}人",
            f"{left}位离开的同事还有客户没交接" if left else "",
            "/admin/people?status=handover" if left else "/admin/people",
            "yellow" if left else "",
        ),
        Tile(
            "连接",
            f"{len(connectors) - len(ill)}/{len(connectors)}正常",
            "、".join(f"{one.platform} {one.name}：{one.trouble}" for one in ill),
            "/admin/operations",
            "red" if ill else "",
        ),
        Tile("排队消息", f"{waiting:,}条", "", "/admin/operations#queues"),
        Tile(
            "失败消息",
            f"{dead:,}条",
            f"{dead:,}条消息没能处理或发出" if dead else "",
            "/admin/dead-letters",
            "red" if dead else "",
        ),
    ]


async def _of_overseers(room: Room) -> list[Tile]:
    policies, shelf = room.office.policies, room.office.libraries
    contacts, groups = await room.tx.boxes.contacts_known()
    year = room.office.calendar.day_of(room.at).year
    covered = year in room.office.calendar.covered_years
    return [
        Tile("客户联系人和群", f"{contacts + groups:,}个", "", "/admin/bindings"),
        Tile("动作库", shelf.organisation.label, "", "/admin/libraries"),
        Tile("改过的设置", f"{len(policies.own(None))}项", "", "/admin/policies"),
        Tile(
            "日历",
            f"{year}年",
            "" if covered else f"{year}年的放假安排还没有导入，按周一到周五算",
            "/admin/calendar",
            "" if covered else "yellow",
        ),
    ]
