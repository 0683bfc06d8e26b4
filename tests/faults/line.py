"""A line to a server, PostgreSQL or NATS, that can be disturbed below what these speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

_CHUNK = 65_536


class Trouble(StrEnum):
    REFUSES = "nobody listens"
    CUT = "cut before the server hears of it"
    HANGS = "nothing gets through, and nothing is cut"
    HALF = "half an answer, then cut"
    LOST = "cut once the server has heard, before it answers"
    NOISE = "an answer that is none"
    DRIPS = "an answer by drips"


@dataclass
class Line:
    """trouble: what happens to connections, old and new ones, from a request on that holds
    `upon`, until it is mended."""

    server: tuple[str, int]
    trouble: Trouble | None = None
    upon: bytes = b""
    struck: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def disturb(self, trouble: Trouble, *, upon: bytes = b"") -> None:
        self.trouble, self.upon, self.struck = trouble, upon, 0
        if trouble is Trouble.REFUSES:
            self.cut()

    def mend(self) -> None:
        """Whoever hung is cut off, as a firewall does that has forgotten them."""
        self.trouble = None
        self.cut()

    def cut(self) -> None:
        for one in self._open:
            one.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.trouble is Trouble.REFUSES:
            self.struck += 1
            writer.transport.abort()
            return
        there, away = await asyncio.open_connection(*self.server)
        ends = {writer, away}
        self._open |= ends
        try:
            struck = asyncio.Event()
            await asyncio.gather(
                self._to_server(reader, away, struck), self._to_client(there, writer, struck)
            )
        except OSError:
            pass
        finally:
            self._open -= ends
            for one in ends:
                one.transport.abort()

    async def _to_server(
        self, reader: asyncio.StreamReader, away: asyncio.StreamWriter, struck: asyncio.Event
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.trouble and self.upon in data:
                struck.set()
                self.struck += 1
            if struck.is_set() and self.trouble is Trouble.CUT:
                raise ConnectionAbortedError
            if struck.is_set() and self.trouble is Trouble.HANGS:
                continue
            away.write(data)
            await away.drain()
        raise ConnectionAbortedError

    async def _to_client(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, struck: asyncio.Event
    ) -> None:
        while data := await there.read(_CHUNK):
            trouble = self.trouble if struck.is_set() else None
            if trouble is Trouble.LOST:
                raise ConnectionAbortedError
            if trouble is Trouble.HALF:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                raise ConnectionAbortedError
            if trouble is Trouble.NOISE:
                data = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
            if trouble is Trouble.DRIPS:
                await self._drip(data, writer)
                continue
            writer.write(data)
            await writer.drain()
        raise ConnectionAbortedError

    async def _drip(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        for place in range(len(data)):
            writer.write(data[place : place + 1])
            await writer.drain()
            if self.trouble is Trouble.DRIPS:
                await asyncio.sleep(0.2)


@asynccontextmanager
async def line_to(host: str, port: int) -> AsyncIterator[tuple[Line, int]]:
    """The line, and the port at which it begins on this machine."""
    line = Line((host, port))
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    try:
        yield line, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        line.cut()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await server.wait_closed()
