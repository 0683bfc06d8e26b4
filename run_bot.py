"""Start here. COMMANDS: name -> function. Builds every part, wires, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import aiohttp
import typer
from aiohttp import web
from apscheduler.triggers.cron import CronTrigger
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock, MovableClock, WallClock
from bot.dispatcher import MAX_WAITING, Dispatcher, Wording, split_all
from bot.domain.calendar import ClockKind
from bot.errors import BotError, NotFound, PermanentError, TransientError
from bot.messages import Platform
from bot.outbox import Outbox
from bot.ports import CallCounter, EnvelopeReader, TokenStore
from bot.router import Job
from bot.scheduler import NextFire, Scheduler
from config import doctor, logs
from config import setup as setting_up
from config.coaching import load_tracks
from config.library import read_upload
from config.policy import ConfigError, load_policy
from config.rules import load_rules
from config.settings import (
    DingtalkSettings,
    ErpSettings,
    Settings,
    U9cEntitySettings,
    WecomSettings,
    config_path,
    load_engines,
    load_settings,
)
from connectors.dingtalk import webhook as dingtalk_door
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.erp import notices as erp_door
from connectors.erp.csv_folder import CsvFolder
from connectors.erp.kingdee import BillForm, Kingdee, KingdeeApp
from connectors.erp.kingdee_signature import Credentials
from connectors.erp.u9c import ReceiptEntity, U9c, U9cApp
from connectors.http import Http
from connectors.llm.client import LanguageModelClient
from connectors.tokens import OwnTokens
from connectors.web import health, server
from connectors.wecom import webhook as wecom_door
from connectors.wecom.client import MenuEntry, WecomClient
from connectors.wecom.settings import WecomApp
from handlers import Handlers, conversions, demo, duplicates, pages
from handlers.alerts import Alerts
from handlers.commands import MENU_WORDS
from handlers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.erp_polling import ErpPolling
from handlers.forecasting import command as forecasting
from handlers.heatmap import Painter
from handlers.libraries import LibraryShelf
from handlers.payouts import command as payouts
from handlers.second_reading import SecondReading
from handlers.texts import dialog
from handlers.understanding import command as understanding
from handlers.understanding.reader import Reader
from handlers.upkeep import Upkeep
from speech.voice import Choice, Voice
from storage import admin, beside
from storage.database import Database
from storage.files import FileFolder
from storage.ownership import sole_owner
from storage.probe import WriteProbe
from storage.tokens import SharedTokens
from storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from connectors.sandbox.world import Hooks

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="跟单 Gendan")
db = typer.Typer(help="数据库：升级、备份、校验")
cli.add_typer(db, name="db")
cli.add_typer(payouts.app, name="payouts")
cli.add_typer(forecasting.app, name="forecast")

RECOVER_EVERY_S = 15.0

log = logging.getLogger(__name__)

AskedErp = Kingdee | U9c | CsvFolder

Clients = dict[tuple[str, str], WecomClient | DingtalkClient]


@dataclass(slots=True)
class Bot:
    """All running parts of one process."""

    settings: Settings
    clock: Clock
    database: Database
    files: FileFolder
    office: Office
    clients: Clients
    dispatcher: Dispatcher[UnitOfWork]
    outbox: Outbox[UnitOfWork]
    scheduler: Scheduler[UnitOfWork]
    upkeep: Upkeep
    probe: WriteProbe
    voice: Voice

    async def settle(self) -> None:
        """Until nothing is waiting in the inbox and nothing is due in the outbox."""
        await self.dispatcher.drained()
        await self.outbox.drain()

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
            await self.office.libraries.load(tx, self.office.read_library)

    async def count_stored(self) -> dict[str, int]:
        async with self.database.read() as tx:
            return await tx.delivery.counts()

    async def health(self) -> health.Health:
        """Wrong credentials make us unready only when no application has right ones: the
        others' messages must still come in."""
        refusals = {client.app: client.refusal for client in self.clients.values()}
        parts = {"storage": await self.probe.trouble(), "queue": "", "tokens": ""}
        if all(refusals.values()):
            parts["tokens"] = "; ".join(refusals.values())
        try:
            waiting = (await self.count_stored())["inbox"]
            parts["queue"] = "backlog" if waiting >= MAX_WAITING else ""
        except Exception as error:  # noqa: BLE001 - a probe reports whatever went wrong
            parts["storage"] = type(error).__name__
        away = self.upkeep.troubles
        names = [":".join(key) for key in self.clients]
        return health.Health(parts, others={name: away.get(name, "") for name in names})


