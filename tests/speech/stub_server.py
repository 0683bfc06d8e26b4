"""A transcription server of the OpenAI kind that answers as it is told and keeps what it got."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(text: str) -> Answer:
    return gives(200, {"text": text})


def gives(status: int, body: Any) -> Answer:
    """A JSON answer; a text goes out as it is."""

    async def answer(_: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)

    return answer


async def drips(request: web.Request) -> web.StreamResponse:
    """Begins an answer and never ends it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"text": "')
    await asyncio.Event().wait()
    return response


@dataclass
class StubServer:
    """answer: what the next calls get. got: the form fields of each call, its file as bytes;
    keys: the Authorization header of each."""

    answer: Answer = field(default_factory=lambda: says(""))
    got: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    _server: TestServer | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        self._server = TestServer(app)
        await self._server.start_server(shutdown_timeout=0)

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return str(self._server.make_url("/v1"))

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.keys.append(request.headers.get("Authorization", ""))
        self.got.append({name: _plain(value) for name, value in form.items()})
        return await self.answer(request)


def _plain(value: str | bytearray | web.FileField) -> Any:
    if not isinstance(value, web.FileField):
        return value
    with value.file as file:
        return file.read()
