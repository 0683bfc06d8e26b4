"""A client on a small, strict server API whose answers a test can script."""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.messages import Address, Content, FileContent, Platform, Receipt, StoredFile
from connectors.http import Http
from connectors.wecom.client import WecomClient
from tests.connectors.wecom.wecom_door import APP, NOW

LI4 = Address(Platform.WECOM, "sales", user_id="li4")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
AMR = b"#!AMR\n" + b"\x00" * 64


@dataclass
class Call:
    api: str
    query: dict[str, str]
    body: Any


@dataclass
class FakeApi:
    """Takes tokens that it gave out and has not revoked; answers what is scripted, else ok."""

    calls: list[Call] = field(default_factory=list)
    scripted: dict[str, deque[dict[str, Any] | web.Response]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    living: str = "token-0"
    issued: int = 0

    def script(self, api: str, *answers: dict[str, Any] | web.Response | int) -> None:
        """Answers of the next calls; a number is an error code."""
        for answer in answers:
            failed = {"errcode": answer, "errmsg": f"scripted {answer}"}
            self.scripted[api].append(failed if isinstance(answer, int) else answer)

    def revoke(self) -> None:
        self.living = "revoked"

    def bodies(self, api: str) -> list[Any]:
        return [call.body for call in self.calls if call.api == api]

    def count(self, api: str) -> int:
        return len(self.bodies(api))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        api = request.match_info["api"]
        self.calls.append(Call(api, dict(request.query), await _body(request)))
        if self.scripted[api]:
            answer = self.scripted[api].popleft()
            return answer if isinstance(answer, web.Response) else web.json_response(answer)
        if api == "gettoken":
            return web.json_response(self._issue(request))
        if not api.startswith("webhook/") and request.query.get("access_token") != self.living:
            return web.json_response({"errcode": 40014, "errmsg": "invalid access_token"})
        return web.json_response(self._ok(api))

    def _issue(self, request: web.Request) -> dict[str, Any]:
        assert dict(request.query) == {"corpid": APP.corp_id, "corpsecret": APP.secret}
        self.issued += 1
        self.living = f"token-{self.issued}"
        return {"errcode": 0, "access_token": self.living, "expires_in": 7200}

    def _ok(self, api: str) -> dict[str, Any]:
        number = len(self.calls)
        extra = {
            "message/send": {"msgid": f"MSG{number}", "invaliduser": ""},
            "media/upload": {"media_id": f"MEDIA{number}", "created_at": "1772413200"},
            "webhook/upload_media": {"media_id": f"ROBOT{number}"},
        }
        return {"errcode": 0, "errmsg": "ok", **extra.get(api, {})}


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type != "multipart/form-data":
        return None
    part = await (await request.multipart()).next()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert part.name == "media"
    return part.filename, bytes(await part.read())


class Files:
    """Content-addressed bytes, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        sha256 = hashlib.sha256(data).hexdigest()
        self.kept[sha256] = data
        return StoredFile(sha256, len(data), "application/octet-stream", name)

    async def get(self, sha256: str) -> bytes:
        try:
            return self.kept[sha256]
        except KeyError:
            raise FileNotFoundError(sha256) from None


class Tokens:
    """The token table, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, datetime]] = {}

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        return self.kept.get(name)

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None:
        self.kept[name] = (token, expires_at)

    async def drop_token(self, name: str, token: str) -> None:
        if self.kept.get(name, ("",))[0] == token:
            del self.kept[name]


@dataclass
class Bed:
    api: FakeApi
    client: WecomClient
    clock: FixedClock
    files: Files
    tokens: Tokens
    sent: int = 0

    async def send(self, content: Content, to: Address = LI4, key: str = "") -> Receipt:
        """Send under a key of its own, unless one is named."""
        self.sent += 1
        return await self.client.send(to, content, dedupe_key=key or f"key-{self.sent}")

    async def file(self, kind: str, data: bytes, name: str) -> FileContent:
        return FileContent(kind, (await self.files.put(data, name=name)).sha256, name)

    def pass_by(self, **duration: float) -> None:
        self.clock.at += timedelta(**duration)


@contextlib.asynccontextmanager
async def open_bed() -> AsyncIterator[Bed]:
    api, clock, files, tokens = FakeApi(), FixedClock(NOW), Files(), Tokens()
    server = web.Application(client_max_size=32 << 20)
    server.router.add_route("*", "/cgi-bin/{api:.*}", api.serve)
    async with TestServer(server) as running, aiohttp.ClientSession() as session:
        app = replace(APP, base_url=str(running.make_url("/")))
        client = WecomClient(app, Http(session), tokens, files, clock)
        yield Bed(api, client, clock, files, tokens)
