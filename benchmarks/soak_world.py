"""The company of `benchmarks.soak`: both emulated platforms with many people on them, the whole
bot beside them, and virtual time.

What the platforms would forget in a real month is forgotten here too, so that what grows in this
process is the bot's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import outbox, scheduler
from bot.router import Job
from config.settings import Settings
from config.wiring import running as loops
from config.wiring.bot import Bot
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.pages import website
from config.wiring.running import running
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import populate
from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.kingdee import KingdeeEmulator
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_xml import read_xml
from connectors.sandbox.world import Dept, Hooks, Member, Said, World
from connectors.web import server
from handlers import demo
from handlers.refusals.masking import mask_names
from handlers.upkeep import readings
from storage import admin
from storage.database import Database
from storage.engines import prepare_sqlite, to_json
from storage.sqlite_writer import _Direct
from storage.unit_of_work import UnitOfWork
from storage.writers import Writer
from tests.virtual_time import VirtualLoop

STEP_MIN = int(os.environ.get("STEP_MIN", "15"))
"""What the bot does every minute, every five or every ten it does every so many here, and DingTalk
calls instead of being listened to: looking up and finding nothing would take most of the time.
1: as it is."""

OFTEN = tuple({"minute": often} for often in ("*", "*/5", "*/10"))
ENDS_AT = datetime(2026, 4, 1, 16, tzinfo=UTC)  # midnight in China after the day of the payouts
TEAM = 10
REMEMBERED_DAYS = 3
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安邦成达恩福刚海浩恒宏杰捷君凯康磊明宁鹏强清仁森涛伟文翔欣旭阳毅永远泽哲志"
BOT = "bot:"


class LoopClock:
    """The loop's own time, as if it had begun then."""

    def __init__(self, begins_at: datetime) -> None:
        self._loop = asyncio.get_running_loop()
        self._shift = begins_at - timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        return self._shift + timedelta(seconds=self._loop.time())

    async def sleep_until(self, at: datetime) -> None:
        await asyncio.sleep(max(0.0, (at - self.now()).total_seconds()))


class SoakLoop(VirtualLoop):
    """Does at once what would go to a thread: each hop to one would cost more than the work."""

    has_threads = False

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            done.set_exception(error)
        return done


class SoakDatabase(Database):
    """Who only reads has a connection of their own, in this thread too."""

    def __init__(self, engine: AsyncEngine, writer: Writer) -> None:
        super().__init__(engine, writer)
        reading = create_engine(engine.url.set(drivername="sqlite"), json_serializer=to_json)
        prepare_sqlite(reading, synchronous="NORMAL", read_only=True)
        self._reader = reading.connect()
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        async with self._turn:
            with self._reader.begin():
                yield UnitOfWork(cast(AsyncConnection, _Reading(self._reader)))

    async def close(self) -> None:
        self._reader.close()
        await super().close()


class _Reading(_Direct):
    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        return self._conn.scalars(statement, parameters)


