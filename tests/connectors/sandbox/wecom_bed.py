"""A small company on an emulated WeCom, a bot's door, and a client between them.

The door opens and seals with wechatpy, which knows nothing of the emulator.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from defusedxml.ElementTree import fromstring
from wechatpy.enterprise.crypto import WeChatCrypto

from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.world import App, Chat, Dept, Hooks, Member, Said, World

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CORP, SECRET, AGENT = "ww0123456789abcdef", "demo-secret", 1000002
TOKEN, AES_KEY = "demotoken", "0123456789abcdefghijABCDEFGHIJ0123456789abc"
GROUP, ROBOT = "wrEast", "robot-key-east"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
AMR = b"#!AMR\n" + b"\x00" * 64

Answer = Callable[[Element], Awaitable[web.StreamResponse]]


@dataclass
class Post:
    """One callback the bot's door has received."""

    query: dict[str, str]
    raw: bytes
    inner: str

    @property
    def xml(self) -> Element:
        return fromstring(self.inner)

    def text(self, path: str) -> str:
        return self.xml.findtext(path, "")


@dataclass
class Door:
    """The bot, as far as the platform sees it; `answer` may be replaced by a test."""

    posts: list[Post] = field(default_factory=list)
    answer: Answer | None = None

    async def receive(self, request: web.Request) -> web.StreamResponse:
        crypto, query, raw = _crypto(), dict(request.query), await request.read()
        signed = query["msg_signature"], query["timestamp"], query["nonce"]
        if request.method == "GET":
            return web.Response(text=crypto.check_signature(*signed, query["echostr"]))
        inner = crypto.decrypt_message(raw, *signed)
        self.posts.append(Post(query, raw, inner))
        if self.answer is not None:
            return await self.answer(fromstring(inner))
        return web.Response()

    def said(self, kind: str) -> list[Post]:
        """The callbacks of one MsgType or Event."""
        return [post for post in self.posts if kind in (post.text("MsgType"), post.text("Event"))]


def sealed(inner: str) -> web.Response:
    """A passive reply."""
    return web.Response(text=_crypto().encrypt_message(inner, "nonce", "1772413200"))


def _crypto() -> WeChatCrypto:
    return WeChatCrypto(TOKEN, AES_KEY, CORP)


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
    emulator: WecomEmulator
    clock: Clock
    door: Door
    base: str
    http: aiohttp.ClientSession

    async def token(self, secret: str = SECRET) -> str:
        answer = await self.get("gettoken", token="", corpid=CORP, corpsecret=secret)
        assert answer["errcode"] == 0, answer
        return answer["access_token"]

    async def get(self, path: str, *, token: str | None = None, **query: str) -> dict[str, Any]:
        """Answer of a GET, by default with a valid token."""
        token = await self.token() if token is None else token
        params = {**query, **({"access_token": token} if token else {})}
        async with self.http.get(f"{self.base}/{path}", params=params) as answer:
            assert answer.status == 200
            return await answer.json()

    async def post(
        self, path: str, body: Any = None, *, token: str | None = None, **query: str
    ) -> dict[str, Any]:
        """Answer of a POST, by default with a valid token."""
        token = await self.token() if token is None else token
        params = {**query, **({"access_token": token} if token else {})}
        async with self.http.post(f"{self.base}/{path}", json=body, params=params) as answer:
            assert answer.status == 200
            return await answer.json()

    async def send(
        self, kind: str, content: Any, to: str = "zhang3", **more: Any
    ) -> dict[str, Any]:
        body = {"touser": to, "msgtype": kind, "agentid": AGENT, kind: content, **more}
        return await self.post("message/send", body)

    async def send_text(self, text: str, to: str = "zhang3", **more: Any) -> dict[str, Any]:
        return await self.send("text", {"content": text}, to, **more)

    async def upload(
        self, kind: str, name: str, data: bytes, *, path: str = "media/upload", **query: str
    ) -> dict[str, Any]:
        form = aiohttp.FormData(quote_fields=False)  # the name as raw UTF-8
        form.add_field("media", io.BytesIO(data), filename=name)
        params = {"type": kind, **(query or {"access_token": await self.token()})}
        async with self.http.post(f"{self.base}/{path}", data=form, params=params) as answer:
            assert answer.status == 200
            return await answer.json()

    def shown_to(self, user_id: str) -> list[Said]:
        """What the bot has said to one member, oldest first."""
        return [
            said
            for said in self.world.said
            if said.to == user_id and said.sender.startswith("bot:")
        ]

    async def settled(self) -> None:
        """Until no callback is under way."""
        await self.emulator.callbacks.settle()


@contextlib.asynccontextmanager
async def open_bed() -> AsyncIterator[Bed]:
    clock, door = Clock(), Door()
    world = World(
        Hooks(now=clock.now, jump=_unused, quiesce=_unused, customers=_none, stream=_unused)
    )
    furnish(world)
    emulator = WecomEmulator(world)
    emulator.callbacks.retry_after_s = 0.0
    platform, bot = web.Application(), web.Application()
    platform.add_routes(emulator.routes())
    bot.router.add_route("*", "/wecom/sales", door.receive)
    async with TestServer(platform) as server, TestServer(bot) as bot_server:
        world.app("wecom").callback_url = str(bot_server.make_url("/wecom/sales"))
        async with aiohttp.ClientSession() as http:
            base = str(server.make_url("/sandbox/wecom/cgi-bin"))
            yield Bed(world, emulator, clock, door, base, http)
            await emulator.stop()


def furnish(world: World) -> None:
    def member(user_id: str, name: str, department: str, **more: Any) -> Member:
        return Member(user_id, name, "wecom", ["rep"], department, **more)

    world.apps.append(
        App(
            "wecom",
            "sales",
            "app",
            token=TOKEN,
            aes_key=AES_KEY,
            corp_id=CORP,
            agent_id=str(AGENT),
            app_secret=SECRET,
            webhooks={ROBOT: GROUP},
        )
    )
    world.depts += [
        Dept("1", "恒发机械", "wecom", ""),
        Dept("2", "销售部", "wecom", "1", leaders=["wang5"]),
        Dept("3", "华东组", "wecom", "2"),
    ]
    world.members += [
        member(
            "zhang3", "张三", "3", title="销售代表", mobile="13800000003", direct_leader="wang5"
        ),
        member("Li4", "李四", "3", title="销售代表", mobile="13800000004"),
        member("wang5", "王五", "2", title="销售主管", email="wang@example.com"),
        member("new6", "未激活", "3", status=4),
        member("gone7", "已离职", "3", status=5),
    ]
    world.chats.append(Chat(GROUP, "华东一区", "wecom", ["zhang3", "wang5"], owner="wang5"))


async def _unused(_: Any) -> Any:
    raise AssertionError("no test of the emulator needs this hook")


async def _none() -> list[dict[str, Any]]:
    return []


def buttons_card(task_id: str = "visit-118@1", **more: Any) -> dict[str, Any]:
    """A card with a drop-down and two buttons."""
    return {
        "card_type": "button_interaction",
        "main_title": {"title": "拜访 #118", "desc": "恒锐机电"},
        "sub_title_text": "嫌价格高",
        "horizontal_content_list": [{"keyname": "时长", "value": "25 分钟"}],
        "task_id": task_id,
        "button_selection": {
            "question_key": "stage",
            "title": "阶段",
            "option_list": [{"id": "s1", "text": "初访"}, {"id": "s2", "text": "报价"}],
        },
        "button_list": [
            {"text": "确认", "style": 1, "key": "confirm"},
            {"text": "取消", "style": 3, "key": "cancel"},
        ],
        **more,
    }
