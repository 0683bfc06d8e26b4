"""A bot that dies at every commit, at every sending and at random instructions of one conversation.

A rep tells of a quote, keeps it incomplete by a press on its card, and is reminded a day later.
The emulated platforms go on and send again what was not answered; the bot is started anew. What
people then have before them and what the database holds must be what an undisturbed run leaves;
DingTalk's plain messages, which carry no key, may be there once more. WeCom's may too where the
bot dies between the platform's taking and its own noting and says it in other words. INSTRUCTIONS
is how many random ones there are for each platform; they are the same each time but for what the
machine makes of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.dying import DEATHS, INSTRUCTION, KINDS
from bot.clock import MovableClock
from config.settings import Settings
from config.wiring.building import build
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import populate
from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.world import Hooks, Said, World
from connectors.web import server
from storage import admin
from storage.database import Database

ROOT = Path(__file__).resolve().parents[1]
BEGINS_AT = datetime(2026, 1, 28, 7, tzinfo=UTC)  # a Wednesday, three in the afternoon in China
REMINDED_AFTER = timedelta(hours=24, minutes=2)
REPS = {"wecom": "zhangwei", "dingtalk": "wulei01"}
"""Their customer is the same company, in a database of its own."""
CUSTOMER = "杭州恒锐机电有限公司"
QUOTE = "恒锐机电报价12万"
WELCOME = "你好"
PATIENCE_S = 600.0
STORED = "%Y-%m-%d %H:%M:%S.%f"
INSTRUCTIONS = int(os.environ.get("INSTRUCTIONS", "20"))
SEED = 20261126
NEEDLESS = ("archive", "contacts", "leaves", "approvals", "checkins", "group_chats")


@dataclass(frozen=True, slots=True)
class Point:
    """Where to die: kind of benchmarks.dying.KINDS, and the how manieth; or INSTRUCTION, and after
    how many milliseconds of processor time."""

    kind: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """shown: what the rep sees of the bot, in order; kept: rows that tell what happened.
    commits, sendings: how many there were. spent_ms: processor time of all bots. died: whether
    the point was reached."""

    shown: tuple[str, ...]
    kept: tuple[str, ...]
    commits: int
    sendings: int
    spent_ms: int
    died: bool


class Zygote:
    """Forks bots, see benchmarks.dying."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self.ended: dict[int, asyncio.Future[tuple[int, int]]] = {}
        """By process: its exit code, and how many milliseconds of processor time it took."""
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Zygote]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.dying", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        await process.stdout.readline()
        zygote = cls(process)
        try:
            yield zygote
        finally:
            process.stdin.close()  # then it ends
            await process.wait()
            await zygote._reading

    async def fork(self, **orders: Any) -> int:
        self._tell(orders)
        return await self._started.get()

    def end(self, number: int) -> None:
        self._tell({"stop": number})

    def _tell(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line, default=str).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            word, number, *ending = json.loads(line)
            if word == "started":
                self.ended[number] = asyncio.get_running_loop().create_future()
                self._started.put_nowait(number)
            else:
                self.ended[number].set_result(tuple(ending))


