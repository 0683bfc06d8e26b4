"""Callbacks as the platform makes them, sealed with wechatpy, and a bot's door to post them to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.crypto import PrpCrypto

from bot.clock import Clock, FixedClock
from bot.messages import Envelope
from bot.ports import Release
from connectors.wecom.settings import WecomApp
from connectors.wecom.webhook import routes

NOW = datetime(2026, 3, 2, 1, 0, 5, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
APP = WecomApp(
    name="sales",
    corp_id="ww0123456789abcdef",
    agent_id=1000002,
    secret="demo-secret",
    token="demotoken",
    aes_key="0123456789abcdefghijABCDEFGHIJ0123456789abc",
    webhooks={"east": "robot-key-east"},
)
FIXTURES = Path(__file__).parents[2] / "fixtures" / "wecom"


def recorded(name: str) -> bytes:
    return (FIXTURES / f"{name}.xml").read_bytes()


def signature(encrypted: str, *, nonce: str, stamp: str, token: str = APP.token) -> str:
    parts = "".join(sorted((token, stamp, nonce, encrypted)))
    return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()


def sealed(
    message: bytes | str, *, corp: str = APP.corp_id, nonce: str = "n1", stamp: str = STAMP
) -> tuple[dict[str, str], bytes]:
    """Query and body of a callback; wechatpy's random prefix differs each time."""
    text = message.decode() if isinstance(message, bytes) else message
    encrypted = PrpCrypto(base64.b64decode(APP.aes_key + "=")).encrypt(text, corp)
    return signed(encrypted.decode(), nonce=nonce, stamp=stamp)


def signed(
    encrypted: str, *, nonce: str = "n1", stamp: str = STAMP
) -> tuple[dict[str, str], bytes]:
    """A correctly signed callback around whatever `encrypted` is."""
    query = {
        "msg_signature": signature(encrypted, nonce=nonce, stamp=stamp),
        "timestamp": stamp,
        "nonce": nonce,
    }
    body = (
        f"<xml><ToUserName><![CDATA[{APP.corp_id}]]></ToUserName>"
        f"<AgentID><![CDATA[1000002]]></AgentID><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    )
    return query, body.encode()


@dataclass
class Door:
    """The bot's side of the door: what was accepted, and when its work may begin."""

    http: aiohttp.ClientSession
    url: str
    clock: FixedClock
    accepted: list[Envelope] = field(default_factory=list)
    released: int = 0
    failure: Exception | None = None

    async def accept(self, envelope: Envelope) -> Release:
        if self.failure is not None:
            raise self.failure
        self.accepted.append(envelope)
        return self._release

    def _release(self) -> None:
        self.released += 1

    async def post(self, sealed: tuple[dict[str, str], bytes]) -> int:
        query, body = sealed
        async with self.http.post(self.url, params=query, data=io.BytesIO(body)) as answer:
            text = await answer.text()
            assert answer.status != 200 or text == ""
            return answer.status

    async def only(self, message: bytes | str) -> Envelope:
        """The envelope that one message becomes."""
        assert await self.post(sealed(message)) == 200
        return self.accepted[-1]


@contextlib.asynccontextmanager
async def open_door(*also_fresh_by: Clock) -> AsyncIterator[Door]:
    clock = FixedClock(NOW)
    async with aiohttp.ClientSession() as http:
        door = Door(http, "", clock)
        server = web.Application()
        server.add_routes(routes(APP, door.accept, clock, also_fresh_by=also_fresh_by))
        async with TestServer(server) as running:
            door.url = str(running.make_url("/wecom/sales"))
            yield door