class SoakWorld(World):
    """told: (platform, whom) -> messages that the bot's side has shown there. cards: whom ->
    their newest cards. Members are found at once."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.told: Counter[tuple[str, str]] = Counter()
        self.cards: dict[tuple[str, str], list[Said]] = {}
        self._by_id: dict[tuple[str, str], Member] = {}

    def member(self, platform: str, user_id: str) -> Member | None:
        key = platform, user_id.lower() if platform == "wecom" else user_id
        if key not in self._by_id:
            found = super().member(platform, user_id)
            if found is None:
                return None
            self._by_id[key] = found
        return self._by_id[key]

    async def add(self, said: Said) -> Said:
        if said.sender.startswith(BOT):
            whom = said.platform, said.chat or said.to or ""
            self.told[whom] += 1
            if said.card and said.card.get("buttons"):
                self.cards[whom] = [said, *self.cards.get(whom, [])[:5]]
        return await super().add(said)


class SoakWecom(WecomEmulator):
    """taken: numbers of the messages that the bot has answered 200, in that order."""

    def __init__(self, world: World, base_url: str) -> None:
        super().__init__(world, base_url)
        self.taken: list[int] = []

    async def _exchange(self, sender: str, inner: bytes, about: str, pressed: Said | None) -> bool:
        is_taken = await super()._exchange(sender, inner, about, pressed)
        number = read_xml(inner).findtext("MsgId")
        if is_taken and number:
            self.taken.append(int(number))
        return is_taken


@dataclass(slots=True)
class Words:
    """What was said: number or id of the message -> (speaker, place in their order)."""

    said: dict[str, tuple[tuple[str, str], int]] = field(default_factory=dict)
    _numbers: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, said: Said) -> None:
        """Of somebody in their own chat with the bot."""
        key = str(said.wire.get("msg_id") or said.wire.get("msgId") or "")
        speaker = said.platform, said.sender
        self._numbers[speaker] += 1
        self.said[key] = speaker, self._numbers[speaker]


@dataclass
class Month:
    """Everything that runs. base: where the bot is reached."""

    world: SoakWorld
    wecom: SoakWecom
    dingtalk: DingtalkEmulator
    erp: KingdeeEmulator
    bot: Bot
    clock: LoopClock
    session: aiohttp.ClientSession
    base: str
    url: str
    folder: Path
    words: Words = field(default_factory=Words)
    forgetting: list[Forgetting] = field(default_factory=list)

    def emulator(self, platform: str) -> WecomEmulator | DingtalkEmulator:
        return self.wecom if platform == "wecom" else self.dingtalk

    async def settle(self) -> None:
        """Until nothing is on its way between the platforms and the bot."""
        await self.wecom.callbacks.settle()
        await self.dingtalk.calls.drain()
        await self.bot.settle()

    def forget(self) -> None:
        """As platforms do after some days, and sooner what the ledger has taken over."""
        since = self.clock.now() - timedelta(days=REMEMBERED_DAYS)
        self.world.said = [one for one in self.world.said if one.at > since]
        self.world.cards = {
            whom: kept
            for whom, all_of_them in self.world.cards.items()
            if (kept := [one for one in all_of_them if one.at > since])
        }
        for one in self.forgetting:
            one.run()


@dataclass(slots=True)
class Forgetting:
    """Drops the entries of a platform's book that were there REMEMBERED_DAYS ago."""

    book: Callable[[], dict[Any, Any]]
    old: list[list[Any]] = field(default_factory=list)

    def run(self) -> None:
        book = self.book()
        known = {key for keys in self.old for key in keys}
        self.old.append([key for key in book if key not in known])
        if len(self.old) > REMEMBERED_DAYS:
            for key in self.old.pop(0):
                book.pop(key, None)


def staff(world: World, count: int) -> None:
    """Half of them on WeCom, half on DingTalk, in teams of TEAM reps and their supervisor below a
    director of the demo company."""
    numbers = itertools.count()
    for platform, above, top in (("wecom", "wangjianguo", "2"), ("dingtalk", "wangjianguo-d", "1")):
        left = count // 2
        while left > 0:
            hire_team(world, platform, min(left, TEAM + 1), next(numbers), above=above, top=top)
            left -= TEAM + 1


def hire_team(world: World, platform: str, size: int, team: int, *, above: str, top: str) -> None:
    folder, head = f"{7000 + team}", f"{platform[0]}lead{team:03}"
    world.depts.append(Dept(folder, f"销售{team}组", platform, top, [head]))
    world.members.append(
        newcomer(platform, head, 900 + team, folder=folder, leader=above, role="supervisor")
    )
    for place in range(size - 1):
        number = team * TEAM + place
        user_id = f"{platform[0]}rep{number:04}"
        world.members.append(
            newcomer(platform, user_id, number, folder=folder, leader=head, role="rep")
        )


def newcomer(
    platform: str, user_id: str, number: int, *, folder: str, leader: str, role: str
) -> Member:
    return Member(
        user_id=user_id,
        name=name_of(number),
        platform=platform,
        roles=[role],
        department=folder,
        title="销售主管" if role == "supervisor" else "销售代表",
        mobile=f"100{10_000 + number:08}",
        direct_leader=leader,
        union_id=f"union-{user_id}" if platform == "dingtalk" else "",
        email=f"{user_id}@hengyuan.example",
        hired_at=datetime(2024, 3, 1, 1, tzinfo=UTC),
    )


def name_of(number: int) -> str:
    surname, rest = SURNAMES[number % len(SURNAMES)], number // len(SURNAMES)
    return f"{surname}{GIVEN[rest % len(GIVEN)]}{GIVEN[(number * 7 + rest) % len(GIVEN)]}"


