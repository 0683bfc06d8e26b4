"""Start here. COMMANDS: name -> function. Builds every part, wires, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import io
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import aiohttp
import typer
from aiohttp import web
from apscheduler.triggers.cron import CronTrigger
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock, MovableClock, WallClock, wait_for
from bot.dispatcher import MAX_WAITING, Dispatcher, Wording, split_all
from bot.domain.calendar import ClockKind
from bot.domain.identifiers import one_domain
from bot.domain.mails import Ours
from bot.domain.page_sessions import is_own_path
from bot.domain.sharing import HOME, Division
from bot.domain.supply import Station
from bot.domain.websites import MaterialLink, Website
from bot.errors import BotError, NotFound, PermanentError, TransientError
from bot.membership import AllAlone
from bot.messages import Platform
from bot.outbox import Outbox
from bot.ports import (
    Accept,
    EnvelopeReader,
    Place,
    TokenStore,
)
from bot.router import Job
from bot.scheduler import NextFire, Scheduler
from config import doctor, logs
from config import setup as setting_up
from config.coaching import load_tracks
from config.library import read_upload
from config.policy import ConfigError, change_policy, load_policy
from config.rules import load_rules
from config.settings import (
    Settings,
    config_path,
    load_engines,
    load_settings,
)
from connectors import platforms
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.listening import Stream
from connectors.erp import catalogue
from connectors.erp import notices as erp_door
from connectors.erp.catalogue import Erps
from connectors.http import Http
from connectors.llm.client import LanguageModelClient
from connectors.mail.heads import HeadReader
from connectors.mail.mailbox import Mailbox
from connectors.mail.session import MailAccess
from connectors.platforms import Clients
from connectors.queue.access import Access as QueueAccess
from connectors.queue.inbox import StreamInbox
from connectors.queue.inbox import look as look_at_queue
from connectors.tokens import OwnTokens
from connectors.track.door import TrackDoor
from connectors.watching.engine import EngineWatch
from connectors.web import health, server
from connectors.web.admin import AdminPages
from connectors.web.assets import Assets
from connectors.web.guard import Guard
from connectors.web.pages import Pages
from connectors.web.rendering import Renderer
from connectors.web.rules import RulePages
from connectors.wecom.aibot_client import AibotClient
from connectors.wecom.aibot_link import AibotLink
from connectors.wecom.archive.source import ArchiveAccess, ArchiveSource
from connectors.wecom.client import MenuEntry
from connectors.wecom.settings import Aibot, WecomApp
from handlers import Handlers, conversions, demo, duplicates, months, personal_data, rebuilding
from handlers.alerts import Alerts
from handlers.archive.bindings import BoundChats
from handlers.archive.chats import ChatArchive
from handlers.attending.keeping import AttendanceKeeper, Sources
from handlers.binding.group_making import GroupMaking
from handlers.commands import MENU_WORDS
from handlers.contact_keeping import ContactKeeper
from handlers.contact_moving import moving_platforms
from handlers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.erp_feeds import ErpFeeds
from handlers.erp_polling import ErpPolling
from handlers.erp_reconciling import Reconciliation
from handlers.heatmap import Painter
from handlers.importing import LongImports
from handlers.in_step import Following
from handlers.levels.reading import EvidenceReading
from handlers.libraries import LibraryShelf
from handlers.machine_forecast import command as machine_forecast
from handlers.mails.fetching import MailFetching
from handlers.mails.keeping import MailKeeper
from handlers.mails.reading import MailReading
from handlers.mails.watching import MailWatch
from handlers.pages import sandbox as sandbox_pages
from handlers.pages import signing_in
from handlers.pages.admin.wiring import Running, site_of
from handlers.pages.rules.site import RuleSite
from handlers.pages.screen import Screens
from handlers.pages.site import Site
from handlers.paper_reading import PaperReading
from handlers.payouts import command as payouts
from handlers.payouts.evidence import EvidencePacks
from handlers.policies import PolicyBook
from handlers.reading_back import ReadingBack
from handlers.second_reading import SecondReading
from handlers.sparing import sparing
from handlers.texts import dialog
from handlers.together import Parts, Together
from handlers.understanding import command as understanding
from handlers.understanding.reader import Reader
from handlers.upkeep import Upkeep
from speech.ocr.scanner import Scanner
from speech.voice import Choice, Voice
from speech.workers.worker import Worker
from storage import admin, beside, connections, move, restoring, sealing
from storage.archive_files import PartialFiles
from storage.database import Database
from storage.kept_files import Bucket, KeptFiles, open_files
from storage.ownership import is_shared, sole_owner, turn
from storage.probe import WriteProbe
from storage.signal_intake import SignalIntake
from storage.tokens import SharedTokens
from storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from connectors.sandbox.world import Hooks

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="跟单 Gendan")
db = typer.Typer(help="数据库：升级、备份、校验")
cli.add_typer(db, name="db")
cli.add_typer(payouts.app, name="payouts")
cli.add_typer(machine_forecast.app, name="forecast")

RECOVER_EVERY_S = 15.0

log = logging.getLogger(__name__)

DingtalkMode = Literal["http", "stream"]
AibotMode = Literal["http", "websocket"]

MENU = [MenuEntry(MENU_WORDS[key], key=key) for key in ("todo", "lights", "help")]


@dataclass(frozen=True, slots=True)
class Archives:
    """Of the applications that have one: how it is reached, and what is done about it."""

    sources: Mapping[str, ArchiveSource]
    chats: Mapping[str, ChatArchive]

    def jobs(self) -> list[Job[UnitOfWork]]:
        return [job for one in self.chats.values() for job in one.jobs()]

    def wake(self, app: str) -> None:
        if app in self.chats:
            self.chats[app].wake()

    async def close(self) -> None:
        for source in self.sources.values():
            await source.close()


@dataclass(slots=True)
class Bot:
    """All running parts of one process."""

    settings: Settings
    clock: Clock
    database: Database
    files: KeptFiles
    office: Office
    clients: Clients
    dispatcher: Dispatcher[UnitOfWork]
    outbox: Outbox[UnitOfWork]
    scheduler: Scheduler[UnitOfWork]
    streams: list[Stream | AibotLink]
    upkeep: Upkeep
    contacts: ContactKeeper
    attendance: AttendanceKeeper
    probe: WriteProbe
    voice: Voice
    scanner: Scanner | None
    archives: Archives
    mail: MailKeeper
    mailboxes: Mapping[str, Mailbox]
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
        return self.together.membership if self.together is not None else AllAlone()

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

    async def measure(self) -> health.Standing:
        """What a look at the metrics costs the database: a count of each thing that is open."""
        now, chats = self.clock.now(), self.archives.chats
        async with self.database.read() as tx:
            due = await tx.standing.outbox_due()
            disputes = await tx.standing.disputes()
            return health.Standing(
                stored=await tx.delivery.counts(),
                overdue_s=await tx.delivery.overdue(now),
                outbox_overdue_s={app: _age_s(due.get(app), now) for app in [*self.clients, *due]},
                lights={str(light): n for light, n in (await tx.standing.lights()).items()},
                disputes=disputes.count,
                dispute_oldest_s=_age_s(disputes.oldest_at, now),
                archives={app: await one.figures(tx, now) for app, one in chats.items()},
            )

    async def health(self) -> health.Health:
        """Wrong credentials make us unready only when no application has right ones: the
        others' messages must still come in."""
        apps = platforms.applications(self.clients)
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
        names = [":".join(key) for key in self.clients]
        others = {name: away.get(name, "") for name in names}
        chats = self.archives.chats.items()
        others |= {f"wecom:{app}:archive": archive.trouble for app, archive in chats}
        others |= {**self.mail.troubles, "files": self.files.trouble}
        if self.queue is not None:  # it takes in what comes, however the database is
            others["storage"], parts["queue"] = parts.pop("storage"), self.queue.trouble
        return health.Health(parts, others=others)


