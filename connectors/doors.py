"""What the doors of all platforms do alike: read a body within limits; store, answer
completely, and only then let the work begin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from email.utils import format_datetime
from time import monotonic

from aiohttp import HttpVersion11, web

from bot.clock import WallClock
from bot.messages import Envelope
from bot.ports import Accept

MAX_BODY_BYTES = 1024 * 1024
BODY_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


class NotTaken(Exception):
    """Answer `status`; nothing is stored. reason: a word for counters and logs."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Answer:
    """A 200 that everybody gets alike. Its bytes are made once a second, for its date: to put
    together an answer costs aiohttp as much as it costs us to store a message."""

    def __init__(
        self,
        body: bytes = b"",
        *,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        kind = {"Content-Type": content_type} if content_type else {}
        self._headers = {**kind, **(headers or {})}
        self._body = body
        self._clock = WallClock()
        self._made = b""
        self._made_until = 0.0

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Write all of it. Returns what a handler returns. Raises ConnectionError when the
        caller has gone."""
        if not request.keep_alive or request.version != HttpVersion11:
            return await self._send_by_aiohttp(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        transport.write(self._bytes())
        return _SENT

    def _bytes(self) -> bytes:
        now = monotonic()
        if now >= self._made_until:
            self._made_until = now + 1
            headers = {
                **self._headers,
                "Content-Length": str(len(self._body)),
                "Date": format_datetime(self._clock.now(), usegmt=True),
            }
            self._made = _head(headers) + self._body
        return self._made

    async def _send_by_aiohttp(self, request: web.Request) -> web.StreamResponse:
        response = web.Response(body=self._body, headers=self._headers)
        await response.prepare(request)
        await response.write_eof()
        return response


class _Sent(web.StreamResponse):
    """Tells aiohttp that everything has been written."""

    keep_alive = True

    async def prepare(self, request: web.BaseRequest) -> None:
        pass

    async def write_eof(self, data: bytes = b"") -> None:
        pass


_SENT = _Sent()


async def read_body(request: web.Request) -> bytes:
    """All of the body, reading no further than the limit whatever the headers promise.

    Raises NotTaken: 413 for more than MAX_BODY_BYTES, 408 for what is not there after
    BODY_TIMEOUT_S.
    """
    content = request.content
    body = b""
    if (request.content_length or 0) <= MAX_BODY_BYTES:
        # Nearly always it came together with its head, and there is nothing to wait for.
        body = content.read_nowait() if content.is_eof() else await _read_slowly(request)
        if len(body) <= MAX_BODY_BYTES:
            return body
    raise NotTaken("too large", 413)


async def _read_slowly(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while len(body) <= MAX_BODY_BYTES and (chunk := await request.content.readany()):
                body += chunk
    except TimeoutError:
        raise NotTaken("too slow", 408) from None
    return bytes(body)


async def take(
    request: web.Request, envelope: Envelope, accept: Accept, answer: Answer
) -> web.StreamResponse:
    """Store, answer, and release the work. 500 when it could not be stored: the platform will
    send it again."""
    try:
        release = await accept(envelope)
    except Exception:
        fields = {"channel": envelope.channel, "delivery_id": envelope.delivery_id}
        log.exception(
            "a delivery could not be stored; the platform will send it again",
            extra={"action": "accept", **fields},
        )
        return web.Response(status=500)
    try:
        return await answer.send(request)
    except ConnectionError:
        # The caller has gone; it is stored, and will be known when it comes again.
        log.info("nobody waited for an answer", extra={"action": "answer"})
        return web.Response()
    finally:
        release()


def _head(headers: Mapping[str, str]) -> bytes:
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "\r\n"]).encode()
