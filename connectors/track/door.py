"""`POST /track`, `GET /track.js`, and the links in material: `GET /track/to/{site}/{ticket}`.

A browser sends its site's key and comes from one of the site's origins. A server signs:
`X-Gendan-Site`, `X-Gendan-Timestamp` (whole seconds since 1970) and `X-Gendan-Signature`, the hex
HMAC-SHA256 of `<timestamp>\\n<body>` with the site's secret. An event whose id is known is passed
over, so that whoever got no answer may send it again.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.domain.signals import LINK, Arrived
from bot.domain.websites import (
    MaterialLink,
    PageKinds,
    Ticket,
    Website,
    read_ticket,
    sign,
    with_ticket,
)
from connectors.doors import Answer, NotTaken, read_body
from connectors.track.bots import is_machine
from connectors.track.limits import Buckets
from connectors.track.reading import Malformed, TrackRequest, open_body, read
from connectors.watching.answers import timed

MAX_BODY_BYTES = 64 * 1024
FRESH_FOR_S = 300
SCRIPT_KEPT_S = 86_400  # its name stays, so it must not stay for ever

Accept = Callable[[Sequence[Arrived]], Awaitable[None]]
"""Keeps events; durable when it returns."""

FindLink = Callable[[int], Awaitable[MaterialLink | None]]

_EVENTS = Counter("gendan_track_requests_total", "Requests of websites.", ["site", "outcome"])
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}

log = logging.getLogger(__name__)


class Refusal(Exception):
    """status, and a word for the counter; words: for who writes the other side."""

    def __init__(self, status: int, outcome: str, words: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.outcome = outcome
        self.words = words


class _Gate:
    """One site with what is counted of it."""

    def __init__(self, site: Website) -> None:
        self.site = site
        self.kinds = PageKinds(site.pages)
        self.taken = Answer(b'{"ok":true}', content_type="application/json")
        self.by_origin = {
            origin: Answer(b'{"ok":true}', content_type="application/json", headers=_cors(origin))
            for origin in site.origins
        }
        self._all = Buckets(site.per_s, site.per_s * 2)
        self._each = Buckets(site.per_visitor_min / 60, site.per_visitor_min)

    def admit(self, visitor: str, count: int, now: float) -> None:
        """Raises Refusal: 429."""
        if not self._each.take(visitor, count, now):
            raise Refusal(429, "visitor_too_fast", "too many events of one visitor")
        if not self._all.take("", count, now):
            self._each.give_back(visitor, count)
            raise Refusal(429, "site_too_fast", "too many events of this site")


class TrackDoor:
    """All sites' door. clocks: a signature is fresh if it is fresh by any of them; the first one
    says when an event arrived. script: the file of track.js, None where nothing was built."""

    def __init__(
        self,
        sites: Sequence[Website],
        accept: Accept,
        find_link: FindLink,
        clocks: Sequence[Clock],
        script: Path | None,
    ) -> None:
        self._gates = {site.name: _Gate(site) for site in sites}
        self._accept = accept
        self._find_link = find_link
        self._clocks = clocks
        self._script = script.read_bytes() if script is not None else None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/track", timed("website:all:track", self.receive)),
            web.options("/track", self.preflight),
            web.get("/track.js", self.serve_script),
            web.get("/track/to/{site}/{ticket}", self.follow),
        ]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        name = "?"
        try:
            told, body = await self._read(request)
            gate = self._gate_of(request, told, body)
            name = gate.site.name
            return await self._take(request, gate, told)
        except Refusal as refusal:
            _EVENTS.labels(name, refusal.outcome).inc()
            headers = _cors(request.headers.get("Origin", "")) if name != "?" else {}
            return web.Response(status=refusal.status, text=refusal.words, headers=headers)

    async def preflight(self, request: web.Request) -> web.Response:
        """Asked by browsers for a page of another origin that sends JSON; our script need not."""
        origin = request.headers.get("Origin", "")
        if not any(origin in gate.by_origin for gate in self._gates.values()):
            return web.Response(status=403)
        return web.Response(status=204, headers={**_cors(origin), **_PREFLIGHT})

    async def serve_script(self, request: web.Request) -> web.Response:
        if self._script is None:
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": f"public, max-age={SCRIPT_KEPT_S}",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        response = web.Response(
            body=self._script, content_type="text/javascript", charset="utf-8", headers=headers
        )
        response.enable_compression()
        return response

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """To where the material is, with its ticket, so that our script there may tell who came
        once they agree. That it was opened is known of the customer, not of a person: chat
        programs open links too, and nobody has agreed to anything yet."""
        gate = self._gates.get(request.match_info["site"])
        ticket = read_ticket(gate.site, request.match_info["ticket"]) if gate is not None else None
        if gate is None or ticket is None:
            raise web.HTTPNotFound
        link = await self._find_link(ticket.link_id)
        if link is None or link.site != gate.site.name or not gate.site.allows(link.url):
            raise web.HTTPNotFound
        target = link.url
        if ticket.fresh(self._clocks[0].now()):
            target = with_ticket(link.url, request.match_info["ticket"])
            if not is_machine(request.headers):
                await self._note_opened(gate.site, link, ticket)
        return web.Response(
            status=302,
            headers={
                "Location": target,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Robots-Tag": "noindex",
            },
        )

    async def _note_opened(self, site: Website, link: MaterialLink, ticket: Ticket) -> None:
        """Once a minute at most. Whoever wants the material gets it, whatever goes wrong here."""
        now = self._clocks[0].now()
        event = Arrived(
            site=site.name,
            event_id=f"link-{link.id}-{int(now.timestamp()) // 60}",
            visitor=f"link-{link.id}",
            kind=LINK,
            at=now,
            received_at=now,
            page=link.title[:300],
            account_id=link.account_id,
        )
        try:
            await self._accept([event])
        except Exception:
            log.exception("an opened link was not noted", extra={"action": "track"})

    async def _read(self, request: web.Request) -> tuple[TrackRequest, bytes]:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise Refusal(413, "too_large", f"at most {MAX_BODY_BYTES} bytes")
        try:
            body = await read_body(request)
        except NotTaken as refused:
            raise Refusal(refused.status, refused.reason.replace(" ", "_")) from None
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(413, "too_large", f"at most {MAX_BODY_BYTES} bytes")
        try:
            return open_body(body), body
        except Malformed as error:
            raise Refusal(400, "malformed", str(error)) from None

    def _gate_of(self, request: web.Request, told: TrackRequest, body: bytes) -> _Gate:
        """Raises Refusal: 401 for a signature, 403 for a key or an origin."""
        signed = request.headers.get("X-Gendan-Signature")
        if signed is not None:
            gate = self._gates.get(request.headers.get("X-Gendan-Site", ""))
            stamp = request.headers.get("X-Gendan-Timestamp", "")
            if gate is None or not self._is_fresh(stamp):
                raise Refusal(401, "refused", "unknown site, or a timestamp too far from now")
            given = signed.encode("utf-8", "replace")
            if not hmac.compare_digest(given, sign(gate.site.secret, stamp, body).encode()):
                raise Refusal(401, "refused", "the signature is wrong")
            return gate
        gate = self._gates.get(told.key.partition(".")[0])
        if gate is None or not gate.site.knows_browser_key(told.key):
            raise Refusal(403, "refused", "unknown key")
        if _origin(request.headers) not in gate.by_origin:
            raise Refusal(403, "foreign_origin", "this key belongs to another website")
        return gate

    async def _take(
        self, request: web.Request, gate: _Gate, told: TrackRequest
    ) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        answer = gate.by_origin.get(origin, gate.taken)
        if told.key and is_machine(request.headers):
            _EVENTS.labels(gate.site.name, "machine").inc()
            return await answer.send(request)  # as to all, or it would learn to lie
        now = self._clocks[0].now()
        try:
            events = read(told, gate.site, gate.kinds, now)
        except Malformed as error:
            raise Refusal(400, "malformed", str(error)) from None
        gate.admit(told.visitor, len(events), now.timestamp())
        try:
            await self._accept(events)
        except Exception:
            log.exception("signals were not stored", extra={"action": "track"})
            raise Refusal(503, "not_stored", "try again") from None
        _EVENTS.labels(gate.site.name, "accepted").inc()
        try:
            return await answer.send(request)
        except ConnectionError:
            return web.Response()

    def _is_fresh(self, stamp: str) -> bool:
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        return any(
            abs(clock.now().timestamp() - int(stamp)) <= FRESH_FOR_S for clock in self._clocks
        )


def _origin(headers: Mapping[str, str]) -> str:
    """What a browser says, or where the page stood for one that says nothing."""
    origin = headers.get("Origin", "")
    return origin or "/".join(headers.get("Referer", "").split("/", 3)[:3])


def _cors(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
