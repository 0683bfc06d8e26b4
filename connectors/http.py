"""Calls to outside systems: one shared session, time limits, size limits, counting.

What a failure means for a retry is decided here, once, because only the transport knows
whether the request left this machine:

  NotSent      name lookup, connect or TLS failed: the platform cannot have acted
  TimedOut     sent, and no answer: it may have acted
  Unavailable  an answer that is not the platform's own (gateway page, cut-off body)
  Rejected     no such path, or a body larger than we take
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from prometheus_client import Counter
from yarl import URL

from bot.errors import Rejected, TimedOut, Unavailable

_CONNECT_TIMEOUT_S = 4.0
_JSON_LIMIT_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024

_CALLS = Counter(
    "gendan_platform_calls_total",
    "Calls to outside systems by how the transport ended.",
    ["platform", "api", "outcome"],
)


class NotSent(Unavailable):
    """The request certainly never reached the platform, so repeating it is harmless."""


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

        Raises as `request_json` does, and Rejected when the body is larger than
        `limit_bytes` or the answer is a 4xx.
        """
        async with self._exchange(
            "GET", url, what, timeout_s, params=params, headers=headers, allow_redirects=True
        ) as response:
            if response.status // 100 != 2:
                raise _unreadable(response, what, refused=response.status // 100 == 4)
            return await _read(response, limit_bytes, what), response.headers

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        url: str,
        what: str,
        timeout_s: float,
        *,
        allow_redirects: bool = False,
        **options: Any,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, with its failures translated and its outcome counted."""
        outcome = "cancelled"
        try:
            async with self._session.request(
                method,
                url,
                allow_redirects=allow_redirects,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
                **options,
            ) as response:
                outcome = "unreadable"
                yield response
                outcome = f"{response.status // 100}xx"
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            outcome = "not_sent"
            raise NotSent(_told(what, url, f"not sent ({type(error).__name__})")) from error
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            outcome = "no_answer"
            told = _told(what, url, f"sent, no answer ({type(error).__name__}); it may have acted")
            raise TimedOut(told) from error
        finally:
            platform, _, api = what.partition(":")
            _CALLS.labels(platform, api, outcome).inc()


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
    except orjson.JSONDecodeError as error:
        raise _unreadable(response, what, refused=response.status in (404, 405)) from error


def _unreadable(
    response: aiohttp.ClientResponse, what: str, *, refused: bool
) -> Rejected | Unavailable:
    told = _told(what, response.url, f"HTTP {response.status}, {response.content_type}")
    return Rejected(told) if refused else Unavailable(told)


def _told(what: str, url: str | URL, how: str) -> str:
    """A message without the query, which is where platforms carry their secrets."""
    bare = str(url).partition("?")[0]
    return f"{what} at {bare}: {how}"
