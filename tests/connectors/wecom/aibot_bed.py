"""A robot between the emulated platform and its own door and client, in either mode."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import Clock
from bot.domain.people import Directory
from bot.messages import (
    Address,
    Content,
    Envelope,
    FileContent,
    InboundMessage,
    Platform,
    Receipt,
)
from bot.ports import Release
from connectors.http import Http
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_aibot_socket import Connection
from connectors.sandbox.wecom_aibot_state import Robot
from connectors.sandbox.world import App, Chat, Hooks, Said, World
from connectors.wecom.aibot_client import AibotClient
from connectors.wecom.aibot_door import routes
from connectors.wecom.aibot_http import HttpWay
from connectors.wecom.aibot_link import AibotLink
from connectors.wecom.aibot_replies import Replies
from connectors.wecom.aibot_socket import SocketWay
from connectors.wecom.settings import Aibot
from tests.connectors.sandbox import wecom_bed as sandbox
from tests.connectors.wecom.wecom_bed import Files

TOKEN, AES_KEY = "robottoken", "abcdefghijABCDEFGHIJ0123456789abc0123456789"
BOT_ID, SECRET = "aibTest0001", "robot-secret"
SINGLE, GROUP = "robot-zhang3", "wrRobotGroup"
ZHANG3 = Address(Platform.WECOM, "helper", user_id="zhang3")
EAST = Address(Platform.WECOM, "helper", chat_id=GROUP)

OnMessage = Callable[[InboundMessage], Awaitable[None]]


class Application:
    """The company's application, which sends everything it is given."""

    app = "sales"

    def __init__(self) -> None:
        self.sent: list[tuple[Address, Content]] = []

    def split(self, content: Content) -> Sequence[Content]:
        return [content]

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        self.sent.append((to, content))
        return Receipt()

    async def read_directory(self) -> Directory:
        return Directory(Platform.WECOM, ())

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        return Directory(Platform.WECOM, ())


@dataclass
class Bed:
    """on_message: what the bot does with each message once it is released."""

    world: World
    emulator: WecomEmulator
    clock: Any
    client: AibotClient
    application: Application
    accepted: list[Envelope] = field(default_factory=list)
    heard: list[InboundMessage] = field(default_factory=list)
    on_message: OnMessage | None = None
    failures: list[Exception] = field(default_factory=list)
    _work: dict[asyncio.Task[None], str] = field(default_factory=dict)

    @property
    def robot(self) -> Robot:
        return self.emulator.aibots.robot("helper")

    async def accept(self, envelope: Envelope) -> Release:
        if self.failures:
            raise self.failures.pop(0)
        known = any(one.delivery_id == envelope.delivery_id for one in self.accepted)
        self.accepted.append(envelope)
        return (lambda: None) if known or envelope.unreadable else lambda: self._begin(envelope)

    def _begin(self, envelope: Envelope) -> None:
        task = asyncio.create_task(self._handle(self.client.parse(envelope)))
        self._work[task] = envelope.conversation
        task.add_done_callback(self._work.pop)

    def is_at_work(self, conversation: str) -> bool:
        return conversation in self._work.values()

    async def _handle(self, message: InboundMessage) -> None:
        self.heard.append(message)
        if self.on_message is not None:
            await self.on_message(message)

    async def answer(self, message: InboundMessage, *contents: Content) -> None:
        """As the outbox does it: one after the other, under keys that name the message."""
        for number, content in enumerate(contents):
            key = f"wecom:helper:aibot:{message.message_id}:{number}"
            await self.client.send(message.origin, content, dedupe_key=key)

    def answering(self, *contents: Content) -> None:
        """From now on every message gets these answers."""

        async def answer(message: InboundMessage) -> None:
            await self.answer(message, *contents)

        self.on_message = answer

    async def settled(self) -> None:
        await self.emulator.callbacks.settle()
        if self._work:
            await asyncio.gather(*self._work)

    def shown(self, chat: str = SINGLE) -> list[Said]:
        """What the robot has said in a chat, oldest first."""
        return [
            said for said in self.world.said if said.chat == chat and said.sender.startswith("bot:")
        ]

    async def say(self, text: str, chat: str = SINGLE, by: str = "zhang3") -> Said:
        said = await self.emulator.say(by, chat, text)
        await self.settled()
        return said

    def complaints(self) -> list[str]:
        """What the platform did not like about the bot's answers."""
        return [one["error"] for one in self.world.attempts if one["error"]]


