"""What runs in one process."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.dispatcher import MAX_WAITING, Dispatcher
from bot.errors import BotError
from bot.membership import SoleProcess
from bot.outbox import Outbox
from bot.ports import Accept, Place
from bot.scheduler import Scheduler
from config.settings import Settings
from config.wiring.archives import Archives
from config.wiring.outside import Outside
from connectors import platforms
from connectors.dingtalk.stream.listening import Stream
from connectors.queue.inbox import StreamInbox
from connectors.web import health
from connectors.wecom.aibot_link import AibotLink
from handlers.attending.keeping import AttendanceKeeper
from handlers.contacts.contact_keeping import ContactKeeper
from handlers.customers import duplicates
from handlers.deals import rebuilding
from handlers.desk import Office
from handlers.mails.keeping import MailKeeper
from handlers.upkeep.together import Together
from handlers.upkeep.upkeep import Upkeep
from storage.database import Database
from storage.probe import WriteProbe
from storage.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Bot:
    """All running parts of one process."""

    settings: Settings
    clock: Clock
    database: Database
    office: Office
    outside: Outside
    dispatcher: Dispatcher[UnitOfWork]
    outbox: Outbox[UnitOfWork]
    scheduler: Scheduler[UnitOfWork]
    streams: list[Stream | AibotLink]
    upkeep: Upkeep
    contacts: ContactKeeper
    attendance: AttendanceKeeper
    probe: WriteProbe
    archives: Archives
    mail: MailKeeper
    inbox_due: asyncio.Event
    together: Together | None
    queue: StreamInbox | None

    @property
    def accept(self) -> Accept:
        """Where doors bring what they took in."""
        return self.queue.accept if self.queue is not None else self.dispatcher.accept

    def is_at_work(self, conversation: str) -> bool:
        """Whether something that was said there is being handled or on its way to it."""
        on_its_way = self.queue is not None and self.queue.is_on_its_way(conversation)
        return on_its_way or self.dispatcher.is_at_work(conversation)

    @property
    def place(self) -> Place:
        """Where this process stands among those on its database."""
        return self.together.membership if self.together is not None else SoleProcess()

    async def settle(self) -> None:
        """Until nothing is waiting in the inbox and nothing is due in the outbox."""
        await self.dispatcher.drained()
        if self.inbox_due.is_set():
            self.inbox_due.clear()
            await self.dispatcher.recover()
            await self.dispatcher.drained()
        await self.outbox.drain()

    async def read_archives(self) -> None:
        """Until all that the platform has told of is read."""
        await self.dispatcher.drained()
        for archive in self.archives.chats.values():
            with contextlib.suppress(BotError):
                await archive.settle()

    async def note_rules(self) -> None:
        """Lights that were judged by an older calendar or other numbers become due."""
        at = self.clock.now()
        async with self.database.begin() as tx:
            await self.office.lights.note_rules(tx, at)

    async def load_memory(self) -> None:
        """Customers' names and action libraries, as the database has them."""
        await duplicates.file_all(self.database.begin, self.clock.now())
        async with self.database.read() as tx:
            self.office.customers.load(await tx.accounts.list_all())
            self.office.groups.load(await tx.chat_bindings.groups())
            await self.office.libraries.load(tx, self.office.read_library)
            await self.office.policies.follow(tx, self.clock.now())
        await rebuilding.catch_up(
            self.database.begin, self.office.libraries, self.office.calendar, self.clock.now()
        )

    async def count_stored(self) -> dict[str, int]:
        async with self.database.read() as tx:
            return await tx.delivery.counts()

    async def measure(self) -> health.DatabaseFigures:
        """What a look at the metrics costs the database: a count of each thing that is open."""
        now, chats = self.clock.now(), self.archives.chats
        apps = list(self.outside.clients)
        async with self.database.read() as tx:
            due = await tx.standing.outbox_due()
            disputes = await tx.standing.disputes()
            return health.DatabaseFigures(
                stored=await tx.delivery.counts(),
                overdue_s=await tx.delivery.overdue(now),
                outbox_overdue_s={app: _age_s(due.get(app), now) for app in [*apps, *due]},
                lights={str(light): n for light, n in (await tx.standing.lights()).items()},
                disputes=disputes.count,
                dispute_oldest_s=_age_s(disputes.oldest_at, now),
                archives={app: await one.figures(tx, now) for app, one in chats.items()},
            )

    async def health(self) -> health.Health:
        """Wrong credentials make us unready only when no application has right ones: the
        others' messages must still come in."""
        apps = platforms.applications(self.outside.clients)
        refusals = {key: client.refusal for key, client in apps.items()}
        parts = {"storage": await self.probe.trouble(), "queue": "", "tokens": ""}
        if all(refusals.values()):
            parts["tokens"] = "; ".join(refusals.values())
        try:
            waiting = (await self.count_stored())["inbox"]
            parts["queue"] = "backlog" if waiting >= MAX_WAITING else ""
        except Exception as error:  # noqa: BLE001 - a probe reports whatever went wrong
            parts["storage"] = type(error).__name__
        away = {**self.attendance.troubles, **self.contacts.troubles, **self.upkeep.troubles}
        names = [":".join(key) for key in self.outside.clients]
        others = {name: away.get(name, "") for name in names}
        chats = self.archives.chats.items()
        others |= {f"wecom:{app}:archive": archive.trouble for app, archive in chats}
        others |= {**self.mail.troubles, "files": self.outside.files.trouble}
        if self.queue is not None:  # it takes in what comes, however the database is
            others["storage"], parts["queue"] = parts.pop("storage"), self.queue.trouble
        return health.Health(parts, others=others)


def _age_s(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment else 0.0