def build(
    settings: Settings, *, clock: Clock, database: Database, session: aiohttp.ClientSession
) -> Bot:
    """Wire one bot. Nothing runs yet."""
    files = FileFolder(settings.storage.files)
    tokens = SharedTokens(database)
    http = Http(session)
    clients = _clients(settings, http, tokens, tokens, files, clock=clock)
    voice = _voice(settings, http)
    office = _office(settings, clients, files)
    handlers = Handlers(office)
    model = _language_model(settings, http, clock)
    outbox = Outbox(store=database, connectors=clients, clock=clock, on_trouble=handlers.on_trouble)
    dispatcher = Dispatcher(
        store=database,
        connectors=clients,
        files=files,
        handle=handlers.handle,
        clock=clock,
        wording=Wording(apology=dialog.apology),
        transcriber=voice if voice.can_hear else None,
        second_reader=model and SecondReading(office, model, read=database.read),
        readers=_erp_readers(settings),
        queued=outbox.wake,
    )
    upkeep = Upkeep(
        office,
        list(clients.values()),
        begin=database.begin,
        accept=dispatcher.accept,
        clock=clock,
        public_url=settings.public_url,
    )
    polling = ErpPolling(office, _erps(settings, http, clock, office.zone))
    scheduler = Scheduler(
        store=database,
        jobs=(*handlers.jobs(), polling.job(), *upkeep.jobs()),
        next_fire=_next_fire(office.zone),
        clock=clock,
        split=lambda messages: split_all(clients, messages),
        queued=outbox.wake,
    )
    probe = WriteProbe(database, clock)
    return Bot(
        settings, clock, database, files, office, clients, dispatcher, outbox, scheduler, upkeep,
        probe, voice,
    )  # fmt: skip