@contextlib.asynccontextmanager
async def a_month(folder: Path, *, days: int, people: int) -> AsyncIterator[Month]:
    """As `serve` runs it, but for the archive and mailboxes, which are processes of their own."""
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    clock, bound = LoopClock(ENDS_AT - timedelta(days=days)), server.bind("127.0.0.1", 0)
    base = server.base_url(bound)
    world = SoakWorld(Hooks(clock.now))
    populate(world, bot_url=base)
    staff(world, people)
    world.app("dingtalk").mode = "stream" if STEP_MIN == 1 else "http"
    wecom, erp = SoakWecom(world, f"{base}/sandbox/wecom"), KingdeeEmulator(world)
    dingtalk = DingtalkEmulator(world, base)
    dingtalk.inbound.pauses_s, dingtalk.events.pauses_s = (10.0, 60.0), (10.0, 30.0)
    given = configuration(world, base_url=base, files=folder / "files")
    given["wecom"]["sales"].pop("archive")
    given["policy"] = unhurried_policy(folder)
    settings = Settings.model_validate(given)
    async with aiohttp.ClientSession() as session:
        database = await SoakDatabase.open(url, synchronous="NORMAL")
        bot = build(settings, clock=clock, database=database, session=session)
        month = Month(world, wecom, dingtalk, erp, bot, clock, session, base, url, folder)
        month.forgetting = [Forgetting(book) for book in books(month)]
        pages, around = website(bot)
        routes = [*doors(bot), *pages, *wecom.routes(), *dingtalk.routes(), *erp.routes()]
        async with server.listening(routes, bound, **around):
            await bot.load_memory()
            await bot.upkeep.settle_in()
            await _open_books(month)
            load_dictionary()
            with quickened(bot):
                async with running(bot):
                    for stream in bot.streams:
                        await stream.up()
                    yield month
            await wecom.stop()
            await dingtalk.stop()
        await database.close()


def unhurried_policy(folder: Path) -> Path:
    """The business numbers as they come, but for how often attendance is read: of everybody."""
    often, told = "poll_min = 5 ", Settings().policy.read_text("utf-8")
    assert often in told
    file = folder / "policy.toml"
    file.write_text(told.replace(often, f"poll_min = {max(5, STEP_MIN)} "), "utf-8")
    return file


def load_dictionary() -> None:
    """104 MB that the bot keeps from the first week on in which it groups what lost deals were
    lost by: jieba's words, and once more with their parts of speech. Here from the beginning, so
    that what grows is not hidden behind it."""
    mask_names("嫌价格太贵", ())


@contextlib.contextmanager
def quickened(bot: Bot) -> Iterator[None]:
    """Look into empty boxes less often: whoever puts something in wakes those who wait."""
    if STEP_MIN == 1:
        yield
        return
    naps = {
        (outbox, "IDLE_S"): 60.0,
        (loops, "RECOVER_EVERY_S"): 300.0,
        (scheduler, "LONGEST_NAP_S"): 300.0,
        (readings, "LONGEST_NAP_S"): 300.0,
    }
    before = {(module, name): getattr(module, name) for module, name in naps}
    asked = bot.scheduler._next_fire

    def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
        if job.trigger in OFTEN:
            job = replace(job, trigger={"minute": f"*/{STEP_MIN}"})
        return asked(job, after)

    bot.scheduler._next_fire = next_fire
    for (module, name), nap_s in naps.items():
        setattr(module, name, nap_s)
    try:
        yield
    finally:
        for (module, name), nap_s in before.items():
            setattr(module, name, nap_s)


async def _open_books(month: Month) -> None:
    """The demo company's past, with the rules that bonuses are worked out by."""
    bot, office = month.bot, month.bot.office
    async with bot.database.begin() as tx:
        await demo.fill(
            tx,
            at=month.clock.now(),
            calendar=office.calendar,
            policy=office.policy,
            library=office.libraries.organisation,
        )
    await bot.load_memory()
    await bot.note_rules()


def books(month: Month) -> list[Callable[[], dict[Any, Any]]]:
    """Of both platforms: what they keep of each message."""
    state, ding, world = month.wecom.state, month.dingtalk, month.world
    return [
        lambda: state.sent,
        lambda: state.senders,
        lambda: state.task_ids,
        lambda: state.repeats,
        lambda: state.codes,
        lambda: state.media,
        lambda: state.tokens,
        lambda: ding.cards._cards,
        lambda: ding.robot._sent,
        lambda: ding.webhooks._sessions,
        lambda: ding.stream._tickets,
        lambda: ding.gate._tokens,
        lambda: world.files,
    ]
