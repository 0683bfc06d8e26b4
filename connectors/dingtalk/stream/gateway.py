"""Opening a Stream connection: a ticket first, then the WebSocket (protocol notes 2.1)."""

from __future__ import annotations

import aiohttp
from yarl import URL

from bot.errors import Rejected, Unavailable
from connectors.dingtalk.errors import failure_of
from connectors.dingtalk.read import Body, text
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.frames import SUBSCRIPTIONS
from connectors.http import Http, NotSent

_OPEN = "v1.0/gateway/connections/open"
_WHAT = f"dingtalk:{_OPEN}"
_CONNECT = "dingtalk:stream/connect"

# aiohttp pings this often and gives up half as long after: what a cut cable leaves behind is
# noticed within 30 s, also when the machine wakes up from sleep.
_HEARTBEAT_S = 20.0
_FRAME_LIMIT_BYTES = 16 * 1024 * 1024


class Gateway:
    """One application's way in. Every call raises as connectors.http says, and besides
    AuthFailed where the platform refuses the credentials."""

    def __init__(self, app: DingtalkApp, http: Http) -> None:
        self._app = app
        self._http = http

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        """A fresh connection. Its ticket works once and for 90 s, so it is never kept."""
        endpoint, ticket = await self._open()
        url = endpoint.update_query(ticket=ticket)
        return await self._http.websocket(
            url, heartbeat_s=_HEARTBEAT_S, limit_bytes=_FRAME_LIMIT_BYTES, what=_CONNECT
        )

    async def check(self) -> None:
        """Whether a connection could be opened: the gateway gives a ticket, and its endpoint
        answers. None is opened, since pushes would go to it."""
        endpoint, _ = await self._open()
        try:
            await self._http.probe(str(_as_http(endpoint)), what=_CONNECT)
        except NotSent:
            raise
        except Unavailable:
            return  # an answer, if only one without a date

    async def _open(self) -> tuple[URL, str]:
        """Endpoint and ticket. Raises Rejected for an endpoint that is not DingTalk's."""
        body: Body = {
            "clientId": self._app.client_id,
            "clientSecret": self._app.client_secret,
            "ua": "gendan/1.0",
            "subscriptions": SUBSCRIPTIONS,
        }
        # Without Accept the answer is XML.
        headers = {"Accept": "application/json"}
        url = f"{self._app.api_url}/{_OPEN}"
        status, told = await self._http.request_json(
            "POST", url, json=body, headers=headers, what=_WHAT
        )
        failure = failure_of(status, told, what=_WHAT)
        if failure is not None:
            raise failure
        ticket, endpoint = text(told, "ticket"), text(told, "endpoint")
        if not ticket or not endpoint:
            raise Unavailable(f"{_WHAT}: no ticket in the answer")
        return self._trusted(endpoint), ticket

    def _trusted(self, endpoint: str) -> URL:
        """What people say goes through it, so not to anywhere, and not in clear."""
        try:
            url = URL(endpoint)
        except ValueError:
            url = URL()
        in_clear = url.scheme != "wss" and URL(self._app.api_url).scheme == "https"
        if url.scheme not in ("ws", "wss") or in_clear or not self._app.trusts(str(_as_http(url))):
            raise Rejected(f"{_WHAT}: an endpoint that is not DingTalk's: {url.host}")
        return url


def _as_http(url: URL) -> URL:
    return url.with_scheme("https" if url.scheme == "wss" else "http") if url.host else url
