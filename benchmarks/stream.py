"""A day of DingTalk's Stream mode at its worst, in virtual time.

The whole bot listens to the emulated gateway, which expires, cuts, silences and evicts its
connections, refuses tickets and tokens, answers 5xx, loses answers, and is away for half an
hour twice. Meanwhile reps talk and press. At the end whatever the platform saw taken must have
acted once, and the connections must not have come back in storms. HOURS makes it shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from config.settings import Settings
from config.wiring.bot import Bot
from config.wiring.building import build
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import populate
from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.world import Fault, Hooks, Said, World
from connectors.web import server
from storage import admin
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.virtual_time import VirtualLoop

HOURS = float(os.environ.get("HOURS", "24"))
SEED = 20261126
MORNING = datetime(2026, 3, 2, 0, tzinfo=UTC)
OPEN = "v1.0/gateway/connections/open"
REPS = ("wulei01", "zhengshuang", "hejie88")
EVENTS_ONLY = [{"type": "EVENT", "topic": "*"}]


class LoopClock:
    """Tells the loop's own time as if it had begun on a Monday morning."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self._loop.time() - self._begun)


class Noticed(Database):
    """The loop's clock stands still while somebody reads: those threads are not the loop's."""

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.working += 1
        try:
            async with super().read() as tx:
                yield tx
        finally:
            loop.working -= 1


