"""One connection of Stream mode, as the platform sees it (protocol notes 2.2 to 2.4)."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

Body = dict[str, Any]
Ack = tuple[int, bytes]

_UNANSWERED_PINGS = 2


@dataclass(slots=True, eq=False)
class Connection:
    """subscriptions: (type, topic). app_id: stands in every frame. opened_at: by the loop's
    clock. is_leaving: `disconnect` was said, and nothing is pushed any more. is_silent: a
    zombie, whose socket lives while all that is pushed to it is lost. bad_acks: answers that
    were none.
    """

    ws: web.WebSocketResponse
    subscriptions: frozenset[tuple[str, str]]
    app_id: str
    now: Callable[[], datetime]
    opened_at: float
    linger_s: float
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    is_leaving: bool = False
    is_silent: bool = False
    bad_acks: int = 0
    _waiting: dict[str, asyncio.Future[Ack]] = field(default_factory=dict)
    _pings: dict[str, str] = field(default_factory=dict)

    async def keep(self, *, first_ping_s: float, ping_s: float, life_s: float) -> str:
        """Ping until its life is over or nobody answers; why it is to go."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(first_ping_s)
        while (left_s := self.opened_at + life_s - loop.time()) > 0:
            if len(self._pings) >= _UNANSWERED_PINGS:
                return "persistent connection is timeout"
            if not self.is_silent:
                await self._ping()
            await asyncio.sleep(min(ping_s, left_s))
        return "connection is expired"

    async def read(self) -> None:
        """Until the client closes it."""
        try:
            async for message in self.ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._hear(message.data)
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the connection is gone"))

    async def push(
        self, kind: str, topic: str, body: Body, *, limit_s: float, more: Body | None = None
    ) -> Ack:
        """Code and data of the answer. Raises ConnectionError or TimeoutError."""
        message_id = secrets.token_hex(12)
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = answer
        try:
            async with asyncio.timeout(limit_s):
                if not self.is_silent:
                    await self._send(kind, topic, message_id, body, more or {})
                return await answer
        finally:
            del self._waiting[message_id]

    async def say_goodbye(self, reason: str) -> None:
        """Close after a while, in which nothing is pushed."""
        self.is_leaving = True
        await self._send("SYSTEM", "disconnect", secrets.token_hex(12), {"reason": reason}, {})
        await asyncio.sleep(self.linger_s)
        await self.ws.close()

    def cut(self, transport: asyncio.Transport | None) -> None:
        """As a pulled cable does it, but noticed at once."""
        self.is_leaving = True
        if transport is not None:
            transport.abort()

    async def _ping(self) -> None:
        message_id, opaque = secrets.token_hex(12), secrets.token_hex(8)
        self._pings[message_id] = opaque
        await self._send("SYSTEM", "ping", message_id, {"opaque": opaque}, {})

    async def _send(self, kind: str, topic: str, message_id: str, body: Body, more: Body) -> None:
        headers = {
            "appId": self.app_id,
            "connectionId": self.id,
            "contentType": "application/json",
            "messageId": message_id,
            "time": str(int(self.now().timestamp() * 1000)),
            "topic": topic,
            **more,
        }
        data = json.dumps(body, ensure_ascii=False)
        frame = {"specVersion": "1.0", "type": kind, "headers": headers, "data": data}
        await self.ws.send_str(json.dumps(frame, ensure_ascii=False))

    def _hear(self, raw: str) -> None:
        """An answer counts on the connection that the push went over, and nowhere else."""
        ack = _read_ack(raw)
        if ack is None:
            self.bad_acks += 1
            return
        message_id, code, data = ack
        answer = self._waiting.get(message_id)
        if answer is not None and not answer.done():
            answer.set_result((code, data.encode()))
        elif message_id in self._pings and _opaque(data) == self._pings[message_id]:
            self._pings.clear()


def _read_ack(raw: str) -> tuple[str, int, str] | None:
    """messageId, code and data; None when it is not an answer as documented."""
    try:
        body = json.loads(raw)
        found = body["headers"]["messageId"], body["code"], body["data"]
    except (ValueError, KeyError, TypeError):
        return None
    message_id, code, data = found
    is_one = isinstance(message_id, str) and isinstance(code, int) and isinstance(data, str)
    return (message_id, code, data) if is_one else None


def _opaque(data: str) -> Any:
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return body.get("opaque") if isinstance(body, dict) else None