def _office(settings: Settings, clients: Clients, files: FileFolder) -> Office:
    rules = load_rules(settings)
    shelf = LibraryShelf(rules.libraries, rules.policy.actions_library)
    addresses = address_book({Platform(platform): app for platform, app in clients})
    return Office(
        policy=rules.policy,
        libraries=shelf,
        read_library=lambda name, data: read_upload(name, data, rules.policy.actions),
        calendar=rules.calendar,
        reader=Reader(rules.calendar),
        customers=CustomerBook(),
        lights=Alerts(
            policy=rules.policy,
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
    )


def _erps(settings: Settings, http: Http, clock: Clock, zone: ZoneInfo) -> list[AskedErp]:
    """Those that are asked; the others tell by their door."""
    found: list[AskedErp] = []
    for name, given in settings.erp.items():
        if given.kind == "kingdee":
            found.append(Kingdee(_kingdee_app(name, given, zone), http, clock))
        elif given.entity is not None and given.kind == "u9c":
            found.append(U9c(_u9c_app(name, given, given.entity, zone), http))
        elif given.folder is not None and given.kind == "folder":
            found.append(CsvFolder(name, given.folder))
    return found


def _u9c_app(name: str, given: ErpSettings, entity: U9cEntitySettings, zone: ZoneInfo) -> U9cApp:
    return U9cApp(
        name=name,
        base_url=given.base_url,
        enterprise=given.enterprise,
        organisation=given.organisation_code,
        user=given.user,
        client_id=given.app_id,
        client_secret=given.app_secret.get_secret_value(),
        receipts=ReceiptEntity(**entity.revealed()),
        home_currency=given.home_currency,
        zone=zone,
    )


def _kingdee_app(name: str, given: ErpSettings, zone: ZoneInfo) -> KingdeeApp:
    return KingdeeApp(
        name=name,
        base_url=given.base_url,
        credentials=Credentials(
            given.account_id,
            given.user,
            given.app_id,
            given.app_secret.get_secret_value(),
            given.language,
            given.organisation,
        ),
        receipts=BillForm(**given.receipts.revealed()),
        refunds=BillForm(**given.refunds.revealed()) if given.refunds else None,
        home_currency=given.home_currency,
        zone=zone,
    )


def _erp_readers(settings: Settings) -> dict[tuple[str, str], EnvelopeReader]:
    return {(Platform.ERP.value, name): erp_door.NoticeReader(name) for name in settings.erp}


def _voice(settings: Settings, http: Http) -> Voice:
    return Voice(Choice(**settings.speech.revealed()), http)


def _language_model(settings: Settings, http: Http, clock: Clock) -> LanguageModelClient | None:
    """None unless one is switched on: the rules read alone."""
    given = settings.llm.revealed()
    enabled = given.pop("enabled")
    return LanguageModelClient(http, **given, clock=clock) if enabled else None


def _clients(
    settings: Settings,
    http: Http,
    tokens: TokenStore,
    counter: CallCounter,
    files: FileFolder,
    *,
    clock: Clock,
) -> Clients:
    menu = [MenuEntry(MENU_WORDS[key], key=key) for key in ("todo", "lights", "help")]
    found: Clients = {}
    for name, wecom in settings.wecom.items():
        app = _wecom_app(name, wecom)
        found[("wecom", name)] = WecomClient(app, http, tokens, files, clock, menu=menu)
    for name, dingtalk in settings.dingtalk.items():
        robot = _dingtalk_app(name, dingtalk)
        found[("dingtalk", name)] = DingtalkClient(
            robot, http, tokens=tokens, files=files, counter=counter, clock=clock
        )
    return found


def _wecom_app(name: str, given: WecomSettings) -> WecomApp:
    return WecomApp(name=name, **given.revealed())


def _dingtalk_app(name: str, given: DingtalkSettings) -> DingtalkApp:
    return DingtalkApp(name=name, **given.revealed())


def _next_fire(zone: ZoneInfo) -> NextFire[UnitOfWork]:
    """APScheduler's arithmetic of cron fields; the clock is ours, since it can jump."""
    triggers: dict[str, CronTrigger] = {}

    def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
        trigger = triggers.setdefault(job.name, CronTrigger(**job.trigger, timezone=zone))
        found: datetime = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found.astimezone(UTC)

    return next_fire


@contextlib.asynccontextmanager
async def running(bot: Bot) -> AsyncIterator[None]:
    """The engine's loops; on leaving, what is in work is finished and the rest stays stored."""
    loops = [
        asyncio.create_task(bot.outbox.run(), name="outbox"),
        asyncio.create_task(bot.scheduler.run(), name="scheduler"),
        asyncio.create_task(_recover_for_ever(bot), name="recover"),
    ]
    try:
        yield
    finally:
        await bot.voice.close()  # a recording in work is heard after the next start
        await bot.dispatcher.stop()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _recover_for_ever(bot: Bot) -> None:
    """Picks up what a crash left behind and what `replay` has put back."""
    while True:
        await asyncio.sleep(RECOVER_EVERY_S)
        try:
            await bot.dispatcher.recover()
        except Exception:
            log.exception("the inbox could not be read", extra={"action": "recover"})


def doors(bot: Bot, *, also_fresh_by: Sequence[Clock] = ()) -> list[web.RouteDef]:
    """Every route of contracts.md that a platform or an operator calls."""
    accept = bot.dispatcher.accept
    routes = health.routes(bot.health, bot.count_stored)
    for name, wecom in bot.settings.wecom.items():
        app = _wecom_app(name, wecom)
        routes += wecom_door.routes(app, accept, bot.clock, also_fresh_by=also_fresh_by)
    for name, dingtalk in bot.settings.dingtalk.items():
        clocks = [bot.clock, *also_fresh_by]
        routes += dingtalk_door.routes(_dingtalk_app(name, dingtalk), accept, clocks)
    for name, erp in bot.settings.erp.items():
        secret = erp.notice_secret.get_secret_value()
        if secret:
            door = erp_door.Door(name, secret, accept, [bot.clock, *also_fresh_by])
            routes += door.routes()
    return routes


async def serve_for_ever(settings: Settings) -> None:
    """The bot against the configured platforms. One that is away does not keep it down."""
    url = _database_url(settings)
    bound = server.bind(settings.host, settings.port)
    await admin.upgrade(url)
    async with sole_owner(url), aiohttp.ClientSession() as session:
        database = await Database.open(url, synchronous=settings.storage.synchronous)
        try:
            bot = build(settings, clock=WallClock(), database=database, session=session)
            await bot.load_memory()
            await bot.note_rules()
            await bot.dispatcher.recover()
            async with server.listening(doors(bot), bound), running(bot):
                settling = asyncio.create_task(bot.upkeep.settle_in(), name="settle in")
                await server.until_stopped()
                settling.cancel()
        finally:
            await database.close()


async def sandbox_for_ever(
    host: str, port: int, data: Path, *, empty: bool, policy: Path | None = None
) -> None:
    """The bot beside emulated platforms, until stopped."""
    engines = load_engines()
    async with sandbox(host, port, data, empty=empty, policy=policy, engines=engines) as base_url:
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
) -> AsyncIterator[str]:
    """A running sandbox; gives its base URL. policy: business numbers other than ours.
    engines: the sections of the configuration that are no platform's."""
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
            platforms = Platforms(Hooks(clock.now), base_url)
            configuration = platforms.configuration(data / "files") | dict(engines)
            if policy is not None:
                configuration["policy"] = policy
            settings = Settings.model_validate(configuration)
            bot = build(settings, clock=clock, database=database, session=session)
            platforms.world.hooks = _hooks(bot, clock)
            routes = [*doors(bot, also_fresh_by=[WallClock()]), *platforms.routes()]
            await bot.load_memory()
            await bot.note_rules()
            await bot.dispatcher.recover()
            if not empty:
                platforms.open_books()
            async with server.listening(routes, bound):
                await _open_shop(bot, clock, empty=empty)
                async with running(bot):
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
            await asyncio.wait_for(bot.settle(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def customers() -> list[dict[str, Any]]:
        async with bot.database.read() as tx:
            return await pages.customer_list(tx)

    async def stream(account_id: int) -> dict[str, Any]:
        libraries, calendar = bot.office.libraries, bot.office.calendar
        async with bot.database.read() as tx:
            try:
                return await pages.customer_stream(
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

    return Hooks(clock.now, jump, quiesce, customers, stream, evidence, play)


async def _examine(settings: Settings) -> int:
    """Every check of the doctor, told; its exit code."""
    url = _database_url(settings)
    ours = WallClock()
    async with aiohttp.ClientSession() as session:
        http = Http(session)

        async def ask(callback_url: str) -> int:
            return (await http.probe(callback_url, what="doctor:callback"))[0]

        files = FileFolder(settings.storage.files)
        model = _language_model(settings, http, ours)
        clients = _clients(settings, http, OwnTokens(), beside.Counts(url), files, clock=ours)
        voice = _voice(settings, http)
        zone = ZoneInfo(load_policy(settings.policy).calendar.zone)
        checks = doctor.every_check(
            settings,
            list(clients.values()),
            erps={erp.name: erp.check for erp in _erps(settings, http, ours, zone)},
            ask=ask,
            write=lambda: beside.write(url, at=ours.now()),
            complaints=lambda: admin.complaints(url),
            hear=voice.check,
            ours=ours,
            ask_model=model and model.check,
        )
        results = await doctor.examine(checks)
        await voice.close()
    for line in doctor.lines(results):
        typer.echo(line)
    return doctor.exit_code(results)


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
    asyncio.run(serve_for_ever(settings))


@cli.command("sandbox")
def run_sandbox(
    host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口，0 为任意空闲端口")] = 8080,
    data: Annotated[Path | None, typer.Option(help="数据目录；不给则每次全新")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="不带演示客户")] = False,
    policy: Annotated[Path | None, typer.Option(help="试用自己的 policy.toml")] = None,
) -> None:
    """启动沙盒：两个平台都是模拟的，打开网页就能试。"""
    logs.set_up("WARNING", human=sys.stderr.isatty())
    if data is not None:
        asyncio.run(sandbox_for_ever(host, port, data, empty=empty, policy=policy))
        return
    with tempfile.TemporaryDirectory(prefix="gendan-") as fresh:
        asyncio.run(sandbox_for_ever(host, port, Path(fresh), empty=empty, policy=policy))


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
    failed: Annotated[bool, typer.Option("--failed", help="所有死信和没取到的附件")] = False,
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


@db.command("upgrade")
def db_upgrade() -> None:
    """把数据库升级到当前版本。"""
    asyncio.run(admin.upgrade(_database_url(load_settings())))


@db.command("backup")
def db_backup(file: Path) -> None:
    """在线备份到文件。"""
    asyncio.run(admin.backup(_database_url(load_settings()), file))


@db.command("verify")
def db_verify() -> None:
    """校验完整性和审计链；有问题时退出码为 1。"""
    settings = load_settings()
    url = _database_url(settings)
    findings = asyncio.run(beside.verify(url, folder=settings.storage.files))
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
