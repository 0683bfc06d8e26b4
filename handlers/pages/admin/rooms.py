"""What one look at an administrator's page works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.domain.people import Person, Role
from bot.router import Job
from handlers.desk import Office
from handlers.texts import pages as page_texts
from handlers.upkeep.upkeep import Listener, Quota
from storage.unit_of_work import UnitOfWork

ADMINS = frozenset({Role.ADMIN})
OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
"""Who may the same by chat."""


class Application(Protocol):
    """One application of a platform, as far as its health is told."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def refusal(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """The running parts that the pages tell of.

    troubles: application -> why it is away. quota: of an application that is paid by the call,
    None of one that is not. next_fire: when a job is due after a moment. archives: of the chat
    archives, figures by application. keep_days: how long archived words are kept, by application.
    """

    applications: Sequence[Application] = ()
    listeners: Sequence[Listener] = ()
    jobs: Sequence[Job[UnitOfWork]] = ()
    next_fire: Callable[[Job[UnitOfWork], datetime], datetime] | None = None
    troubles: Callable[[], Mapping[str, str]] = dict
    parts: Callable[[], Awaitable[Mapping[str, str]]] | None = None
    quota: Callable[[Application], Awaitable[Quota | None]] | None = None
    archives: Callable[[], Awaitable[Mapping[str, Mapping[str, float]]]] | None = None
    keep_days: Mapping[str, int] = field(default_factory=dict)
    wake: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Room:
    """One look: its transaction, who looks, and when."""

    tx: UnitOfWork
    office: Office
    machine: Machine
    person: Person
    at: datetime

    def moment(self, at: datetime | None) -> str:
        """ "" for never."""
        if at is None:
            return ""
        calendar = self.office.calendar
        return page_texts.moment(at.astimezone(calendar.zone), calendar.day_of(self.at))

    def soon(self, at: datetime | None) -> str:
        """«今天 10:22», «明天 03:40», else as `moment`; "" for never."""
        if at is None:
            return ""
        local = at.astimezone(self.office.zone)
        days = (local.date() - self.at.astimezone(self.office.zone).date()).days
        near = {0: "今天", 1: "明天"}.get(days)
        return f"{near} {local:%H:%M}" if near else self.moment(at)

    def ago(self, at: datetime | None) -> str:
        """«3分钟前»; "" for never."""
        if at is None:
            return ""
        minutes = int((self.at - at).total_seconds() // 60)
        if minutes < 1:
            return "刚刚"
        if minutes < 60:
            return f"{minutes}分钟前"
        if minutes < 24 * 60:
            return f"{minutes // 60}小时前"
        return self.moment(at)


Asked = Mapping[str, str]
Look = Callable[[Room, Asked], Awaitable[Any]]
