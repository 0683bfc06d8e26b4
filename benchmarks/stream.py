"""A day of DingTalk's Stream mode at its worst, in virtual time.

The whole bot listens to the emulated gateway, which expires, cuts, silences and evicts its
connections, refuses tickets and tokens, answers 5xx, loses answers, and is away for half an
hour twice. Meanwhile reps talk and press. At the end whatever the platform saw taken must have
acted once, and the connections must not have come back in storms. HOURS makes it shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.bad_day import (
    HOURS,
    BadDay,
    LoopClock,
    Noticed,
    Watched,
    distinct_words,
    listed,
    listening,
    live_through,
)
from config.settings import Settings
from config.wiring.building import build
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import populate
from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.world import Hooks, Said
from connectors.web import server
from storage import admin

OPEN = "v1.0/gateway/connections/open"
REPS = ("wulei01", "zhengshuang", "hejie88")
EVENTS_ONLY = [{"type": "EVENT", "topic": "*"}]


@dataclass
class Day(BadDay):
    """names: customer -> id of the message that asked for it."""

    dingtalk: DingtalkEmulator = field(kw_only=True)
    names: dict[str, str] = field(default_factory=dict)

    platform = "dingtalk"
    opening = OPEN

    def kinds(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "expired": self.expire,
            "cut": self.cut,
            "silenced": self.silence,
            "evicted": self.evict,
            "tokens revoked": self.revoke,
            "tickets refused": self.refuse_tickets,
            "handshakes refused": self.refuse_handshakes,
            "answers lost": self.lose_answers,
            "pushes lost": self.lose_pushes,
        }

    async def cut_all(self) -> None:
        for connection in list(self.dingtalk.stream.connections):
            self.dingtalk.stream.cut(connection)

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
        self.fault(OPEN, status=self.chance.choice((500, 502, 503)))
        await self.cut()

    async def refuse_handshakes(self) -> None:
        self.fault("stream/connect", status=self.chance.choice((401, 503)))
        await self.cut()

    async def lose_answers(self) -> None:
        self.fault("callback", after=True)

    async def lose_pushes(self) -> None:
        self.fault("callback", drop=True)

    def _some(self) -> list[Any]:
        """One connection or all of them."""
        there = [one for one in self.dingtalk.stream.connections if not one.is_leaving]
        return there if self.chance.random() < 0.3 else there[:1]


@contextlib.asynccontextmanager
async def a_day(folder: Path) -> AsyncIterator[Day]:
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    clock, bound = LoopClock(), server.bind("127.0.0.1", 0)
    base = server.base_url(bound)
    world = Watched(Hooks(clock.now), f"dingtalk:{OPEN}")
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
                yield Day(world, bot, session, dingtalk=dingtalk)
        await dingtalk.stop()
        await database.close()


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
        f"again; {len(missed)} never reached us ({listed(why)}); {day.pressed} presses, "
        f"{day.toasts} failed before their eyes, {len(events)} events"
    )
    print(f"   {listed(day.plagues)}")
    print(f"   {listed(faults)}")
    day.tell_openings(least_gap_s=4.5)  # five seconds, but for their way to the gateway
    assert not any(faults.values())


async def main() -> None:
    await live_through(simulate)
