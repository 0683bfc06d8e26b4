"""A day of the long connection of WeCom's intelligent robot at its worst, in virtual time.

The whole bot listens to the emulated platform, which cuts, silences, mutes and forgets its
connection, lets somebody else take it over, answers 5xx and errors, loses acknowledgements, and
is away for half an hour twice. Meanwhile reps talk, alone and in a group, and press. At the end
whatever the platform has delivered must have acted once, and the connection must not have come
back in storms. HOURS makes it shorter.
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
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.stream import LoopClock, Noticed, distinct_words
from config.settings import Settings
from config.wiring.bot import Bot
from config.wiring.building import build
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import ROBOT_NAME, populate
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_aibot_socket import Connection
from connectors.sandbox.world import Fault, Hooks, Said, World
from connectors.web import server
from storage import admin
from tests.virtual_time import VirtualLoop

HOURS = float(os.environ.get("HOURS", "24"))
SEED = 20261126
CONNECT = "aibot/connect"
GROUP = "wrGendanEast0001"
REPS = ("zhangwei", "chenjing")
SAYING = ("aibot_respond_msg", "aibot_send_msg", "aibot_respond_update_msg")
LEAST_GAP_S = 4.9


class Watched(World):
    """Notes when connections are asked for."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.opened_at: list[float] = []

    def count(self, name: str) -> int:
        if name == f"wecom:{CONNECT}":
            self.opened_at.append(asyncio.get_running_loop().time())
        return super().count(name)


@dataclass
class Day:
    """One simulated day. names: customer -> when it was asked for, as the place of its
    delivery in World.attempts. lost: acknowledgements that were not sent."""

    world: Watched
    wecom: WecomEmulator
    bot: Bot
    session: aiohttp.ClientSession
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    names: dict[str, int] = field(default_factory=dict)
    pressed: int = 0
    toasts: int = 0
    plagues: Counter[str] = field(default_factory=Counter)

    async def talk(self) -> None:
        """A message every two minutes, every fifth of them in a group, and every tenth with a
        record and a card to press."""
        async with asyncio.TaskGroup() as records:
            for number in range(int(HOURS * 30)):
                await asyncio.sleep(self.chance.uniform(60.0, 180.0))
                rep, name = self.chance.choice(REPS), f"{distinct_words(number)}精密机械有限公司"
                in_group = number % 5 == 4
                self.names[name] = len(self.world.attempts)
                text = f"@跟单 新建客户 {name}" if in_group else f"新建客户 {name}"
                await self.wecom.say(rep, GROUP if in_group else f"robot-{rep}", text)
                await asyncio.sleep(0)  # the delivery is noted before anything else
                if number % 10 == 9:
                    records.create_task(self._record(rep, name))

    async def _record(self, rep: str, customer: str) -> None:
        await asyncio.sleep(200)
        told = f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系"
        await self.wecom.say(rep, f"robot-{rep}", told)
        await asyncio.sleep(200)
        for _ in range(10):
            card = self._open_card(rep)
            if card is None:
                return
            action = card.card["buttons"][0]["action"] if card.card else ""
            try:
                await self.wecom.press(card, rep, action, {})
                self.pressed += 1
            except ConnectionError:
                self.toasts += 1
            await asyncio.sleep(30)

    def _open_card(self, rep: str) -> Said | None:
        for said in reversed(self.world.said):
            if said.chat == f"robot-{rep}" and said.card and "confirm" in str(said.card):
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
        fault = Fault("wecom", CONNECT, status=503, times=1_000_000)
        self.world.faults.append(fault)
        await self.cut()
        await asyncio.sleep(1800)
        fault.times = 0

    def _standing(self) -> Connection | None:
        return self.wecom.aibots.socket.standing.get(ROBOT_NAME)

    async def cut(self) -> None:
        if (connection := self._standing()) is not None:
            connection.cut()

    async def silence(self) -> None:
        if (connection := self._standing()) is not None:
            connection.is_silent = True

    async def mute(self) -> None:
        if (connection := self._standing()) is not None:
            connection.is_mute = True

    async def forget(self) -> None:
        if (connection := self._standing()) is not None:
            connection.is_forgotten = True

    async def evict(self) -> None:
        """Somebody else connects with our credentials, and hears nothing either."""
        robot = self.wecom.aibots.robot(ROBOT_NAME).app
        body = {"bot_id": robot.app_key, "secret": robot.app_secret}
        with contextlib.suppress(aiohttp.ClientError):
            url = self.bot.settings.aibots[ROBOT_NAME].ws_url
            async with self.session.ws_connect(url) as other:
                self.world.opened_at.pop()  # that was not the bot
                await other.send_json(
                    {"cmd": "aibot_subscribe", "headers": {"req_id": "x"}, "body": body}
                )
                if (await other.receive_json()).get("errcode") == 0:
                    await self.mute()
                await asyncio.sleep(self.chance.uniform(5, 60))

    async def refuse(self) -> None:
        self._fault(CONNECT, status=self.chance.choice((500, 502, 503)))
        await self.cut()

    async def refuse_subscriptions(self) -> None:
        self._fault("aibot_subscribe", errcode=self.chance.choice((-1, 45009)))
        await self.cut()

    async def refuse_words(self) -> None:
        self._fault(self.chance.choice(SAYING), errcode=self.chance.choice((-1, 45009, 846605)))

    async def lose_acknowledgements(self) -> None:
        self._fault(self.chance.choice(SAYING), drop=True)

    async def lose_pings(self) -> None:
        self._fault("ping", drop=True)

    def _fault(self, api: str, **what: Any) -> None:
        times = self.chance.randint(1, 6)
        self.world.faults.append(Fault("wecom", api, times=times, **what))