class Watched(World):
    """Notes when the bot asks for connections."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.opened_at: list[datetime] = []

    def count(self, name: str) -> int:
        if name == f"dingtalk:{OPEN}":
            self.opened_at.append(self.now())
        return super().count(name)


@dataclass
class Day:
    """One simulated day. names: customer -> id of the message that asked for it."""

    world: Watched
    dingtalk: DingtalkEmulator
    bot: Bot
    session: aiohttp.ClientSession
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    names: dict[str, str] = field(default_factory=dict)
    pressed: int = 0
    toasts: int = 0
    plagues: Counter[str] = field(default_factory=Counter)

    async def talk(self) -> None:
        """A message every two minutes, every tenth of them with a record and a card to press."""
        async with asyncio.TaskGroup() as records:
            for number in range(int(HOURS * 30)):
                await asyncio.sleep(self.chance.uniform(60.0, 180.0))
                rep = self.chance.choice(REPS)
                name = f"{distinct_words(number)}精密机械有限公司"
                said = await self.dingtalk.say(rep, None, f"新建客户 {name}")
                self.names[name] = said.wire["msgId"]
                if number % 10 == 9:
                    records.create_task(self._record(rep, name))
                if number % 20 == 19:
                    self.dingtalk.change_member(rep, email=f"{number}@hengyuan.example")

    async def _record(self, rep: str, customer: str) -> None:
        await asyncio.sleep(200)
        await self.dingtalk.say(rep, None, f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系")
        await asyncio.sleep(200)
        for _ in range(20):
            card = self._open_card(rep)
            if card is None:
                return
            try:
                await self.dingtalk.press(card, rep, "confirm", {})
                self.pressed += 1
            except ConnectionError:
                self.toasts += 1
            await asyncio.sleep(30)

    def _open_card(self, rep: str) -> Said | None:
        for said in reversed(self.world.said):
            if said.to == rep and said.card and "confirm" in str(said.card["buttons"]):
                return said
        return None

    async def plague(self) -> None:
        """Something every few minutes; half an hour of nothing at all twice."""
        outages = [HOURS * 3600 * share for share in (0.3, 0.7)]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 400))
            if outages and loop.time() - begun > outages[0]:
                del outages[0]
                await self._outage()
                continue
            what = self.chance.choice(sorted(PLAGUES))
            self.plagues[what] += 1
            await PLAGUES[what](self)

    async def _outage(self) -> None:
        self.plagues["half an hour away"] += 1
        fault = Fault("dingtalk", OPEN, status=503, times=1_000_000)
        self.world.faults.append(fault)
        for connection in list(self.dingtalk.stream.connections):
            self.dingtalk.stream.cut(connection)
        await asyncio.sleep(1800)
        fault.times = 0

    async def expire(self) -> None:
        for connection in self._some():
            self.dingtalk.stream.disconnect(connection, "connection is expired")

    async def cut(self) -> None:
        for connection in self._some():
            self.dingtalk.stream.cut(connection)

    async def silence(self) -> None:
        for connection in self._some():
            connection.is_silent = True

    async def evict(self) -> None:
        """Somebody else connects with our credentials, where there is room for two."""
        app = self.world.app("dingtalk")
        body = {
            "clientId": app.app_key,
            "clientSecret": app.app_secret,
            "subscriptions": EVENTS_ONLY,
        }
        url = f"{self.dingtalk.origin}/sandbox/dingtalk/{OPEN}"
        self.dingtalk.stream.most = 2
        with contextlib.suppress(aiohttp.ClientError):
            headers = {"Accept": "application/json"}
            async with self.session.post(url, json=body, headers=headers) as answer:
                told = await answer.json()
            self.world.opened_at.pop()  # that was not the bot
            if "endpoint" in told:
                at = f"{told['endpoint']}?ticket={told['ticket']}"
                async with self.session.ws_connect(at):
                    await asyncio.sleep(self.chance.uniform(5, 60))
        self.dingtalk.stream.most = 16

    async def revoke(self) -> None:
        self.dingtalk.gate.revoke_tokens()
        self.dingtalk.stream.revoke_tickets()

    async def refuse_tickets(self) -> None:
        self._fault(OPEN, status=self.chance.choice((500, 502, 503)))
        await self.cut()

    async def refuse_handshakes(self) -> None:
        self._fault("stream/connect", status=self.chance.choice((401, 503)))
        await self.cut()

    async def lose_answers(self) -> None:
        self._fault("callback", after=True)

    async def lose_pushes(self) -> None:
        self._fault("callback", drop=True)

    def _fault(self, api: str, **what: Any) -> None:
        self.world.faults.append(Fault("dingtalk", api, times=self.chance.randint(1, 6), **what))

    def _some(self) -> list[Any]:
        """One connection or all of them."""
        there = [one for one in self.dingtalk.stream.connections if not one.is_leaving]
        return there if self.chance.random() < 0.3 else there[:1]


PLAGUES = {
    "expired": Day.expire,
    "cut": Day.cut,
    "silenced": Day.silence,
    "evicted": Day.evict,
    "tokens revoked": Day.revoke,
    "tickets refused": Day.refuse_tickets,
    "handshakes refused": Day.refuse_handshakes,
    "answers lost": Day.lose_answers,
    "pushes lost": Day.lose_pushes,
}


def distinct_words(number: int) -> str:
    """Names that are no near duplicates of each other."""
    signs = "东南西北春夏秋冬金木水火土山川河海云雷风天地日月星辰江湖林石"
    digits = [number // 27**power % 27 for power in range(3)]
    return "".join(
        signs[digit] + signs[(digit * 7 + place) % 29] for place, digit in enumerate(digits)
    )


@contextlib.asynccontextmanager
async def a_day(folder: Path) -> AsyncIterator[Day]:
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    clock, bound = LoopClock(), server.bind("127.0.0.1", 0)
    base = server.base_url(bound)
    world = Watched(Hooks(clock.now))
    populate(world, bot_url=base)
    world.app("dingtalk").mode = "stream"
    dingtalk = DingtalkEmulator(world, base)
    dingtalk.stream.life_s = 1800.0
    dingtalk.inbound.pauses_s = (60.0,)
    dingtalk.events.pauses_s = (10.0, 30.0)
    given = configuration(world, base_url=base, files=folder / "files")
    settings = Settings.model_validate({**given, "wecom": {}, "erp": {}})
    async with aiohttp.ClientSession() as session:
        database = await Noticed.open(url, synchronous="NORMAL")
        bot = build(settings, clock=clock, database=database, session=session)
        async with server.listening(dingtalk.routes(), bound):
            await bot.load_memory()
            await bot.upkeep.settle_in()
            async with listening(bot):
                yield Day(world, dingtalk, bot, session)
        await dingtalk.stop()
        await database.close()


@contextlib.asynccontextmanager
async def listening(bot: Bot) -> AsyncIterator[None]:
    """What of the bot this is about; without the jobs that the clock calls for."""
    (stream,) = bot.streams
    running = [asyncio.create_task(stream.run()), asyncio.create_task(bot.outbox.run())]
    await stream.up()
    try:
        yield
    finally:
        stream.stop()
        await running[0]
        await bot.dispatcher.stop()
        running[1].cancel()
        await asyncio.wait(running)


async def simulate(folder: Path) -> None:
    async with a_day(folder) as day:
        plague = asyncio.create_task(day.plague())
        await day.talk()
        plague.cancel()
        day.world.faults.clear()
        await asyncio.gather(plague, return_exceptions=True)
        await asyncio.sleep(300)
        await day.dingtalk.calls.drain()
        await day.bot.settle()
        await report(day)


async def report(day: Day) -> None:
    robot = [one for one in day.world.attempts if one["about"].startswith("robot ")]
    taken = {one["about"].removeprefix("robot ") for one in robot if not one["error"]}
    async with day.bot.database.read() as tx:
        accounts = Counter(one.name for one in await tx.accounts.list_all())
    acted = {message for name, message in day.names.items() if accounts[name]}
    answers = Counter(
        name for said in day.world.said for name in day.names
        if said.sender.startswith("bot:") and said.text.startswith("已新建") and name in said.text
    )  # fmt: skip
    events = [one for one in day.world.attempts if one["about"].startswith("event ")]
    faults = {
        "taken, and nothing came of it": len((taken & set(day.names.values())) - acted),
        "customers twice": sum(count > 1 for count in accounts.values()),
        "answered twice": sum(count > 1 for count in answers.values()),
        "acted, and not answered": len(
            {name for name, message in day.names.items() if message in acted} - set(answers)
        ),
    }
    again = sum(one["tries"] > 1 and not one["error"] for one in robot)
    names = set(day.names.values())
    missed = [one for one in robot if one["about"].removeprefix("robot ") in names - acted]
    why = Counter(one["error"] or "?" for one in missed)
    print(
        f"   {HOURS:g} h, {len(robot)} messages: {len(taken)} taken, {again} of them when pushed "
        f"again; {len(missed)} never reached us ({_listed(why)}); {day.pressed} presses, "
        f"{day.toasts} failed before their eyes, {len(events)} events"
    )
    print(f"   {_listed(day.plagues)}")
    print(f"   {_listed(faults)}")
    _tell_openings(day)
    assert not any(faults.values())


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


def _tell_openings(day: Day) -> None:
    at = day.world.opened_at
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(at)]
    most = max(sum(0 <= (other - one).total_seconds() < 600 for other in at) for one in at)
    print(
        f"   {len(at)} connections asked for, {len(at) / HOURS:.1f} an hour; least gap "
        f"{min(gaps):.1f} s, most in ten minutes {most}"
    )
    assert min(gaps) > 4.5  # five seconds, but for their way to the gateway


def _run() -> None:
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        started, cpu = time.perf_counter(), time.process_time()
        runner.run(simulate(Path(folder)))
        print(
            f"   {time.perf_counter() - started:.0f} s of real time, "
            f"{time.process_time() - cpu:.0f} s of processor time"
        )


async def main() -> None:
    await asyncio.to_thread(_run)