@dataclass
class Stage:
    """One conversation: the platforms, a copy of the prepared database, a bot that is kept up."""

    platform: str
    folder: Path
    zygote: Zygote
    point: Point
    clock: MovableClock = field(default_factory=lambda: MovableClock(BEGINS_AT))
    port: int = 0
    bot: int = 0
    is_over: bool = False
    died: bool = False
    spent_ms: int = 0

    def __post_init__(self) -> None:
        with contextlib.closing(server.bind("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.world = World(Hooks(self.clock.now))
        populate(self.world, bot_url=f"http://127.0.0.1:{self.port}")
        self.counts = self.folder / "counts"
        self.counts.touch()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        bound = server.bind("127.0.0.1", 0)
        self.base = server.base_url(bound)
        self.wecom = WecomEmulator(self.world, f"{self.base}/sandbox/wecom")
        self.dingtalk = DingtalkEmulator(self.world, self.base)
        self.wecom.callbacks.retries = 300
        self.dingtalk.inbound.pauses_s = (0.3,) * 200
        self.dingtalk.cards.limit_s = 60.0
        routes = [*self.wecom.routes(), *self.dingtalk.routes()]
        async with server.listening(routes, bound):
            try:
                yield
            finally:
                await self.wecom.stop()
                await self.dingtalk.stop()

    def configuration(self) -> dict[str, Any]:
        told = told_without_needless(self.world, self.base, self.folder)
        return {**told, "public_url": f"http://127.0.0.1:{self.port}"}

    async def keep_up(self) -> None:
        """Until it is sent home: the bot, and the next one when it has died."""
        self.is_over = False
        while not self.is_over:
            self.bot = await self.zygote.fork(
                configuration=self.configuration(),
                port=self.port,
                begins_at=self.clock.now().isoformat(),
                counts=str(self.counts),
                kind="" if self.died else self.point.kind,
                number=self._number(),
            )
            if self.is_over:
                self.zygote.end(self.bot)
            code, spent_ms = await self.zygote.ended[self.bot]
            self.died |= code in DEATHS
            self.spent_ms += spent_ms
            assert self.is_over or code in DEATHS, f"a bot ended by itself: {code}"

    def send_home(self) -> None:
        self.is_over = True
        self.zygote.end(self.bot)

    def _number(self) -> int:
        is_time = self.point.kind == INSTRUCTION
        return self.point.number - self.spent_ms if is_time else self.point.number

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - a row of another process has no event
                await asyncio.sleep(0.05)

    def quiet(self) -> bool:
        return (
            not self.wecom.busy()
            and not self.dingtalk.busy()
            and not self.ask("SELECT 1 FROM inbox WHERE state = 'new'")
            and all(due_at > f"{self.clock.now():{STORED}}" for (due_at,) in self.queued())
        )

    def queued(self) -> list[Any]:
        return self.ask("SELECT due_at FROM outbox WHERE state = 'queued'")

    def ask(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.folder / "gendan.db", timeout=10)) as db:
            return db.execute(query).fetchall()

    def cards(self, word: str) -> list[Said]:
        return [
            said
            for said in self.world.said
            if said.card and word in str(said.card.get("buttons", ""))
        ]

    async def press(self, word: str) -> None:
        """On DingTalk a press that fails shows a toast, and people press again."""
        emulator = self.wecom if self.platform == "wecom" else self.dingtalk
        card = self.cards(word)[-1]
        assert card.card is not None
        (action,) = [one["action"] for one in card.card["buttons"] if word in one["label"]]
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await emulator.press(card, REPS[self.platform], action, {})
                    return
                except ConnectionError:
                    await asyncio.sleep(0.3)
                except ValueError:  # by now there is nothing to press
                    return

    async def converse(self) -> None:
        emulator = self.wecom if self.platform == "wecom" else self.dingtalk
        await emulator.say(REPS[self.platform], None, QUOTE)
        await self.until(lambda: self.quiet() and self.cards("先记下"))
        await self.press("先记下")
        await self.until(lambda: self.quiet() and self.ask("SELECT 1 FROM activities"))

    async def wait_for_reminder(self) -> None:
        await self.until(lambda: self.quiet() and "待补" in "".join(self.shown()))

    def shown(self) -> list[str]:
        """The first line of each message, and what can still be pressed on it: talk tracks that are
        equally good come in any order."""
        return [
            f"{said.kind} {said.text.splitlines()[0]} {[one['label'] for one in _buttons(said)]}"
            for said in self.world.said
            if said.sender.startswith("bot:") and said.to == REPS[self.platform]
        ]

    def ending(self) -> Ending:
        marks = self.counts.read_text()
        kept = [
            *self.ask("SELECT unit, text, slots, valid FROM activities ORDER BY id"),
            *self.ask("SELECT state, slots FROM drafts ORDER BY id"),
            *self.ask("SELECT state, reason FROM inbox ORDER BY state"),
            *self.ask("SELECT state, count(*) FROM outbox WHERE state <> 'queued' GROUP BY 1"),
            *self.ask("SELECT action, count(*) FROM audit GROUP BY 1 ORDER BY 1"),
        ]
        return Ending(
            tuple(self.shown()),
            tuple(map(str, kept)),
            marks.count("c"),
            marks.count("s"),
            self.spent_ms,
            self.died,
        )


def _order(ending: Ending) -> list[str]:
    """Without the welcome: it answers an event, and what the rep says meanwhile may overtake the
    platform's next try to deliver that."""
    return [one for one in dict.fromkeys(ending.shown) if WELCOME not in one]


def _buttons(said: Said) -> list[dict[str, str]]:
    buttons: list[dict[str, str]] = (said.card or {}).get("buttons", [])
    return buttons


def told_without_needless(world: World, base: str, folder: Path) -> dict[str, Any]:
    told = configuration(world, base_url=base, files=folder / "files")
    for app in (*told["wecom"].values(), *told["dingtalk"].values()):
        for one in NEEDLESS:
            app.pop(one, None)
    told["storage"]["url"] = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    return {**told, "erp": {}, "site": {}}


async def prepare(folder: Path) -> None:
    """A database that knows the demo company's people, and one customer of each rep."""
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    bound, clock = server.bind("127.0.0.1", 0), MovableClock(BEGINS_AT)
    base, world = server.base_url(bound), World(Hooks(clock.now))
    populate(world, bot_url="http://127.0.0.1:9")
    wecom, dingtalk = WecomEmulator(world, f"{base}/sandbox/wecom"), DingtalkEmulator(world, base)
    settings = Settings.model_validate(told_without_needless(world, base, folder))
    async with (
        server.listening([*wecom.routes(), *dingtalk.routes()], bound),
        aiohttp.ClientSession() as session,
    ):
        database = await Database.open(url)
        bot = build(settings, clock=clock, database=database, session=session)
        await bot.load_memory()
        await bot.upkeep.settle_in()
        await database.close()


async def play(zygote: Zygote, template: Path, platform: str, point: Point) -> Ending:
    """Raises TimeoutError when something did not come, AssertionError when a bot ended."""
    with tempfile.TemporaryDirectory(dir=template.parent) as name:
        folder = Path(name)
        await asyncio.to_thread(shutil.copy, template / "gendan.db", folder / "gendan.db")
        own(folder / "gendan.db", platform)
        stage = Stage(platform, folder, zygote, point)
        async with stage.open():
            for act in (stage.converse, stage.wait_for_reminder):
                keeping = asyncio.create_task(stage.keep_up())
                acting = asyncio.create_task(act())
                await asyncio.wait([keeping, acting], return_when=asyncio.FIRST_COMPLETED)
                acting.cancel()  # where it is not done, keeping up has failed
                stage.send_home()
                await keeping
                await acting
                stage.clock.move_to(BEGINS_AT + REMINDED_AFTER)
            return stage.ending()


def own(file: Path, platform: str) -> None:
    """The customer and its deal are this platform's rep's."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute(
            "INSERT INTO accounts (name, aliases, industry, owner_id, created_at)"
            " SELECT ?, '[\"恒锐机电\"]', '', person_id, '2026-01-20 01:00:00.000000'"
            " FROM identities WHERE platform = ? AND user_id = ?",
            (CUSTOMER, platform, REPS[platform]),
        )
        db.commit()


def unlike(platform: str, undisturbed: Ending, other: Ending) -> list[str]:
    """What is not as it should be."""
    found = []
    if undisturbed.kept != other.kept:
        found += [f"kept {set(undisturbed.kept) ^ set(other.kept)}"]
    more = [one for one in other.shown if other.shown.count(one) > undisturbed.shown.count(one)]
    found += [f"not shown {one}" for one in set(undisturbed.shown) - set(other.shown)]
    found += [f"shown besides {one}" for one in set(other.shown) - set(undisturbed.shown)]
    if not found and _order(other) != _order(undisturbed):
        found += [f"shown in another order: {other.shown}"]
    if platform == "wecom" or len(other.shown) - len(undisturbed.shown) > 1:
        found += [f"shown twice {one}" for one in more]
    return found


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as name:
        template = Path(name) / "template"
        template.mkdir()
        await prepare(template)
        async with Zygote.running() as zygote:
            platforms = os.environ.get("PLATFORMS", " ".join(REPS)).split()
            bad = [await sweep(zygote, template, platform) for platform in platforms]
    assert not any(bad)


async def sweep(zygote: Zygote, template: Path, platform: str) -> int:
    """At how many points something was not as it should be."""
    started = time.perf_counter()
    undisturbed = await play(zygote, template, platform, Point())
    points = points_of(undisturbed)
    deaths: Counter[str] = Counter()
    repeated = bad = 0
    for point in points:
        try:
            ending = await play(zygote, template, platform, point)
        except TimeoutError:
            bad += 1
            print(f"   {platform}, {point.kind} {point.number}: something never came", flush=True)
            continue
        deaths[point.kind] += ending.died
        repeated += len(ending.shown) > len(undisturbed.shown)
        if wrong := unlike(platform, undisturbed, ending):
            bad += 1
            print(f"   {platform}, {point.kind} {point.number}: {wrong}", flush=True)
    print(
        f"   {platform}: {undisturbed.commits} commits, {undisturbed.sendings} sendings, "
        f"{undisturbed.spent_ms:,} ms; {deaths.total()} deaths at {len(points)} points "
        f"({dict(deaths)}), {repeated} times something was shown once more "
        f"({time.perf_counter() - started:.0f} s)",
        flush=True,
    )
    return bad


def points_of(undisturbed: Ending) -> list[Point]:
    most = {"commit": undisturbed.commits, "send": undisturbed.sendings}
    chance = random.Random(SEED)
    return [
        *(Point(kind, number) for kind in KINDS for number in range(1, most[kind.split()[1]] + 1)),
        *(Point(INSTRUCTION, chance.randrange(undisturbed.spent_ms)) for _ in range(INSTRUCTIONS)),
    ]
