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
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.bad_day import (
    HOURS,
    BadDay,
    LoopClock,
    Noticed,
    Watched,
    distinct_words,
    listening,
    live_through,
)
from config.settings import Settings
from config.wiring.building import build
from connectors.sandbox.configuration import configuration
from connectors.sandbox.demo import ROBOT_NAME, populate
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_aibot_socket import Connection
from connectors.sandbox.world import Hooks, Said
from connectors.web import server
from storage import admin

CONNECT = "aibot/connect"
GROUP = "wrGendanEast0001"
REPS = ("zhangwei", "chenjing")
SAYING = ("aibot_respond_msg", "aibot_send_msg", "aibot_respond_update_msg")
LEAST_GAP_S = 4.9


@dataclass
class Day(BadDay):
    """names: customer -> when it was asked for, as the place of its delivery in
    World.attempts."""

    wecom: WecomEmulator = field(kw_only=True)
    names: dict[str, int] = field(default_factory=dict)

    platform = "wecom"
    opening = CONNECT

    def kinds(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "cut": self.cut,
            "silenced": self.silence,
            "muted": self.mute,
            "forgotten": self.forget,
            "evicted": self.evict,
            "connections refused": self.refuse,
            "subscriptions refused": self.refuse_subscriptions,
            "words refused": self.refuse_words,
            "acknowledgements lost": self.lose_acknowledgements,
            "pings lost": self.lose_pings,
        }

    async def cut_all(self) -> None:
        await self.cut()

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
        self.fault(CONNECT, status=self.chance.choice((500, 502, 503)))
        await self.cut()

    async def refuse_subscriptions(self) -> None:
        self.fault("aibot_subscribe", errcode=self.chance.choice((-1, 45009)))
        await self.cut()

    async def refuse_words(self) -> None:
        self.fault(self.chance.choice(SAYING), errcode=self.chance.choice((-1, 45009, 846605)))

    async def lose_acknowledgements(self) -> None:
        self.fault(self.chance.choice(SAYING), drop=True)

    async def lose_pings(self) -> None:
        self.fault("ping", drop=True)


@contextlib.asynccontextmanager
async def a_day(folder: Path) -> AsyncIterator[Day]:
    url = f"sqlite+aiosqlite:///{folder / 'gendan.db'}"
    await admin.upgrade(url)
    clock, bound = LoopClock(), server.bind("127.0.0.1", 0)
    base = server.base_url(bound)
    world = Watched(Hooks(clock.now), f"wecom:{CONNECT}")
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
                yield Day(world, bot, session, wecom=wecom)
        await wecom.stop()
        await database.close()


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
    day.tell_openings(least_gap_s=LEAST_GAP_S)
    assert not any(faults.values())
    doubtful = ("acknowledgements lost", "cut", "silenced", "evicted", "forgotten")
    assert again <= sum(6 * day.plagues[name] for name in doubtful)


async def main() -> None:
    await live_through(simulate)
