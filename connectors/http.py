"""Calls to outside systems: one shared session, time limits, size limits, counting.

What a failure means for a retry is decided here, once, because only the transport knows
whether the request left this machine:

  NotSent      name lookup, connect or TLS failed: the platform cannot have acted
  TimedOut     sent, and no answer: it may have acted
  Unavailable  an answer that is not the platform's own (NotJson: a gateway's page)
  Rejected     no such path, a body larger than we take, or (Redirected) it lies elsewhere
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson
from prometheus_client import Counter
from yarl import URL

from bot.errors import Rejected, TimedOut, Unavailable
from connectors.watching import tracing
from connectors.watching.tracing import Kind

_CONNECT_TIMEOUT_S = 4.0
_JSON_LIMIT_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_SNIPPET_BYTES = 4 * 1024
_NOT_NOW = frozenset({408, 425, 429})  # of the 4xx those that ask for another try
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_CALLS = Counter(
    "gendan_platform_calls_total",
    "Calls to outside systems by how the transport ended.",
    ["platform", "api", "outcome"],
)


class NotSent(Unavailable):
    """The request certainly never reached the platform, so repeating it is harmless."""


class NotJson(Unavailable):
    """Not the platform's own answer. snippet: how it begins, to tell what it is; not for logs."""

    def __init__(self, message: str, *, snippet: str) -> None:
        super().__init__(message)
        self.snippet = snippet


class Redirected(Rejected):
    """What was asked for lies at `location`; whether to go there is for the caller to judge."""

    def __init__(self, message: str, *, location: str) -> None:
        super().__init__(message)
        self.location = location


class Http:
    """The calls every connector makes, over one session that is handed in.

    `what` names a call as "<platform>:<api>", e.g. "wecom:message/send"; it labels the
    counter and opens every message, so it must hold no id and no secret.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request_json(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        what: str,
    ) -> tuple[int, Any]:
        """Status and parsed body, whatever the status: platforms put errors into the body.

        `json` goes out as UTF-8 with real characters. A new `data` form is needed for
        each call. Raises NotSent, Unavailable, TimedOut, and Rejected for an unknown path.
        """
        if json is not None:
            data = io.BytesIO(orjson.dumps(json))  # bytes over 1 MB would hold up the loop
            headers = {"Content-Type": "application/json", **(headers or {})}
        async with self._exchange(
            method, url, what, timeout_s, params=params, data=data, headers=headers
        ) as response:
            body = await _read(response, _JSON_LIMIT_BYTES, what)
            return response.status, _parse_json(response, body, what)

    async def download(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit_bytes: int,
        timeout_s: float = 60.0,
        what: str,
    ) -> tuple[bytes, Mapping[str, str]]:
        """Body and response headers (case-insensitive) of a 2xx answer.

        Raises as `request_json` does, Rejected when the body is larger than `limit_bytes` or
        the answer is a 4xx that no other try can change, and Redirected instead of following: an
        address that comes from outside could lead into the network behind us.
        """
        async with self._exchange(
            "GET", url, what, timeout_s, params=params, headers=headers
        ) as response:
            if response.status in _REDIRECTS and "Location" in response.headers:
                raise _redirected(response, what)
            if response.status // 100 != 2:
                final = response.status // 100 == 4 and response.status not in _NOT_NOW
                raise _unreadable(response, what, refused=final)
            return await _read(response, limit_bytes, what), response.headers

    async def probe(self, url: str, *, what: str) -> tuple[int, datetime]:
        """Status and Date (to the second) of whatever answers a plain GET.

        Raises as `request_json` does, and Unavailable when the answer has no date.
        """
        async with self._exchange("GET", url, what, 10.0) as response:
            try:
                told = parsedate_to_datetime(response.headers.get("Date", ""))
            except ValueError:
                raise Unavailable(_told(what, url, "an answer without a date")) from None
            return response.status, told.astimezone(UTC)

    async def websocket(
        self, url: URL, *, heartbeat_s: float | None, limit_bytes: int, what: str
    ) -> aiohttp.ClientWebSocketResponse:
        """An open WebSocket, which pings every heartbeat_s (None: the protocol above has pings
        of its own) and takes frames up to limit_bytes.

        Raises as `request_json` does, and Unavailable when it is not let in.
        """
        timeout = aiohttp.ClientWSTimeout(ws_close=_CONNECT_TIMEOUT_S)
        with _translated(url, what) as call:
            try:
                async with asyncio.timeout(2 * _CONNECT_TIMEOUT_S):
                    ws = await self._session.ws_connect(
                        url, heartbeat=heartbeat_s, max_msg_size=limit_bytes, timeout=timeout
                    )
            except aiohttp.WSServerHandshakeError as error:
                call.outcome = f"{error.status // 100}xx"
                told = _told(what, url, f"not let in, HTTP {error.status}")
                raise Unavailable(told) from None  # its own text tells the query
            call.outcome = "opened"
            return ws

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, what: str, timeout_s: float, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, with its failures translated and its outcome counted."""
        with _translated(url, what) as call:
            async with self._session.request(
                method,
                url,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
                **options,
            ) as response:
                call.outcome = "unreadable"
                yield response
                call.outcome = f"{response.status // 100}xx"


