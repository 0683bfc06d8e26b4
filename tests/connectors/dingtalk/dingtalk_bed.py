"""A scripted DingTalk for the error tables, stores in memory, and the recorded payloads."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.messages import Address, Envelope, Platform, StoredFile
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http

NOW = datetime.fromtimestamp(1_760_000_060, UTC)
PERSON = Address(Platform.DINGTALK, "sales", user_id="0147001")
GROUP = Address(Platform.DINGTALK, "sales", chat_id="cidAbC123==")
EAST = Address(Platform.DINGTALK, "sales", webhook="east")

TO_PERSON = "/v1.0/robot/oToMessages/batchSend"
TO_GROUP = "/v1.0/robot/groupMessages/send"
CREATE_CARD = "/v1.0/card/instances/createAndDeliver"
UPDATE_CARD = "/v1.0/card/instances"
REGISTER = "/v1.0/card/callbacks/register"
WEBHOOK = "/robot/send"
UPLOAD = "/media/upload"
DOWNLOAD = "/v1.0/robot/messageFiles/download"

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "dingtalk"

APP = DingtalkApp(
    name="sales",
    corp_id="dingcorp01",
    client_id="dingrobot01",
    client_secret="demo-app-secret",
    card_template_id="gendan-card.schema",
    card_callback_secret="demo-card-secret",
    events_token="demotoken",
    events_aes_key="0123456789abcdefghijABCDEFGHIJ0123456789abc",
    webhooks={"east": ("token-east", "SECdemo")},
)


def recorded(name: str) -> bytes:
    return (_FIXTURES / f"{name}.json").read_bytes()


def envelope(door: str, body: bytes) -> Envelope:
    return Envelope(f"dingtalk:sales:{door}", "delivery-1", "lane", NOW, NOW, body)


@dataclass
class Call:
    """One request DingTalk has received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def param(self) -> dict[str, Any]:
        """msgParam is a string of JSON inside the JSON."""
        return json.loads(self.body["msgParam"])


Answer = tuple[int, Any]


@dataclass
class Dingtalk:
    """Answers what a test has put down for a path, first come first served, else success."""

    calls: list[Call] = field(default_factory=list)
    scripted: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Answer] = field(default_factory=dict)
    tokens: int = 0

    def answer(self, path: str, *answers: Answer) -> None:
        self.scripted[path] += answers

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.calls.append(
            Call(request.method, request.path, dict(request.query), dict(request.headers), raw)
        )
        status, body = self._answer_to(request.path)
        if status == 302:
            raise web.HTTPFound(body)
        if isinstance(body, dict):
            return web.json_response(body, status=status)
        content_type = "text/html" if isinstance(body, str) else "application/octet-stream"
        raw_body = body.encode() if isinstance(body, str) else body
        return web.Response(body=raw_body, status=status, content_type=content_type)

    def _answer_to(self, path: str) -> Answer:
        if self.scripted[path]:
            return self.scripted[path].pop(0)
        if path == "/v1.0/oauth2/accessToken":
            self.tokens += 1
            return 200, {"accessToken": f"token-{self.tokens}", "expireIn": 7200}
        return self.always.get(path, (200, _SUCCESS.get(path, {"errcode": 0, "errmsg": "ok"})))


_SUCCESS: dict[str, Any] = {
    TO_PERSON: {
        "processQueryKey": "zq/+1=",
        "invalidStaffIdList": [],
        "flowControlledStaffIdList": [],
        "filteredStaffIdList": [],
    },
    TO_GROUP: {"processQueryKey": "zq/+2="},
    CREATE_CARD: {
        "success": True,
        "result": {"outTrackId": "c1", "deliverResults": [{"success": True, "errorMsg": ""}]},
    },
    UPDATE_CARD: {"success": True, "result": True},
    REGISTER: {"success": True, "result": {}},
    UPLOAD: {"errcode": 0, "errmsg": "ok", "type": "image", "media_id": "@lALmedia"},
}


class Memory:
    """The three stores a client needs."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[str, datetime]] = {}
        self.files: dict[str, bytes] = {}
        self.counts: dict[tuple[str, str], int] = defaultdict(int)

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        return self.tokens.get(name)

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None:
        self.tokens[name] = (token, expires_at)

    async def drop_token(self, name: str, token: str) -> None:
        if self.tokens.get(name, ("",))[0] == token:
            del self.tokens[name]

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        sha256 = hashlib.sha256(data).hexdigest()
        self.files[sha256] = data
        return StoredFile(sha256, len(data), "application/octet-stream", name)

    async def get(self, sha256: str) -> bytes:
        if sha256 not in self.files:
            raise FileNotFoundError(sha256)
        return self.files[sha256]

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        self.counts[name, month] += calls
        return self.counts[name, month]


@dataclass
class Bed:
    """A client, and the DingTalk it talks to."""

    client: DingtalkClient
    dingtalk: Dingtalk
    memory: Memory
    clock: FixedClock
    url: str

    def pass_time(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    @property
    def counted(self) -> int:
        return sum(self.memory.counts.values())


@contextlib.asynccontextmanager
async def open_bed(**settings: Any) -> AsyncIterator[Bed]:
    dingtalk, memory, clock = Dingtalk(), Memory(), FixedClock(NOW)
    application = web.Application(client_max_size=32 * 1024 * 1024)
    application.router.add_route("*", "/{tail:.*}", dingtalk.receive)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("")).rstrip("/")
        app = replace(APP, api_url=url, oapi_url=url, **settings)
        client = DingtalkClient(
            app, Http(session), tokens=memory, files=memory, counter=memory, clock=clock
        )
        yield Bed(client, dingtalk, memory, clock, url)