def furnish(world: World, mode: str) -> App:
    app = App(
        "wecom", "helper", "aibot", token=TOKEN, aes_key=AES_KEY, app_key=BOT_ID,
        app_secret=SECRET, mode=mode, title="跟单",
    )  # fmt: skip
    world.apps.append(app)
    world.chats += [
        Chat(SINGLE, "跟单", "wecom", ["zhang3"], "zhang3", "helper"),
        Chat("robot-Li4", "跟单", "wecom", ["Li4"], "Li4", "helper"),
        Chat(GROUP, "讨论群", "wecom", ["zhang3", "Li4", "wang5"], "wang5", "helper"),
    ]
    return app


@contextlib.asynccontextmanager
async def open_bed(**settings: Any) -> AsyncIterator[Bed]:
    """HTTP mode."""
    async with sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        app = furnish(platform.world, "http")
        emulator = platform.emulator
        emulator.aibots.set_base_url(platform.base.removesuffix("/cgi-bin"))
        emulator.aibots.http.poll_every_s = 0.02
        robot = Aibot("helper", token=TOKEN, aes_key=AES_KEY, robot_name="跟单")
        robot = replace(robot, **settings)
        clock: Clock = platform.clock
        http = Http(session)
        replies = Replies(clock)
        application = Application()
        way = HttpWay(robot, replies, http)
        client = AibotClient(robot, way, replies, http, clock, application=application)
        bed = Bed(platform.world, emulator, platform.clock, client, application)
        server = web.Application()
        server.add_routes(routes(robot, replies, bed.accept, clock, is_at_work=bed.is_at_work))
        async with TestServer(server) as running:
            app.callback_url = str(running.make_url("/wecom/helper/aibot"))
            yield bed
            await emulator.aibots.stop()


class LoopClock:
    """Tells the loop's own time, which is virtual in these tests."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()

    def now(self) -> datetime:
        return sandbox.MONDAY + timedelta(seconds=self._loop.time() - self._begun)


@dataclass
class SocketBed(Bed):
    """owns: whether the database is still ours."""

    link: AibotLink = field(kw_only=True)
    files: Files = field(kw_only=True)
    session: aiohttp.ClientSession = field(kw_only=True)
    owns: bool = True

    @property
    def connection(self) -> Connection:
        return self.emulator.aibots.socket.standing["helper"]

    @property
    def openings(self) -> int:
        return self.world.counters.get("wecom:aibot/connect", 0)

    async def settled(self) -> None:
        """Pushes are not acknowledged, so some time must pass."""
        await super().settled()
        await asyncio.sleep(1.0)
        await super().settled()

    async def file(self, kind: str, data: bytes, name: str) -> FileContent:
        return FileContent(kind, (await self.files.put(data, name=name)).sha256, name)

    async def up(self) -> None:
        async with asyncio.timeout(7200):
            await self.link.up()


async def _nobody() -> list[dict[str, Any]]:
    return []


@contextlib.asynccontextmanager
async def open_socket_bed(**settings: Any) -> AsyncIterator[SocketBed]:
    """Over the long connection, in the running loop's time."""
    clock = LoopClock()
    world = World(Hooks(now=clock.now, customers=_nobody))
    sandbox.furnish(world)
    furnish(world, "websocket")
    emulator = WecomEmulator(world)
    platform = web.Application()
    platform.add_routes(emulator.routes())
    async with TestServer(platform) as server, aiohttp.ClientSession() as session:
        emulator.aibots.set_base_url(str(server.make_url("/sandbox/wecom")))
        url = str(server.make_url("/sandbox/wecom/openws")).replace("http", "ws", 1)
        robot = Aibot("helper", "websocket", bot_id=BOT_ID, secret=SECRET, ws_url=url)
        robot = replace(robot, robot_name="跟单", **settings)
        http, files, application = Http(session), Files(), Application()

        async def owns() -> bool:
            return bed.owns

        link = AibotLink(robot, http, clock, may_open=owns)
        way = SocketWay(robot, link, files, clock)
        client = AibotClient(robot, way, Replies(clock), http, clock, application=application)
        bed = SocketBed(
            world, emulator, clock, client, application, link=link, files=files, session=session
        )
        way.listen(bed.accept)
        running = asyncio.create_task(link.run())
        try:
            yield bed
        finally:
            link.stop()
            await running
            await emulator.stop()
