"""Everything that the administrator's pages ask for and order: who may, and which function."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.clock import Clock
from bot.domain.page_sessions import Visitor
from bot.domain.people import Role
from bot.errors import NotAllowed
from bot.router import Begin
from handlers.desk import Desk, Office
from handlers.pages.admin import (
    audits,
    bindings,
    calendars,
    counter,
    exporting,
    libraries,
    operations,
    overview,
    people,
    policies,
)
from handlers.pages.admin.exporting import Read
from handlers.pages.admin.rooms import ADMINS, OVERSEERS, Asked, Look, Machine, Room
from handlers.texts import admin as texts
from storage.unit_of_work import UnitOfWork

Deed = Callable[[Desk, Mapping[str, str]], Awaitable[None]]

VIEWS: dict[str, tuple[frozenset[Role], Look]] = {
    "overview": (OVERSEERS, overview.shown),
    "people": (ADMINS, people.listed),
    "person": (ADMINS, people.shown),
    "proposals": (OVERSEERS, bindings.proposed),
    "unbound": (OVERSEERS, bindings.unbound),
    "bound": (OVERSEERS, bindings.bound),
    "libraries": (OVERSEERS, libraries.listed),
    "library": (OVERSEERS, libraries.shown),
    "policies": (OVERSEERS, policies.listed),
    "policy": (OVERSEERS, policies.shown),
    "calendar": (OVERSEERS, calendars.shown),
    "operations": (ADMINS, operations.shown),
    "dead letters": (ADMINS, operations.dead),
    "audit": (ADMINS, audits.listed),
}

DEEDS: dict[str, tuple[frozenset[Role], Deed]] = {
    "set roles": (ADMINS, people.set_roles),
    "set supervisor": (ADMINS, people.set_supervisor),
    "set leave": (ADMINS, people.set_leave),
    "join": (ADMINS, people.join),
    "part": (ADMINS, people.part),
    "hand over": (ADMINS, people.hand_over),
    "end sessions": (ADMINS, people.end_sessions),
    "accept": (OVERSEERS, bindings.accept),
    "bind": (OVERSEERS, bindings.bind),
    "unbind": (OVERSEERS, bindings.unbind),
    "switch library": (OVERSEERS, libraries.switch),
    "change policy": (OVERSEERS, policies.change),
    "replay": (ADMINS, operations.replay),
    "retry archive": (ADMINS, operations.retry_archive),
    "verify": (ADMINS, audits.verify),
}
"""Whoever may the same by chat; what a use case asks besides, it asks itself."""

LOOK_UPS: dict[str, Callable[[UnitOfWork], Awaitable[object]]] = {"verify": audits.look_through}
"""What a deed wants to know and takes long to read: before its own transaction."""

_TABS = (
    ("/admin", "概览", OVERSEERS),
    ("/admin/people", "人员", ADMINS),
    ("/admin/bindings", "会话绑定", OVERSEERS),
    ("/admin/libraries", "动作库", OVERSEERS),
    ("/admin/policies", "设置", OVERSEERS),
    ("/admin/calendar", "日历", OVERSEERS),
    ("/admin/operations", "运行", ADMINS),
    ("/admin/dead-letters", "失败消息", ADMINS),
    ("/admin/audit", "审计", ADMINS),
    ("/admin/exports", "导出", ADMINS),
)


@dataclass(frozen=True, slots=True)
class ExportsPage:
    """rows: key, what it is called, what is in it."""

    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class AdminSite:
    """One per program. Each method raises UserError for what the visitor may not do."""

    office: Office
    read: Read
    begin: Begin[UnitOfWork]
    clock: Clock
    machine: Machine

    def tabs(self, visitor: Visitor) -> tuple[tuple[str, str], ...]:
        held = visitor.person.roles
        return tuple((path, words) for path, words, roles in _TABS if held & roles)

    async def look(self, visitor: Visitor, view: str, asked: Asked) -> Any:
        if view == "exports":
            self._refuse(visitor, ADMINS)
            named = exporting.TABLES.items()
            return ExportsPage(tuple((key, one[0], one[1]) for key, one in named))
        roles, look = VIEWS[view]
        self._refuse(visitor, roles)
        at = self.clock.now()
        async with self.read() as tx:
            await self.office.policies.follow(tx, at)
            return await look(Room(tx, self.office, self.machine, visitor.person, at), asked)

    async def act(self, visitor: Visitor, deed: str, given: Mapping[str, str]) -> str:
        roles, act = DEEDS[deed]
        self._refuse(visitor, roles)
        at, looked_up = self.clock.now(), None
        if deed in LOOK_UPS:
            async with self.read() as tx:
                looked_up = await LOOK_UPS[deed](tx)
        async with self.begin() as tx:
            await self.office.policies.follow(tx, at)
            desk = await counter.open_desk(tx, self.office, visitor.person, at, looked_up=looked_up)
            await act(desk, given)
            said = await counter.close(desk)
            tx.once_committed(self.machine.wake)
        return said

    async def export(self, visitor: Visitor, what: str) -> tuple[str, AsyncGenerator[bytes, None]]:
        """Who took what away stands in the audit chain before the first row goes out."""
        self._refuse(visitor, ADMINS)
        label, table = exporting.table(what)
        at = self.clock.now()
        async with self.begin() as tx:
            await tx.audit.append(
                at=at,
                actor=f"person:{visitor.person.id}",
                action="export",
                subject=f"table:{what}",
                before=None,
                after={"as": "csv"},
            )
        day = self.office.calendar.day_of(at)
        return f"{label}-{day:%Y%m%d}.csv", exporting.written(self.read, self.office, table)

    def _refuse(self, visitor: Visitor, roles: frozenset[Role]) -> None:
        """Raises NotAllowed."""
        if not visitor.person.roles & roles:
            raise NotAllowed(texts.NOT_YOURS)
