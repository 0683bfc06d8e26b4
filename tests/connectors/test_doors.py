"""What every door does with bodies and answers, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

import connectors.doors
from bot.messages import Envelope
from bot.ports import Release
from connectors.doors import MAX_BODY_BYTES, Answer, NotTaken, read_body, take
from connectors.web import server
from tests.engine.parts import envelope

ANSWER = Answer(b'{"ok":1}', content_type="application/json")


@dataclass
class Door:
    """A door that stores bodies, and what a caller on a bare socket sees of it."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    released: int = 0

    async def receive(self, request: web.Request) -> web.StreamResponse:
        try:
            self.bodies.append(await read_body(request))
        except NotTaken as refused:
            return web.Response(status=refused.status, text=refused.reason)
        return await take(request, envelope("x"), self._accept, ANSWER)

    async def _accept(self, _: Envelope) -> Release:
        return self._release

    def _release(self) -> None:
        self.released += 1

    async def call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    bound = server.bind("127.0.0.1", 0)
    door.port = bound.getsockname()[1]
    async with asyncio.timeout(20), server.listening([web.post("/", door.receive)], bound):
        yield door


def post(
    body: bytes, *, headers: str = "", version: str = "1.1", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    head = f"POST / HTTP/{version}\r\nHost: x\r\nContent-Length: {size}\r\n{headers}\r\n"
    return head.encode() + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def test_several_requests_of_one_connection_are_answered_in_order(door: Door) -> None:
    reader, writer = await door.call()
    writer.write(post(b"one") + post(b"two"))
    for _ in range(2):
        status, headers, body = await read_answer(reader)
        assert (status, headers["content-type"], body) == (200, "application/json", b'{"ok":1}')
        assert headers["date"].endswith(" GMT")
    assert (door.bodies, door.released) == ([b"one", b"two"], 2)
    writer.close()


@pytest.mark.parametrize(("version", "headers"), [("1.0", ""), ("1.1", "Connection: close\r\n")])
async def test_a_caller_who_wants_no_more_is_answered_and_let_go(
    door: Door, version: str, headers: str
) -> None:
    reader, writer = await door.call()
    writer.write(post(b"one", version=version, headers=headers))
    status, _, body = await read_answer(reader)
    assert (status, body, await reader.read()) == (200, b'{"ok":1}', b"")
    writer.close()


async def test_a_body_in_pieces_is_put_together(door: Door) -> None:
    reader, writer = await door.call()
    writer.write(post(b"first ", length=12))
    await writer.drain()
    await asyncio.sleep(0)
    writer.write(b"second")
    assert (await read_answer(reader))[0] == 200
    assert door.bodies == [b"first second"]
    writer.close()


async def test_a_body_that_never_ends_is_given_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connectors.doors, "BODY_TIMEOUT_S", 0.05)
    reader, writer = await door.call()
    writer.write(post(b"first", length=100))
    assert (await read_answer(reader))[::2] == (408, b"too slow")
    assert door.bodies == []
    writer.close()


async def test_a_body_that_is_said_to_be_too_large_is_not_waited_for(door: Door) -> None:
    reader, writer = await door.call()
    writer.write(post(b"first", length=MAX_BODY_BYTES + 1))
    assert (await read_answer(reader))[::2] == (413, b"too large")
    writer.close()


async def test_a_caller_who_hangs_up_early_has_his_message_worked_on(door: Door) -> None:
    _, writer = await door.call()
    writer.write(post(b"one"))
    await writer.drain()
    writer.transport.abort()
    while not door.released:  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0.001)
    assert door.bodies == [b"one"]


@pytest.mark.parametrize("drips", [False, True], ids=["falls silent", "goes on for ever"])
async def test_a_head_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch, *, drips: bool
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    bound = server.bind("127.0.0.1", 0)
    async with asyncio.timeout(20), server.listening([], bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n")
        while not reader.at_eof():
            if drips and not writer.is_closing():
                writer.write(b"X: y\r\n")
            try:
                async with asyncio.timeout(0.01):
                    assert await reader.read(1000) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                break
        writer.close()