def _age_s(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment else 0.0


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
    files = _kept_files(settings)
    tokens = SharedTokens(database)
    http = Http(session)
    apps = _apps(settings)
    clients = platforms.clients(apps, http, tokens, tokens, files, clock=clock, menu=MENU)
    links = platforms.add_robots(
        clients, apps, http, files, clock=clock, holds=together and together.may_connect
    )
    voice, scanner = _voice(settings, http), _scanner(settings)
    office = _office(settings, clients, files)
    erps = _erps(settings, http, clock, office.zone)
    office = replace(
        office,
        order_erps=tuple(erp.name for erp in erps.orders),
        forecast_erps=tuple(erp.name for erp in erps.forecasts),
        platforms_with_contacts=moving_platforms(platforms.contact_sources(clients)),
    )
    sources = _archives(settings, http, tokens, clock, office.zone)
    archives = _chat_archives(
        settings, sources, office, database=database, files=files, voice=voice, clock=clock
    )
    inbox_due = asyncio.Event()
    office = replace(
        office,
        wake_archive=together.wake_archive if together else archives.wake,
        wake_inbox=inbox_due.set,
        mailboxes={name: one.owner for name, one in settings.mail.items()},
        mail_owners={
            address: one.owner
            for one in settings.mail.values()
            if one.owner
            for address in one.own_addresses
        },
    )
    mailboxes = _mailboxes(settings)
    handlers = Handlers(office, read=database.read)
    model = _language_model(settings, http, clock)
    watch = EngineWatch()
    outbox = Outbox(
        store=database,
        connectors=clients,
        clock=clock,
        on_trouble=handlers.on_trouble,
        erps={(Platform.ERP.value, erp.name): erp for erp in erps.forecasts},
        shares=together and together.membership,
        tell_others=together.queued if together else lambda: None,
        watcher=watch,
    )
    dispatcher = Dispatcher(
        store=database,
        connectors=clients,
        files=files,
        handle=handlers.handle,
        clock=clock,
        wording=Wording(apology=dialog.apology),
        transcriber=voice if voice.can_hear else None,
        preparations=[
            EvidenceReading(scanner, files, office.calendar, read=database.read),
            PaperReading(scanner, files, read=database.read),
            LongImports(office, begin=database.begin, read=database.read),
            GroupMaking(office, platforms.group_makers(clients), read=database.read),
            EvidencePacks(files, read=database.read),
            ReadingBack(office, platforms.readers(clients), read=database.read),
            MailFetching(
                mailboxes,
                files,
                most_bytes=_most_bytes(settings),
                calendar=office.calendar,
                read=database.read,
            ),
            handlers,
        ],
        second_reader=model and SecondReading(office, model, read=database.read),
        readers={**_erp_readers(settings), **_mail_readers(settings)},
        queued=outbox.wake,
        shares=together and together.membership,
        hand_over=together and together.hand_over,
        watcher=watch,
    )
    if queue is not None:
        queue.into(dispatcher.accept)
    accept = queue.accept if queue is not None else dispatcher.accept
    for way in links.values():
        way.listen(accept)
    streams: list[Stream | AibotLink] = [
        *platforms.streams(apps, http, accept, clock),
        *links,
    ]
    upkeep = Upkeep(
        office,
        list(platforms.applications(clients).values()),
        begin=database.begin,
        accept=accept,
        clock=clock,
        public_url=settings.public_url,
        listeners=streams,
        listens=(lambda: together.is_home) if together else lambda: True,
    )
    mail = _mail_keeper(settings, office, mailboxes, database=database, clock=clock, accept=accept)
    scheduler = Scheduler(
        store=database,
        jobs=(
            *sparing(handlers.jobs(), platforms.short(clients)),
            *_erp_jobs(office, erps, accept=accept, clock=clock),
            *upkeep.jobs(),
            months.job(settings.storage.keep_inbox_months),
            *map(office.policies.followed, [*archives.jobs(), *mail.jobs()]),
        ),
        next_fire=_next_fire(office.zone),
        clock=clock,
        split=lambda messages: split_all(clients, messages),
        queued=outbox.wake,
        watcher=watch,
    )
    contacts = ContactKeeper(
        office,
        platforms.contact_sources(clients),
        begin=database.begin,
        clock=clock,
        queued=outbox.wake,
    )
    attendance = AttendanceKeeper(
        office,
        Sources(platforms.approval_sources(clients), platforms.record_sources(clients)),
        begin=database.begin,
        clock=clock,
        queued=outbox.wake,
    )
    probe = WriteProbe(database, clock)
    return Bot(
        settings, clock, database, files, office, clients, dispatcher, outbox, scheduler, streams,
        upkeep, contacts, attendance, probe, voice, scanner, archives, mail, mailboxes, inbox_due,
        together, queue,
    )  # fmt: skip


def _office(settings: Settings, clients: Clients, files: KeptFiles) -> Office:
    rules = load_rules(settings)
    shelf = LibraryShelf(rules.libraries, rules.policy.actions_library)
    policies = PolicyBook(rules.policy, change_policy)
    apps = platforms.applications(clients)
    addresses = address_book({Platform(platform): app for platform, app in apps})
    return Office(
        policies=policies,
        libraries=shelf,
        read_library=read_upload,
        calendar=rules.calendar,
        reader=Reader(rules.calendar),
        customers=CustomerBook(),
        lights=Alerts(
            policies=policies,
            libraries=shelf,
            calendar=rules.calendar,
            address_of=addresses,
            draw=Painter().paint,
            files=files,
        ),
        address_of=addresses,
        admins=frozenset(settings.admins),
        erps=tuple(settings.erp),
        tracks=load_tracks(),
        reads_papers=settings.ocr.engine != "none",
        pages_url=settings.public_url,
        sites=_sites(settings),
        supply_groups={
            Station.WAREHOUSE: settings.supply.warehouse,
            Station.PLANNING: settings.supply.planning,
        },
    )


def _sites(settings: Settings) -> tuple[Website, ...]:
    return tuple(Website(name=name, **one.revealed()) for name, one in settings.site.items())


def _track_door(bot: Bot, clocks: Sequence[Clock]) -> list[web.RouteDef]:
    """Where websites tell what their visitors do; shut while there are none."""

    async def find_link(number: int) -> MaterialLink | None:
        async with bot.database.read() as tx:
            return await tx.signals.link(number)

    if not bot.office.sites:
        return []
    assets = Assets.load()
    script = assets.folder / assets.names["track.js"] if "track.js" in assets.names else None
    accept = SignalIntake(bot.database.begin).accept
    return TrackDoor(bot.office.sites, accept, find_link, clocks, script).routes()


def _archives(
    settings: Settings, http: Http, tokens: TokenStore, clock: Clock, zone: ZoneInfo
) -> dict[str, ArchiveSource]:
    """By application. Two processes each, which start when there is something to do."""
    found = {}
    for name, archive in settings.archives.items():
        app = settings.wecom_apps[name]
        access = ArchiveAccess(
            name=name, corp_id=app.corp_id, base_url=app.base_url, **archive.access()
        )
        reader, fetcher = (Worker("connectors.wecom.archive.child:load") for _ in range(2))
        found[name] = ArchiveSource(access, reader, fetcher, http, tokens, clock=clock, zone=zone)
    return found


def _chat_archives(
    settings: Settings,
    sources: Mapping[str, ArchiveSource],
    office: Office,
    *,
    database: Database,
    files: KeptFiles,
    voice: Voice,
    clock: Clock,
) -> Archives:
    """The archives, with what puts their messages on record."""
    keep = partial(
        ChatArchive,
        office,
        bindings=BoundChats(),
        begin=database.begin,
        clock=clock,
        files=files,
        partial=PartialFiles(settings.storage.folder),
        transcriber=voice if voice.can_hear else None,
    )
    chats = {app: keep(sources[app], ways) for app, ways in settings.archives.items()}
    return Archives(sources, chats)


def _erps(settings: Settings, http: Http, clock: Clock, zone: ZoneInfo) -> Erps:
    given = {name: erp.revealed() for name, erp in settings.erp.items()}
    return catalogue.connect(given, http, clock, zone)


def _erp_jobs(office: Office, erps: Erps, *, accept: Accept, clock: Clock) -> list[Job[UnitOfWork]]:
    jobs = [ErpPolling(office, erps.receipts).job()]
    if erps.customers or erps.orders:
        feeds = ErpFeeds(office, erps.customers, erps.orders, accept=accept, clock=clock)
        jobs.append(feeds.job())
    if erps.forecasts:
        jobs.append(Reconciliation(office, erps.forecasts).job())
    return [office.policies.followed(job) for job in jobs]


def _erp_checks(erps: Erps, at: datetime) -> dict[str, Callable[[], Awaitable[object]]]:
    """For the doctor: a little of all that is asked for, whose keys are then found right."""
    checks: dict[str, Callable[[], Awaitable[object]]] = {
        erp.name: erp.check for erp in erps.receipts
    }
    checks |= {f"{erp.name} 客户": partial(erp.customers, at) for erp in erps.customers}
    checks |= {f"{erp.name} 订单": partial(erp.orders, at) for erp in erps.orders}
    return checks | {f"{erp.name} 预测": erp.held for erp in erps.forecasts}


def _erp_readers(settings: Settings) -> dict[tuple[str, str], EnvelopeReader]:
    return {(Platform.ERP.value, name): erp_door.NoticeReader(name) for name in settings.erp}


def _mailboxes(settings: Settings) -> dict[str, Mailbox]:
    """By their names. Nothing is opened yet."""
    readers = _head_readers(settings)
    return {
        name: Mailbox(MailAccess(name=name, **one.access()), readers[name])
        for name, one in settings.mail.items()
    }


def _head_readers(settings: Settings) -> dict[str, HeadReader]:
    """Who writes from an address of a mailbox of ours, or from its company's domain, is one of
    us."""
    addresses = frozenset(each for one in settings.mail.values() for each in one.own_addresses)
    domains = frozenset(domain for each in addresses if (domain := one_domain(each)))
    return {name: HeadReader(name, Ours(addresses, domains)) for name in settings.mail}


def _mail_readers(settings: Settings) -> dict[tuple[str, str], EnvelopeReader]:
    return {(Platform.MAIL.value, name): one for name, one in _head_readers(settings).items()}


def _most_bytes(settings: Settings) -> dict[str, int]:
    return {name: one.max_mb * 1024 * 1024 for name, one in settings.mail.items()}


def _mail_keeper(
    settings: Settings,
    office: Office,
    mailboxes: Mapping[str, Mailbox],
    *,
    database: Database,
    clock: Clock,
    accept: Accept,
) -> MailKeeper:
    readings = [
        MailReading(
            mailboxes[name],
            accept=accept,
            begin=database.begin,
            clock=clock,
            poll_s=one.poll_s,
            first_days=one.first_days,
            wake=office.wake_inbox,
        )
        for name, one in settings.mail.items()
    ]
    keep_days = {name: one.keep_days for name, one in settings.mail.items()}
    return MailKeeper(readings, MailWatch(office, readings, keep_days=keep_days))


def _voice(settings: Settings, http: Http) -> Voice:
    return Voice(Choice(**settings.speech.revealed()), http)


def _scanner(settings: Settings) -> Scanner | None:
    """None: contracts on paper are kept and not read."""
    given = settings.ocr
    if given.engine == "none":
        return None
    return Scanner(threads=given.threads, timeout_s=given.timeout_s)


async def _nothing() -> None:
    """No engine is configured, so there is none to try."""


def _language_model(settings: Settings, http: Http, clock: Clock) -> LanguageModelClient | None:
    """None unless one is switched on: the rules read alone."""
    given = settings.llm.revealed()
    enabled = given.pop("enabled")
    return LanguageModelClient(http, **given, clock=clock) if enabled else None


def _apps(settings: Settings) -> platforms.Apps:
    home = {"card_url": settings.public_url} if settings.public_url else {}
    return platforms.Apps(
        wecom=tuple(
            WecomApp(name=n, **one.revealed(), **home) for n, one in settings.wecom_apps.items()
        ),
        robots=tuple(
            (Aibot(name=n, **one.revealed(), **home), str(settings.application_of(one)))
            for n, one in settings.aibots.items()
        ),
        dingtalk=tuple(
            DingtalkApp(name=n, **one.revealed()) for n, one in settings.dingtalk.items()
        ),
    )


def _next_fire(zone: ZoneInfo) -> NextFire[UnitOfWork]:
    """APScheduler's arithmetic of cron fields; the clock is ours, since it can jump."""
    triggers: dict[str, CronTrigger] = {}

    def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
        trigger = triggers.get(job.name)
        if trigger is None:
            trigger = triggers[job.name] = CronTrigger(**job.trigger, timezone=zone)
        found: datetime = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found.astimezone(UTC)

    return next_fire


@contextlib.asynccontextmanager
async def running(
    bot: Bot, *, once_home: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """The engine's loops; on leaving, what is in work is finished and the rest stays stored.
    once_home: what to do beside them wherever the clock and the long connections are."""
    loops = [
        asyncio.create_task(bot.outbox.run(), name="outbox"),
        asyncio.create_task(_recover_for_ever(bot), name="recover"),
    ]
    async with bot.together.running() if bot.together else contextlib.nullcontext():
        home = asyncio.create_task(_keep_home(bot, once_home), name="home")
        try:
            await asyncio.sleep(0)
            yield
        finally:
            await bot.voice.close()  # a recording in work is heard after the next start
            if bot.scanner is not None:
                await bot.scanner.close()
            home.cancel()
            await asyncio.gather(home, return_exceptions=True)
            await bot.archives.close()
            shut = [one.close() for one in bot.mailboxes.values()]  # a mail in work comes again
            await asyncio.gather(bot.dispatcher.stop(), *shut)
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


async def _keep_home(bot: Bot, once_home: Callable[[], Awaitable[None]] | None) -> None:
    """What one process does for all: for ever where it is alone, else whenever it is its turn."""
    while True:
        await bot.place.held(HOME)
        async with _at_home(bot, once_home):
            await bot.place.lost(HOME)


@contextlib.asynccontextmanager
async def _at_home(
    bot: Bot, once_home: Callable[[], Awaitable[None]] | None
) -> AsyncIterator[None]:
    """The clock's ticks, long connections, and what is read from the platforms regularly."""
    loops = [
        asyncio.create_task(bot.scheduler.run(), name="scheduler"),
        asyncio.create_task(bot.contacts.run(), name="contacts"),
        asyncio.create_task(bot.attendance.run(), name="attendance"),
        *(asyncio.create_task(one.run(), name="archive") for one in bot.archives.chats.values()),
        asyncio.create_task(bot.mail.run(), name="mail"),
    ]
    if once_home is not None:
        loops.append(asyncio.ensure_future(once_home()))
    listening = [asyncio.create_task(one.run(), name="stream") for one in bot.streams]
    try:
        await asyncio.sleep(0)  # a connection that has not begun could not be stopped
        yield
    finally:
        for one in bot.streams:
            one.stop()
        await asyncio.gather(*listening)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _recover_for_ever(bot: Bot) -> None:
    """Picks up what a crash left behind and what `replay` has put back."""
    while True:
        await wait_for(bot.inbox_due, RECOVER_EVERY_S)
        bot.inbox_due.clear()
        try:
            await bot.dispatcher.recover()
        except Exception:
            log.exception("the inbox could not be read", extra={"action": "recover"})


def doors(bot: Bot, *, also_fresh_by: Sequence[Clock] = ()) -> list[web.RouteDef]:
    """Every route of contracts.md that a platform or an operator calls."""
    accept, together = bot.accept, bot.together
    routes = health.routes(bot.health, bot.measure, lambda: bot.database.connections)
    routes += platforms.doors(
        _apps(bot.settings),
        bot.clients,
        accept,
        bot.clock,
        is_at_work=bot.is_at_work,
        also_fresh_by=also_fresh_by,
        is_home=(lambda: together.is_home) if together else lambda: True,
    )
    routes += _track_door(bot, [bot.clock, *also_fresh_by])
    for name, erp in bot.settings.erp.items():
        secret = erp.notice_secret.get_secret_value()
        if secret:
            door = erp_door.Door(name, secret, accept, [bot.clock, *also_fresh_by])
            routes += door.routes()
    return routes


def website(bot: Bot) -> tuple[list[web.RouteDef], dict[str, Any]]:
    """The routes of the pages, and what else the server must know to serve them."""
    site = Site(
        office=bot.office,
        read=bot.database.read,
        begin=bot.database.begin,
        clock=bot.clock,
        files=bot.files,
        play=bot.voice.playable,
        screens=Screens(bot.office, bot.database.read, bot.clock.now),
        queued=bot.outbox.wake,
    )
    assets = Assets.load()
    guard = Guard(site, Renderer(assets), bot.settings.public_url, platforms.webviews(bot.clients))
    pages = Pages(site, guard, assets)
    rules = RuleSite(site.office, site.read, site.begin, site.clock, bot.outbox.wake)
    others = (
        RulePages(rules, guard, assets),
        AdminPages(site_of(site, _running_parts(bot)), guard),
    )
    routes = [*pages.routes(), *(route for one in others for route in one.routes())]
    return routes, {
        "middlewares": [guard.middleware()],
        "on_shutdown": [pages.stop, site.screens.stop],
    }


def _running_parts(bot: Bot) -> Running:
    """What the administrator's pages tell of."""

    async def parts() -> Mapping[str, str]:
        return (await bot.health()).parts

    return Running(
        applications=list(platforms.applications(bot.clients).values()),
        listeners=bot.streams,
        jobs=bot.scheduler.jobs,
        next_fire=_next_fire(bot.office.zone),
        troubles=lambda: {**bot.contacts.troubles, **bot.upkeep.troubles},
        health=parts,
        archives=bot.archives.chats,
        keep_days={app: one.keep_days for app, one in bot.settings.archives.items()},
        wake=bot.outbox.wake,
    )


async def serve_for_ever(settings: Settings) -> None:
    """The bot against the configured platforms. One that is away does not keep it down."""
    url = _database_url(settings)
    bound = server.bind(settings.host, settings.port)
    await admin.upgrade(url)
    async with beside_others(settings) as together, aiohttp.ClientSession() as session:
        database = await Database.open(
            url,
            synchronous=settings.storage.synchronous,
            statement_timeout_s=settings.storage.statement_timeout_s,
        )
        try:
            queue = _queue(settings, WallClock(), together)
            bot = build(
                settings, clock=WallClock(), database=database, session=session,
                together=together, queue=queue,
            )  # fmt: skip
            async with turn(url) if together else contextlib.nullcontext():
                await bot.load_memory()
                await bot.note_rules()
            gc.collect()
            gc.freeze()  # what was loaded stays: looking through it stops everybody for 0.2 s
            if together is not None:
                await together.join(parts_of(bot))
            await bot.dispatcher.recover()
            pages, around = website(bot)
            serving = server.listening([*doors(bot), *pages], bound, **around)
            queueing = queue.running() if queue else contextlib.nullcontext()
            async with queueing, serving, running(bot, once_home=bot.upkeep.settle_in):
                await server.until_stopped()
        finally:
            await database.close()


def _traced(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """While it lasts, spans go where the configuration says. Nothing is loaded where it says
    nothing. Raises ConfigError when the library is missing."""
    given = settings.telemetry
    if not given.otlp_endpoint:
        return contextlib.nullcontext()
    try:
        from connectors.watching.collected import collecting
    except ImportError:
        told = "telemetry.otlp_endpoint：请先运行 pip install 'gendan[otel]' (the extra is missing)"
        raise ConfigError(told) from None
    return collecting(given.otlp_endpoint, share=given.share, token=given.token.get_secret_value())


@contextlib.asynccontextmanager
async def beside_others(settings: Settings) -> AsyncIterator[Together | None]:
    """On PostgreSQL any number of processes; on SQLite this one alone. Raises PermanentError when
    somebody serves the file already."""
    url = _database_url(settings)
    if not is_shared(url):
        async with sole_owner(url):
            yield None
        return
    await move.refuse_half_moved(url)
    together = Together(url, _division(settings))
    async with together.listening():
        yield together


def _division(settings: Settings) -> Division:
    apps = _apps(settings)
    speak_for_robots = {application for _, application in apps.robots}
    return Division(
        senders=frozenset(
            # The one that speaks where a robot cannot sends from where the robot is.
            [("wecom", app.name) for app in apps.wecom if app.name not in speak_for_robots]
            + [("dingtalk", ding.name) for ding in apps.dingtalk]
        ),
        home_apps=frozenset(("wecom", robot.name) for robot, _ in apps.robots),
    )


def _queue(settings: Settings, clock: Clock, together: Together | None) -> StreamInbox | None:
    """None: doors store into the database themselves."""
    access, division = _queue_access(settings), _division(settings)
    if access is None:
        return None
    if together is None:
        return StreamInbox(access, division, clock, holds=lambda _: True)
    shares = together.membership
    queue = StreamInbox(access, division, clock, holds=lambda name: shares.fence(name) is not None)
    shares.on_change(queue.shares_changed)
    return queue


def _queue_access(settings: Settings) -> QueueAccess | None:
    given = settings.queue.revealed()
    if not given["url"]:
        return None
    if importlib.util.find_spec("nats") is None:
        raise ConfigError("queue.url：还没有安装 (not installed)：pip install 'gendan[nats]'")
    return QueueAccess(**given)


def parts_of(bot: Bot) -> Parts:
    """What others' words concern."""
    return Parts(
        take=bot.dispatcher.take,
        recover=bot.dispatcher.recover,
        drop_others=bot.dispatcher.drop_others,
        look=bot.outbox.look,
        wake_archive=bot.archives.wake,
        due=bot.office.contacts_due,
        following=Following(bot.office, bot.database.read),
    )


async def sandbox_for_ever(
    host: str,
    port: int,
    data: Path,
    *,
    empty: bool,
    policy: Path | None,
    dingtalk_mode: str,
    aibot_mode: str,
) -> None:
    """The bot beside emulated platforms, until stopped."""
    async with sandbox(
        host, port, data, empty=empty, policy=policy, engines=load_engines(),
        dingtalk_mode=dingtalk_mode, aibot_mode=aibot_mode,
    ) as base_url:  # fmt: skip
        typer.echo(f"跟单沙盒已启动：{base_url}/sandbox （Ctrl+C 结束）")
        await server.until_stopped()


@contextlib.asynccontextmanager
async def sandbox(
    host: str,
    port: int,
    data: Path,
    *,
    empty: bool,
    policy: Path | None = None,
    engines: Mapping[str, BaseModel],
    dingtalk_mode: str = "http",
    aibot_mode: str = "http",
) -> AsyncIterator[str]:
    """A running sandbox; gives its base URL. policy: business numbers other than ours.
    engines: the sections of the configuration that are no platform's. dingtalk_mode: how
    DingTalk and the bot reach each other, "http" or "stream"; aibot_mode: WeCom's intelligent
    robot, "http" or "websocket"."""
    from connectors.sandbox.app import Platforms
    from connectors.sandbox.world import Hooks

    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{data / 'gendan.db'}"
    bound = server.bind(host, port)
    await admin.upgrade(url)
    base_url = server.base_url(bound)
    async with sole_owner(url), aiohttp.ClientSession() as session:
        database = await Database.open(url)
        try:
            clock = MovableClock(await _first_moment(database))
            platforms = Platforms(
                Hooks(clock.now), base_url, dingtalk_mode=dingtalk_mode, aibot_mode=aibot_mode
            )
            await platforms.post.open()
            configuration = platforms.configuration(data / "files") | dict(engines)
            if policy is not None:
                configuration["policy"] = policy
            settings = Settings.model_validate(configuration)
            bot = build(settings, clock=clock, database=database, session=session)
            platforms.world.hooks = _hooks(bot, clock)
            pages, around = website(bot)
            routes = [*doors(bot, also_fresh_by=[WallClock()]), *pages, *platforms.routes()]
            await bot.load_memory()
            await bot.note_rules()
            await bot.dispatcher.recover()
            if not empty:
                platforms.open_books()
            async with server.listening(routes, bound, **around):
                await _open_shop(bot, clock, empty=empty)
                async with running(bot):
                    for stream in bot.streams:
                        await stream.up()
                    if not empty:
                        await platforms.open_archive()
                        await bot.read_archives()
                    yield base_url
                    await platforms.stop()
        finally:
            await database.close()


async def _open_shop(bot: Bot, clock: MovableClock, *, empty: bool) -> None:
    """People from the platforms, the demo company's past, then the morning's lights, so
    that whoever opens the page finds a lively day."""
    await bot.upkeep.settle_in()
    office = bot.office
    if not empty:
        async with bot.database.begin() as tx:
            await demo.fill(
                tx,
                at=clock.now(),
                calendar=office.calendar,
                policy=office.policy,
                library=office.libraries.organisation,
            )
    await bot.load_memory()
    async with bot.database.read() as tx:
        opened_before = await tx.settings.get("sandbox.clock") is not None
    today = max(clock.now(), WallClock().now())
    in_office = timedelta(seconds=1) if opened_before else timedelta(minutes=30)
    await _jump(bot, clock, office.calendar.add(ClockKind.OFFICE, today, in_office))


async def _first_moment(database: Database) -> datetime:
    """The evening before the sandbox opens, or where an earlier run of it had stopped."""
    async with database.read() as tx:
        stopped_at = await tx.settings.get("sandbox.clock")
        noted_at = await tx.delivery.last_noted_at()
    now = WallClock().now()
    if not isinstance(stopped_at, str) and noted_at is None:
        return now - timedelta(hours=16)
    # It ran on after its last jump, and a crash may have come in the middle of one.
    known = [noted_at or now, datetime.fromisoformat(str(stopped_at or now))]
    return max(now, *known)


async def _jump(bot: Bot, clock: MovableClock, target: datetime) -> datetime:
    await bot.scheduler.jump(clock, target, settle=bot.settle, also_due=bot.outbox.next_at)
    bot.outbox.wake()
    async with bot.database.begin() as tx:
        await tx.settings.put("sandbox.clock", clock.now().isoformat(), clock.now())
    return clock.now()


def _hooks(bot: Bot, clock: MovableClock) -> Hooks:
    """How the emulators reach the bot: by these calls and nothing else."""
    from connectors.sandbox.world import Hooks

    async def jump(target: datetime) -> datetime:
        return await _jump(bot, clock, target)

    async def quiesce(timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await bot.read_archives()
                await bot.mail.catch_up()
                await bot.settle()
        except TimeoutError:
            return False
        return True

    async def customers() -> list[dict[str, Any]]:
        async with bot.database.read() as tx:
            return await sandbox_pages.customer_list(tx)

    async def stream(account_id: int) -> dict[str, Any]:
        libraries, calendar = bot.office.libraries, bot.office.calendar
        async with bot.database.read() as tx:
            try:
                return await sandbox_pages.customer_stream(
                    tx, account_id, libraries=libraries, calendar=calendar, at=clock.now()
                )
            except NotFound as error:
                raise LookupError(account_id) from error

    async def evidence(sha256: str) -> tuple[bytes, str, str]:
        async with bot.database.read() as tx:
            file = await tx.files.get(sha256)
        if file is None:
            raise LookupError(sha256)
        try:
            return await bot.files.get(sha256), file.name, file.media_type
        except FileNotFoundError as error:
            raise LookupError(sha256) from error

    async def play(data: bytes, media_type: str) -> tuple[bytes, str]:
        try:
            return await bot.voice.playable(data, media_type)
        except (PermanentError, TransientError):
            return data, media_type

    return Hooks(clock.now, jump, quiesce, customers, stream, evidence, play, _open_page(bot))


def _open_page(bot: Bot) -> Callable[[str, str, str], Awaitable[str]]:
    """The link by which somebody opens a page, without asking in chat."""

    async def open_page(platform: str, user_id: str, path: str) -> str:
        async with bot.database.begin() as tx:
            person = await tx.people.find_by_identity(platform, user_id)
            if person is None or not is_own_path(path):
                raise LookupError(user_id)
            ticket = await signing_in.make_ticket(tx, person, path, bot.clock.now())
        return f"/in/{ticket}"

    return open_page


async def _examine(settings: Settings) -> int:
    """Every check of the doctor, told; its exit code."""
    results = await examined(settings, ours=WallClock())
    for line in doctor.lines(results):
        typer.echo(line)
    return doctor.exit_code(results)


async def examined(settings: Settings, *, ours: Clock) -> list[tuple[doctor.Check, doctor.Finding]]:
    """What the doctor finds; ours: this machine's clock."""
    url = _database_url(settings)
    async with aiohttp.ClientSession() as session:
        http = Http(session)

        async def ask(callback_url: str) -> int:
            return (await http.probe(callback_url, what="doctor:callback"))[0]

        files = _kept_files(settings)
        model = _language_model(settings, http, ours)
        apps, counts = _apps(settings), beside.Counts(url)
        clients = platforms.clients(apps, http, OwnTokens(), counts, files, clock=ours, menu=MENU)
        platforms.add_robots(clients, apps, http, files, clock=ours, holds=None)
        voice, scanner = _voice(settings, http), _scanner(settings)
        zone = ZoneInfo(load_policy(settings.policy).calendar.zone)
        archives = _archives(settings, http, OwnTokens(), ours, zone)
        checks = doctor.every_check(
            settings,
            list(platforms.applications(clients).values()),
            erps=_erp_checks(_erps(settings, http, ours, zone), ours.now()),
            ask=ask,
            write=lambda: beside.write(url, at=ours.now()),
            complaints=lambda: admin.complaints(url),
            room=lambda: connections.room(url),
            hear=voice.check,
            scan=scanner.check if scanner else _nothing,
            ours=ours,
            ask_model=model and model.check,
            contacts={
                f"{one.platform} {one.app}": one.check for one in platforms.contact_sources(clients)
            },
            attendance=platforms.attendance_checks(clients),
            pages={f"{one.platform} {one.app}": one.check for one in platforms.webviews(clients)},
            archives={name: one.check for name, one in archives.items()},
            mailboxes={name: one.check for name, one in _mailboxes(settings).items()},
            queue=partial(look_at_queue, access) if (access := _queue_access(settings)) else None,
            robots=[one for one in clients.values() if isinstance(one, AibotClient)],
            bucket=files.check if settings.storage.bucket else None,
            look=partial(_figures_of_the_running, http, settings),
        )
        results = await doctor.examine(checks)
        await voice.close()
        for archive in archives.values():
            await archive.close()
        if scanner is not None:
            await scanner.close()
    return results


async def _figures_of_the_running(http: Http, settings: Settings) -> list[doctor.Sample]:
    """What the bot that serves with this configuration on this machine has counted. Raises
    NotRunning."""
    url = f"{server.url_of(settings.host, settings.port)}/metrics"
    try:
        text, _ = await http.download(url, limit_bytes=4 * 1024 * 1024, what="doctor:metrics")
    except (TransientError, PermanentError):
        raise doctor.NotRunning from None
    families = text_string_to_metric_families(text.decode())
    samples = (sample for family in families for sample in family.samples)
    return [doctor.Sample(one.name, one.labels, one.value) for one in samples]


@cli.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """没有命令时：配置了平台就启动服务，否则启动沙盒。"""
    if context.invoked_subcommand is None:
        if load_settings().configured:
            serve()
        else:
            run_sandbox()


@cli.command()
def serve() -> None:
    """启动机器人，连接已配置的平台。"""
    settings = _configured()
    logs.set_up(settings.log_level)
    with _traced(settings):
        asyncio.run(serve_for_ever(settings))


@cli.command("sandbox")
def run_sandbox(
    *,
    host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口，0 为任意空闲端口")] = 8080,
    data: Annotated[Path | None, typer.Option(help="数据目录；不给则每次全新")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="不带演示客户")] = False,
    policy: Annotated[Path | None, typer.Option(help="试用自己的 policy.toml")] = None,
    dingtalk_mode: Annotated[DingtalkMode, typer.Option(help="钉钉怎么把消息送来")] = "http",
    aibot_mode: Annotated[AibotMode, typer.Option(help="智能机器人怎么把消息送来")] = "http",
) -> None:
    """启动沙盒：两个平台都是模拟的，打开网页就能试。"""
    logs.set_up("WARNING", human=sys.stderr.isatty())
    with contextlib.ExitStack() as fresh:
        folder = data or Path(fresh.enter_context(tempfile.TemporaryDirectory(prefix="gendan-")))
        asyncio.run(
            sandbox_for_ever(
                host,
                port,
                folder,
                empty=empty,
                policy=policy,
                dingtalk_mode=dingtalk_mode,
                aibot_mode=aibot_mode,
            )
        )


@cli.command("setup")
def set_up() -> None:
    """一问一答地写好配置，然后检查。"""
    logs.set_up("ERROR", human=sys.stderr.isatty())

    def check(settings: Settings) -> int:
        asyncio.run(admin.upgrade(_database_url(settings)))
        return asyncio.run(_examine(settings))

    raise typer.Exit(setting_up.run(config_path(), ask=_ask, say=typer.echo, check=check))


def _ask(question: str, *, secret: bool = False, default: str | None = None) -> str:
    shown = bool(default)
    return str(typer.prompt(question, default=default, hide_input=secret, show_default=shown))


@cli.command("doctor")
def run_doctor() -> None:
    """逐项检查配置、凭证、权限、回调、时钟和存储；有问题时退出码为 1。"""
    settings = _configured()
    logs.set_up("ERROR", human=sys.stderr.isatty())
    raise typer.Exit(asyncio.run(_examine(settings)))


def _kept_files(settings: Settings) -> KeptFiles:
    bucket = settings.storage.bucket
    return open_files(Bucket(**bucket) if bucket else Path(settings.storage.files))


def _database_url(settings: Settings) -> str:
    return settings.storage.url.get_secret_value()


def _configured() -> Settings:
    settings = load_settings()
    if not settings.configured:
        raise ConfigError("还没有配置平台 (no platform is configured): gendan setup")
    return settings


def _moment(text: str) -> datetime:
    """ISO 8601; without an offset it is local time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: ISO 时间，如 2026-11-03T08:00") from None
    zone = ZoneInfo(load_policy(load_settings().policy).calendar.zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


Moment = Annotated[datetime | None, typer.Option(parser=_moment, metavar="ISO")]


@cli.command()
def understand(
    now: Moment = None,
    customers: Annotated[Path | None, typer.Option(help="客户名单，一行一个")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="说明每一项来自哪些字")] = False,
) -> None:
    """读懂一批消息：标准输入一行一个 JSON，标准输出一行一个结果。"""
    calendar = load_rules(load_settings()).calendar
    names = _lines_of(customers) if customers else []
    at = now or WallClock().now().astimezone(calendar.zone)
    said = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    for line in understanding.run(said, at, names, calendar=calendar, explain=explain):
        sys.stdout.buffer.write(line.encode() + b"\n")
        sys.stdout.buffer.flush()


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}：不是 UTF-8 文字 (not UTF-8)") from None


@cli.command("conversions")
def count_conversions(
    events: Annotated[Path, typer.Option(help="事件文件（JSON）")],
) -> None:
    """按天、按去重客户统计线索转商机的转化率。"""
    sys.stdout.buffer.write(conversions.run(events).encode() + b"\n")


@cli.command()
def replay(
    failed: Annotated[bool, typer.Option("--failed", help="所有失败的消息和没取到的附件")] = False,
    since: Moment = None,
    ids: Annotated[list[int] | None, typer.Option("--id", help="收件编号，可多次")] = None,
) -> None:
    """把收到过的消息重新处理一遍；运行中的机器人会在几秒内接手。"""
    if not failed and since is None and not ids:
        raise ConfigError("要重放哪些 (say what to replay): --failed、--since TIME 或 --id ID")

    url = _database_url(load_settings())
    now = WallClock().now()
    count = asyncio.run(beside.replay(url, failed=failed, since=since, ids=ids or [], at=now))
    typer.echo(f"{count} 条已放回，等待重新处理或发送")


@cli.command("export-customer")
def export_customer(
    customer: Annotated[int, typer.Argument(metavar="ID", help="客户编号")], file: Path
) -> None:
    """导出一家客户的全部数据：.zip 带上文件原件，其他后缀只写 JSON。"""
    settings = load_settings()
    url, files = _database_url(settings), _kept_files(settings)
    asyncio.run(personal_data.export(url, files, customer, file, at=WallClock().now()))


@cli.command("erase-customer")
def erase_customer(
    customer: Annotated[int, typer.Argument(metavar="ID", help="客户编号")],
) -> None:
    """删除一家客户的个人信息，并打印删除证明（JSON）；合同、回款和提成依据保留，不含个人信息。"""
    settings = load_settings()
    url, files = _database_url(settings), _kept_files(settings)
    typer.echo(asyncio.run(personal_data.erase(url, files, customer, at=WallClock().now())))


@db.command("upgrade")
def db_upgrade() -> None:
    """把数据库升级到当前版本。"""
    asyncio.run(admin.upgrade(_database_url(load_settings())))


KeyFile = Annotated[Path | None, typer.Option(help="存着密钥的文件（加密的备份）")]


@db.command("backup")
def db_backup(file: Path, key_file: KeyFile = None) -> None:
    """在线备份到文件；给了密钥文件就加密。"""
    key = sealing.read_key(key_file) if key_file else ""
    asyncio.run(admin.backup(_database_url(load_settings()), file, key=key))


@db.command("restore")
def db_restore(file: Path, key_file: KeyFile = None) -> None:
    """把备份恢复到还不存在（PostgreSQL：还是空的）的数据库，再升级、校验；从不覆盖。"""
    url = _database_url(load_settings())
    key = sealing.read_key(key_file) if key_file else ""
    rows = asyncio.run(restoring.restore(url, file, key=key))
    asyncio.run(admin.upgrade(url))
    typer.echo(f"恢复了 {rows} 行；文件放回以后请再运行 gendan db verify")
    _tell(asyncio.run(beside.verify(url)))


@db.command("rebuild-figures")
def db_rebuild_figures() -> None:
    """从阶段事件重算漏斗、停留和转化；机器人运行时也可以。"""
    settings = load_settings()
    rules = load_rules(settings)
    libraries = LibraryShelf(rules.libraries, rules.policy.actions_library)

    async def run() -> int:
        async with beside.opened(_database_url(settings)) as database:
            async with database.read() as tx:
                await libraries.load(
                    tx, lambda name, data: read_upload(name, data, rules.policy.actions)
                )
            now = WallClock().now()
            return await rebuilding.rebuild(database.begin, libraries, rules.calendar, now)

    typer.echo(f"重算完成：{asyncio.run(run())} 条阶段事件")


@db.command("move")
def db_move(
    source: Annotated[str, typer.Option("--from", help="sqlite:///文件")],
    target: Annotated[str, typer.Option("--to", help="postgresql://用户:密码@主机/库")],
) -> None:
    """把数据从 SQLite 搬到 PostgreSQL，逐表比对行数和审计链；中断了再运行一次就接着搬。"""
    moved = asyncio.run(move.move(source, target))
    typer.echo(
        f"搬完了：{moved.tables} 张表 {moved.rows} 行，审计链 {moved.entries} 条，两边一致。"
        "把 storage.url 改成新的地址就可以启动了。"
    )


@db.command("verify")
def db_verify() -> None:
    """校验完整性和审计链；有问题时退出码为 1。"""
    settings = load_settings()
    url = _database_url(settings)
    _tell(asyncio.run(beside.verify(url, kept=_kept_files(settings))))


def _tell(findings: Sequence[str]) -> None:
    """What is wrong with the database; exit code 1 if anything is."""
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
    typer.echo("没有发现问题")


def main() -> None:
    """Exit codes: 0 done, 1 the thing asked about does not hold, 2 wrong usage or
    configuration, told in one line."""
    try:
        code = cli(standalone_mode=False)
    except typer.TyperException as error:
        sys.exit(_complain(error.format_message()))
    except typer.Abort:
        sys.exit(_complain("已中断 (interrupted)"))
    except (ConfigError, BotError, OSError, SQLAlchemyError) as error:
        sys.exit(_complain(str(error)))
    sys.exit(code or 0)


def _complain(text: str) -> int:
    typer.echo(f"gendan: {text}", err=True)
    return 2


if __name__ == "__main__":
    main()