PLAGUES = {
    "cut": Day.cut,
    "silenced": Day.silence,
    "muted": Day.mute,
    "forgotten": Day.forget,
    "evicted": Day.evict,
    "connections refused": Day.refuse,
    "subscriptions refused": Day.refuse_subscriptions,
    "words refused": Day.refuse_words,
    "acknowledgements lost": Day.lose_acknowledgements,
    "pings lost": Day.lose_pings,
}


@contextlib.asynccontextmanager
async def a_day(folder: Path) -> AsyncIterator[Day]:
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    clock, bound = LoopClock(), server.bind("127.0.0.1", 0)
    base = server.base_url(bound)
    world = Watched(Hooks(clock.now))
    populate(world, bot_url=base)
    for app in world.apps:
        app.mode = "websocket" if app.kind == "aibot" else app.mode
    world.app("wecom").callback_url = ""  # this is not about the application's own chat
    wecom = WecomEmulator(world, f"{base}/sandbox/wecom")
    given = configuration(world, base_url=base, files=folder / "files")
    settings = Settings.model_validate({**given, "dingtalk": {}, "erp": {}})
    async with aiohttp.ClientSession() as session:
        database = await Noticed.open(url, synchronous="NORMAL")
        bot = build(settings, clock=clock, database=database, session=session)
        async with server.listening(wecom.routes(), bound):
            await bot.load_memory()
            await bot.upkeep.settle_in()
            async with listening(bot):
                yield Day(world, wecom, bot, session)
        await wecom.stop()
        await database.close()


@contextlib.asynccontextmanager
async def listening(bot: Bot) -> AsyncIterator[None]:
    """What of the bot this is about; without the jobs that the clock calls for."""
    (link,) = bot.streams
    running = [asyncio.create_task(link.run()), asyncio.create_task(bot.outbox.run())]
    await link.up()
    yield
    link.stop()
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
        await asyncio.sleep(2 * 3600)  # whoever rests after an eviction comes back
        await day.wecom.callbacks.settle()
        await day.bot.settle()
        await report(day)


async def report(day: Day) -> None:
    attempts = day.world.attempts
    delivered = {name for name, at in day.names.items() if not attempts[at]["error"]}
    async with day.bot.database.read() as tx:
        accounts = Counter(one.name for one in await tx.accounts.list_all())
    answers = Counter(
        name for said in day.world.said for name in day.names
        if said.sender.startswith("bot:") and "已新建" in said.text and name in said.text
    )  # fmt: skip
    acted = {name for name in day.names if accounts[name]}
    again = sum(count > 1 for count in answers.values())
    faults = {
        "delivered, and nothing came of it": len(delivered - acted),
        "customers twice": sum(count > 1 for count in accounts.values()),
        "acted, and not answered": len(acted - set(answers)),
    }
    print(
        f"   {HOURS:g} h, {len(day.names)} messages: {len(delivered)} delivered, "
        f"{len(day.names) - len(delivered)} not (nobody listened); {day.pressed} presses, "
        f"{day.toasts} toasts; {again} answers shown twice (their acknowledgement was lost)"
    )
    print("   " + ", ".join(f"{name} {count}" for name, count in sorted(day.plagues.items())))
    print("   " + ", ".join(f"{name}: {count}" for name, count in faults.items()))
    _tell_openings(day)
    assert not any(faults.values())
    doubtful = ("acknowledgements lost", "cut", "silenced", "evicted", "forgotten")
    assert again <= sum(6 * day.plagues[name] for name in doubtful)


def _tell_openings(day: Day) -> None:
    at = day.world.opened_at
    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    most = max(sum(0 <= other - one < 600 for other in at) for one in at)
    print(
        f"   {len(at)} connections asked for, {len(at) / HOURS:.1f} an hour; least gap "
        f"{min(gaps):.1f} s, most in ten minutes {most}"
    )
    assert min(gaps) >= LEAST_GAP_S


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
