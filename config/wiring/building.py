"""One bot out of its parts: who is handed whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import aiohttp

from bot.clock import Clock
from bot.dispatcher import Dispatcher
from bot.handling import Handling, Wording, split_all
from bot.messages import Platform
from bot.outbox import Outbox
from bot.ports import Accept, Preparation, Shares
from bot.router import Job
from bot.scheduler import Scheduler
from config.rules import load_rules
from config.settings import Settings
from config.wiring.archives import Archives, chat_archives
from config.wiring.bot import Bot
from config.wiring.erps import erp_jobs, erp_readers
from config.wiring.mailboxes import mail_keeper, mail_readers, most_bytes
from config.wiring.office import office_of
from config.wiring.outside import Outside, reach
from config.wiring.timetable import next_fire_in
from connectors import platforms
from connectors.dingtalk.stream.listening import Stream
from connectors.http import Http
from connectors.queue.inbox import StreamInbox
from connectors.watching.engine import EngineWatch
from connectors.wecom.aibot_link import AibotLink
from handlers import Handlers
from handlers.attending.keeping import AttendanceKeeper, Sources
from handlers.binding.group_making import GroupMaking
from handlers.contacts.contact_keeping import ContactKeeper
from handlers.conversation.reading_back import ReadingBack
from handlers.conversation.second_reading import SecondReading
from handlers.customers.importing import LongImports
from handlers.desk import Office
from handlers.leading.sparing import sparing
from handlers.levels.reading import EvidenceReading
from handlers.mails.fetching import MailFetching
from handlers.mails.keeping import MailKeeper
from handlers.payouts.evidence import EvidencePacks
from handlers.receivables.paper_reading import PaperReading
from handlers.texts import dialog
from handlers.upkeep import months
from handlers.upkeep.together import Together
from handlers.upkeep.upkeep import Upkeep
from storage.database import Database
from storage.probe import WriteProbe
from storage.tokens import SharedTokens
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every part stands on."""

    settings: Settings
    clock: Clock
    database: Database
    outside: Outside
    office: Office
    handlers: Handlers
    archives: Archives
    inbox_due: asyncio.Event
    together: Together | None
    watch: EngineWatch

    @property
    def shares(self) -> Shares | None:
        return self.together.membership if self.together else None


def build(
    settings: Settings,
    *,
    clock: Clock,
    database: Database,
    session: aiohttp.ClientSession,
    together: Together | None = None,
    queue: StreamInbox | None = None,
) -> Bot:
    """Wire one bot. Nothing runs yet. together: with the other processes on its database. queue:
    where messages wait for the database, if not in it."""
    ground = _ground(settings, clock, database, session, together)
    outbox = _outbox(ground)
    dispatcher = _dispatcher(ground, queued=outbox.wake)
    if queue is not None:
        queue.into(dispatcher.accept)
    accept = queue.accept if queue is not None else dispatcher.accept
    streams = _streams(ground, accept)
    upkeep = _upkeep(ground, streams, accept)
    mail = mail_keeper(
        settings,
        ground.office,
        ground.outside.mailboxes,
        database=database,
        clock=clock,
        accept=accept,
    )
    jobs = _jobs(ground, upkeep, mail, accept)
    return Bot(
        settings=settings,
        clock=clock,
        database=database,
        office=ground.office,
        outside=ground.outside,
        dispatcher=dispatcher,
        outbox=outbox,
        scheduler=_scheduler(ground, jobs, queued=outbox.wake),
        streams=streams,
        upkeep=upkeep,
        contacts=_contacts(ground, queued=outbox.wake),
        attendance=_attendance(ground, queued=outbox.wake),
        probe=WriteProbe(database, clock),
        archives=ground.archives,
        mail=mail,
        inbox_due=ground.inbox_due,
        together=together,
        queue=queue,
    )


def _ground(
    settings: Settings,
    clock: Clock,
    database: Database,
    session: aiohttp.ClientSession,
    together: Together | None,
) -> _Ground:
    rules, tokens = load_rules(settings), SharedTokens(database)
    outside = reach(
        settings,
        Http(session),
        tokens=tokens,
        counter=tokens,
        clock=clock,
        zone=rules.calendar.zone,
        holds=together.may_connect if together else None,
    )
    office, inbox_due = office_of(settings, rules, outside), asyncio.Event()
    archives = chat_archives(
        settings,
        outside.archives,
        office,
        database=database,
        files=outside.files,
        voice=outside.voice,
        clock=clock,
    )
    office = replace(
        office,
        wake_archive=together.wake_archive if together else archives.wake,
        wake_inbox=inbox_due.set,
    )
    return _Ground(
        settings=settings,
        clock=clock,
        database=database,
        outside=outside,
        office=office,
        handlers=Handlers(office, read=database.read),
        archives=archives,
        inbox_due=inbox_due,
        together=together,
        watch=EngineWatch(),
    )