@dataclass(slots=True)
class _Call:
    """One request under way, as it is counted. outcome: how the transport ended, for the
    counter."""

    outcome: str = "cancelled"


@contextmanager
def _translated(url: str | URL, what: str) -> Iterator[_Call]:
    """What the transport raises as our errors, and the outcome counted."""
    call = _Call()
    with tracing.span(what, Kind.CALL) as span:
        try:
            yield call
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            call.outcome = "not_sent"
            raise NotSent(_told(what, url, f"not sent ({type(error).__name__})")) from error
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            call.outcome = "no_answer"
            told = _told(what, url, f"sent, no answer ({type(error).__name__}); it may have acted")
            raise TimedOut(told) from error
        finally:
            platform, _, api = what.partition(":")
            _CALLS.labels(platform, api, call.outcome).inc()
            span.note(outcome=call.outcome)


def part_name(name: str) -> str:
    """A file name as it goes into a multipart header: as it is, not as %E8%B7%9F, so without
    what would end the header."""
    return "".join(char for char in name if char.isprintable() and char not in '"\\/') or "file"


async def _read(response: aiohttp.ClientResponse, limit_bytes: int, what: str) -> bytes:
    """The body, reading no further than the limit whatever the headers promise."""
    too_large = Rejected(_told(what, response.url, f"body over {limit_bytes} bytes"))
    if (response.content_length or 0) > limit_bytes:
        raise too_large
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > limit_bytes:
            raise too_large
    return bytes(body)


def _parse_json(response: aiohttp.ClientResponse, body: bytes, what: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if response.status in (404, 405):
            raise _unreadable(response, what, refused=True) from None
        snippet = body[:_SNIPPET_BYTES].decode(errors="replace")
        raise NotJson(_summary(response, what), snippet=snippet) from None


def _redirected(response: aiohttp.ClientResponse, what: str) -> Redirected:
    told = _told(what, response.url, f"HTTP {response.status}, a redirect")
    try:
        location = str(response.url.join(URL(response.headers["Location"])))
    except ValueError:
        location = ""
    return Redirected(told, location=location)


def _unreadable(
    response: aiohttp.ClientResponse, what: str, *, refused: bool
) -> Rejected | Unavailable:
    told = _summary(response, what)
    return Rejected(told) if refused else Unavailable(told)


def _summary(response: aiohttp.ClientResponse, what: str) -> str:
    return _told(what, response.url, f"HTTP {response.status}, {response.content_type}")


def _told(what: str, url: str | URL, how: str) -> str:
    """A message without the query, which is where platforms carry their secrets."""
    bare = str(url).partition("?")[0]
    return f"{what} at {bare}: {how}"
