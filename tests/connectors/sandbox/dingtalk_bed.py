"""A small company on an emulated DingTalk, a bot's three doors, and a client between them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from dingtalk.crypto import DingTalkCrypto

from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.world import App, Chat, Dept, Hooks, Member, World

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
GROUP = "cidEast=="
KEY, SECRET, CARD_SECRET = "dingsales", "demo-app-secret", "demo-card-secret"
TOKEN, AES_KEY = "demotoken", "0123456789abcdefghijABCDEFGHIJ0123456789abc"

Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Post:
    """One call the bot's door has received."""

    door: str
    headers: dict[str, str]
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


@dataclass
class Door:
    """The bot, as far as the platform sees it; `answers` may be replaced by a test."""

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        door = request.match_info["door"]
        raw = await request.read()
        self.posts.append(Post(door, dict(request.headers), dict(request.query), raw))
        return await self.answers.get(door, DEFAULTS[door])(request, raw)

    def at(self, door: str) -> list[Post]:
        return [post for post in self.posts if post.door == door]


async def answer_empty(request: web.Request, raw: bytes) -> web.StreamResponse:
    return web.json_response({"msgtype": "empty"})


async def answer_nothing_new(request: web.Request, raw: bytes) -> web.StreamResponse:
    return web.json_response({})


async def answer_success(request: web.Request, raw: bytes) -> web.StreamResponse:
    """Encrypted by a library that knows nothing of the emulator."""
    return web.json_response(DingTalkCrypto(TOKEN, AES_KEY, KEY).encrypt_message("success"))


async def answer_500(request: web.Request, raw: bytes) -> web.StreamResponse:
    return web.Response(status=500)


DEFAULTS: dict[str, Answer] = {
    "robot": answer_empty,
    "cards": answer_nothing_new,
    "events": answer_success,
}


@dataclass
class Clock:
    at: datetime = MONDAY

    def now(self) -> datetime:
        return self.at

    def pass_by(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@dataclass
class Bed:
    world: World
    emulator: DingtalkEmulator
    clock: Clock
    door: Door
    base: str
    http: aiohttp.ClientSession

    async def token(self) -> str:
        body = {"appKey": KEY, "appSecret": SECRET}
        status, answer = await self.new("POST", "v1.0/oauth2/accessToken", body, token="")
        assert status == 200
        return answer["accessToken"]

    async def new(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        query: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of a new-API call, by default with a valid token."""
        token = await self.token() if token is None else token
        headers = {"x-acs-dingtalk-access-token": token} if token else {}
        url = f"{self.base}/{path}"
        async with self.http.request(
            method, url, json=body, headers=headers, params=query
        ) as answer:
            return answer.status, await answer.json()

    async def old(
        self, path: str, body: Any = None, *, token: str | None = None, method: str = "POST"
    ) -> dict[str, Any]:
        """Answer of an old-API call, by default with a valid token."""
        params = {"access_token": await self.token() if token is None else token}
        url = f"{self.base}/{path}"
        async with self.http.request(method, url, json=body, params=params) as answer:
            assert answer.status == 200
            return await answer.json()

    async def send(self, msg_key: str, param: Any, users: list[str]) -> tuple[int, dict[str, Any]]:
        return await self.new("POST", "v1.0/robot/oToMessages/batchSend", {
            "robotCode": KEY,
            "userIds": users,
            "msgKey": msg_key,
            "msgParam": param if isinstance(param, str) else json.dumps(param),
        })  # fmt: skip

    async def drained(self) -> None:
        await self.emulator.calls.drain()


@contextlib.asynccontextmanager
async def open_bed() -> AsyncIterator[Bed]:
    clock, door = Clock(), Door()
    world = World(
        Hooks(now=clock.now, jump=_unused, quiesce=_unused, customers=_none, stream=_unused)
    )
    _furnish(world)
    emulator = DingtalkEmulator(world)
    emulator.inbound.pauses_s = emulator.events.pauses_s = (0.0, 0.0)
    platform, bot = web.Application(), web.Application()
    platform.add_routes(emulator.routes())
    bot.router.add_post("/{door}", door.receive)
    async with TestServer(platform) as server, TestServer(bot) as bot_server:
        emulator.origin = str(server.make_url("")).rstrip("/")
        app = world.app("dingtalk")
        app.callback_url = str(bot_server.make_url("/robot"))
        app.events_url = str(bot_server.make_url("/events"))
        app.cards_url = str(bot_server.make_url("/cards"))
        async with aiohttp.ClientSession() as http:
            base = str(server.make_url("/sandbox/dingtalk"))
            yield Bed(world, emulator, clock, door, base, http)
            await emulator.stop()


def _furnish(world: World) -> None:
    def member(user_id: str, name: str, department: str, **more: Any) -> Member:
        return Member(user_id, name, "dingtalk", ["rep"], department, **more)

    world.apps.append(
        App(
            "dingtalk",
            "sales",
            "robot",
            token=TOKEN,
            aes_key=AES_KEY,
            corp_id="dingcorp01",
            app_key=KEY,
            app_secret=SECRET,
            card_secret=CARD_SECRET,
            webhooks={"hook-east": GROUP},
        )
    )
    world.depts += [
        Dept("1", "恒发机械", "dingtalk", ""),
        Dept("20", "销售部", "dingtalk", "1", leaders=["0147009"]),
        Dept("21", "华东组", "dingtalk", "20"),
    ]
    world.members += [
        member("0147001", "小王", "21", title="销售代表", mobile="13800000001", union_id="uWang"),
        member("0147002", "小李", "21", title="销售代表", mobile="13800000002"),
        member("0147009", "周主管", "20", mobile="13800000009", email="zhou@example.com"),
        member("0147005", "已离职", "21", status=5),
    ]
    world.members[0].direct_leader = "0147009"
    world.chats.append(Chat(GROUP, "华东一区", "dingtalk", ["0147001", "0147009"]))


async def _unused(_: Any) -> Any:
    raise AssertionError("no test of the emulator needs this hook")


async def _none() -> list[dict[str, Any]]:
    return []