def _outbox(ground: _Ground) -> Outbox[UnitOfWork]:
    together = ground.together
    return Outbox(
        store=ground.database,
        connectors=ground.outside.clients,
        clock=ground.clock,
        on_trouble=ground.handlers.on_trouble,
        erps={(Platform.ERP.value, erp.name): erp for erp in ground.outside.erps.forecasts},
        shares=ground.shares,
        tell_others=together.queued if together else lambda: None,
        watcher=ground.watch,
    )


def _dispatcher(ground: _Ground, *, queued: Callable[[], None]) -> Dispatcher[UnitOfWork]:
    outside, settings = ground.outside, ground.settings
    together, model, read = ground.together, outside.model, ground.database.read
    return Dispatcher(
        Handling(
            store=ground.database,
            connectors=outside.clients,
            files=outside.files,
            handle=ground.handlers.handle,
            clock=ground.clock,
            wording=Wording(apology=dialog.apology),
            transcriber=outside.voice if outside.voice.can_hear else None,
            preparations=_preparations(ground),
            second_reader=SecondReading(ground.office, model, read=read) if model else None,
            readers={**erp_readers(settings), **mail_readers(settings)},
            queued=queued,
            watcher=ground.watch,
        ),
        shares=ground.shares,
        hand_over=together.hand_over if together else None,
    )


def _preparations(ground: _Ground) -> list[Preparation]:
    """What takes long is done before a message's transaction, in this order."""
    office, outside, read = ground.office, ground.outside, ground.database.read
    return [
        EvidenceReading(outside.scanner, outside.files, office.calendar, read=read),
        PaperReading(outside.scanner, outside.files, read=read),
        LongImports(office, begin=ground.database.begin, read=read),
        GroupMaking(office, platforms.group_makers(outside.clients), read=read),
        EvidencePacks(outside.files, read=read),
        ReadingBack(office, platforms.readers(outside.clients), read=read),
        MailFetching(
            outside.mailboxes,
            outside.files,
            most_bytes=most_bytes(ground.settings),
            calendar=office.calendar,
            read=read,
        ),
        ground.handlers,
    ]


def _streams(ground: _Ground, accept: Accept) -> list[Stream | AibotLink]:
    """The long connections, which bring what they hear to `accept`."""
    outside = ground.outside
    for way in outside.links.values():
        way.listen(accept)
    return [
        *platforms.streams(outside.apps, outside.http, accept, ground.clock),
        *outside.links,
    ]


def _upkeep(ground: _Ground, streams: Sequence[Stream | AibotLink], accept: Accept) -> Upkeep:
    together = ground.together
    return Upkeep(
        ground.office,
        list(platforms.applications(ground.outside.clients).values()),
        begin=ground.database.begin,
        accept=accept,
        clock=ground.clock,
        public_url=ground.settings.public_url,
        listeners=streams,
        listens=(lambda: together.is_home) if together else lambda: True,
    )


def _jobs(
    ground: _Ground, upkeep: Upkeep, mail: MailKeeper, accept: Accept
) -> list[Job[UnitOfWork]]:
    """All that is done at its time."""
    office, outside = ground.office, ground.outside
    return [
        *sparing(ground.handlers.jobs(), platforms.short(outside.clients)),
        *erp_jobs(office, outside.erps, accept=accept, clock=ground.clock),
        *upkeep.jobs(),
        months.job(ground.settings.storage.keep_inbox_months),
        *map(office.policies.followed, [*ground.archives.jobs(), *mail.jobs()]),
    ]


def _scheduler(
    ground: _Ground, jobs: Sequence[Job[UnitOfWork]], *, queued: Callable[[], None]
) -> Scheduler[UnitOfWork]:
    return Scheduler(
        store=ground.database,
        jobs=jobs,
        next_fire=next_fire_in(ground.office.zone),
        clock=ground.clock,
        split=lambda messages: split_all(ground.outside.clients, messages),
        queued=queued,
        watcher=ground.watch,
    )


def _contacts(ground: _Ground, *, queued: Callable[[], None]) -> ContactKeeper:
    return ContactKeeper(
        ground.office,
        platforms.contact_sources(ground.outside.clients),
        begin=ground.database.begin,
        clock=ground.clock,
        queued=queued,
    )


def _attendance(ground: _Ground, *, queued: Callable[[], None]) -> AttendanceKeeper:
    clients = ground.outside.clients
    return AttendanceKeeper(
        ground.office,
        Sources(platforms.approval_sources(clients), platforms.record_sources(clients)),
        begin=ground.database.begin,
        clock=ground.clock,
        queued=queued,
    )
