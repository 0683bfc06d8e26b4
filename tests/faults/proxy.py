"""Stands between the bot and the emulated platforms, and breaks what passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp
from aiohttp import web

from connectors.web import server

_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding"}
_BYTES_A_SECOND = 10


class Fault(StrEnum):
    REFUSES = "refuses"  # the connection ends before anything was read
    HANGS = "hangs"  # until the caller gives up
    BAD_GATEWAY = "502 with a page"
    TOO_MANY = "429 without a word"
    NO_JSON = "200 and no JSON"
    OTHER_SHAPE = "200 and JSON of another shape"
    NOTHING = "200 and nothing"
    HALF = "half an answer, after acting"
    DRIPS = "an answer by drips, after acting"
    LOST = "no answer, after acting"


@dataclass
class Proxy:
    """target: the sandbox. armed: what happens to the next `left` requests whose path holds
    `api`."""

    url: str
    target: str = ""
    armed: Fault | None = None
    api: str = ""
    left: int = 0
    broken: list[str] = field(default_factory=list)

    def arm(self, api: str, fault: Fault, times: int) -> None:
        self.armed, self.api, self.left, self.broken = fault, api, times, []

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        fault = None
        if self.left and self.api in request.path:
            self.left -= 1
            self.broken.append(request.path)
            fault = self.armed
        early = await _before_acting(request, fault) if fault else None
        if early is not None:
            return early
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                f"{self.target}{request.raw_path}",
                data=await request.read(),
                headers={k: v for k, v in request.headers.items() if k.lower() not in _HOP},
                allow_redirects=False,
            ) as answer,
        ):
            body = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
        if fault:
            return await _after_acting(request, fault, answer.status, body)
        return web.Response(status=answer.status, body=body, headers=kept)


async def _before_acting(request: web.Request, fault: Fault) -> web.Response | None:
    """None: it is passed on first."""
    match fault:
        case Fault.REFUSES:
            return _cut(request)
        case Fault.HANGS:
            await asyncio.sleep(60)
            return _cut(request)
        case Fault.BAD_GATEWAY:
            page = "<html><h1>502 Bad Gateway</h1></html>"
            return web.Response(status=502, text=page, content_type="text/html")
        case Fault.TOO_MANY:
            return web.Response(status=429)
        case Fault.NO_JSON:
            return web.Response(text='{"errcode": 0, "errm', content_type="application/json")
        case Fault.OTHER_SHAPE:
            return web.json_response([{"errcode": "zero"}, None])
        case Fault.NOTHING:
            return web.Response(text="")
    return None


async def _after_acting(
    request: web.Request, fault: Fault, status: int, body: bytes
) -> web.StreamResponse:
    if fault is Fault.LOST:
        return _cut(request)
    answer = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    answer.content_length = len(body)
    await answer.prepare(request)
    if fault is Fault.HALF:
        await answer.write(body[: len(body) // 2])
    else:
        for place in range(len(body)):
            await answer.write(body[place : place + 1])
            await asyncio.sleep(1 / _BYTES_A_SECOND)
    _cut(request)
    return answer


def _cut(request: web.Request) -> web.Response:
    """End the connection under the answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def proxying() -> AsyncIterator[Proxy]:
    bound = server.bind("127.0.0.1", 0)
    proxy = Proxy(server.base_url(bound))
    async with server.listening([web.route("*", "/{rest:.*}", proxy.pass_on)], bound):
        yield proxy
