"""The pages: their addresses, and which template shows what."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web

from bot.domain.page_sessions import Visitor
from bot.errors import InvalidInput
from bot.messages import StoredFile
from connectors.web.assets import Assets
from connectors.web.guard import Guard
from connectors.web.headers import FILE
from connectors.web.live import Live
from connectors.web.side import Side
from connectors.web.signing_in import SigningIn
from connectors.web.payouts import PayoutPages
from connectors.web.site import Site

_TICKET = re.compile(r"[\w-]{20,100}", re.ASCII)
_INLINE = re.compile(r"image/(?!svg)[\w.+-]+|audio/[\w.+-]+|video/[\w.+-]+|application/pdf")
_NUMBER = r"{number:\d{1,18}}"


class Pages:
    """Every page of one program."""

    def __init__(self, site: Site, guard: Guard, assets: Assets) -> None:
        self._site = site
        self._guard = guard
        self._assets = assets
        self._live = Live(site, guard)
        self._side = Side(site, guard)
        self._signing_in = SigningIn(site, guard, guard.clients)

    def stop(self) -> None:
        """End what would go on for ever."""
        self._live.stop()

    def routes(self) -> list[web.RouteDef]:
        guard = self._guard
        return [
            web.get("/assets/{name}", self._assets.serve),
            web.get("/in", guard.open(self._how_to_enter)),
            web.get("/in/{ticket}", guard.open(self._at_the_door)),
            web.post("/in", guard.open(self._enter)),
            web.post("/out", guard.form(self._leave)),
            *self._signing_in.routes(),
            *self._side.routes(),
            web.get("/", guard.known(self._screen)),
            web.get("/live", guard.known(self._live.follow)),
            web.get(f"/opportunities/{_NUMBER}", guard.known(self._opportunity)),
            web.get("/refusals", guard.known(self._refusals)),
            web.get("/supply", guard.known(self._supply)),
            web.get("/forecast", guard.known(self._forecast)),
            web.get("/diagnosis", guard.known(self._diagnosis)),
            web.get("/customers", guard.known(self._customers)),
            web.get(f"/customers/{_NUMBER}", guard.known(self._customer)),
            web.get(
                f"/customers/{_NUMBER}/entries/{{entry:\\d{{1,18}}}}/files/{{place:\\d{{1,3}}}}",
                guard.known(self._file),
            ),
            *PayoutPages(self._site, guard).routes(),
        ]

    async def _how_to_enter(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._guard.visitor(request)
        if visitor is not None:
            return self._guard.send_to("/customers")
        return self._guard.show(request, "trouble.html", None, status=401, code=401, words="", again="")

    async def _at_the_door(self, request: web.Request) -> web.StreamResponse:
        """Chat programs look into links before anybody presses them, so that a GET may not use
        one up: the page presses its own button."""
        ticket = request.match_info["ticket"]
        way = await self._site.way_of(ticket, await self._guard.visitor(request))
        if way is not None:
            return self._guard.send_to(way)
        return self._guard.show(request, "door.html", None, ticket=ticket)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        ticket = str((await request.post()).get("ticket", ""))
        entered = None
        if _TICKET.fullmatch(ticket) and self._guard.same_site(request):
            entered = await self._site.enter(ticket)
        if entered is None:
            return self._guard.show(request, "trouble.html", None, status=401, code=410, words="", again="")
        return self._guard.admit(entered)

    async def _leave(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        await self._site.leave(visitor)
        return self._guard.dismiss()

    async def _customers(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        after = request.query.get("after")
        found = await self._site.customers(visitor, after=after)
        return self._guard.show(request, "customers.html", visitor, list=found, after=after)

    async def _customer(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        number = int(request.match_info["number"])
        if _wants_stream(request):
            found = await self._site.stream(visitor, number, kind=_kind(request), before=_before(request))
            return self._stream(request, visitor, found)
        page = await self._site.customer(visitor, number, kind=_kind(request))
        return self._guard.show(request, "customer.html", visitor, with_client=True, customer=page)

    async def _opportunity(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        number = int(request.match_info["number"])
        if _wants_stream(request):
            found = await self._site.deal_stream(visitor, number, kind=_kind(request), before=_before(request))
            return self._stream(request, visitor, found)
        page = await self._site.opportunity(visitor, number, kind=_kind(request))
        return self._guard.show(request, "opportunity.html", visitor, with_client=True, page=page)

    def _stream(self, request: web.Request, visitor: Visitor, found: object) -> web.Response:
        """htmx puts the entries into the page; without it they are a page of their own."""
        name = "parts/stream.html" if "HX-Request" in request.headers else "stream.html"
        return self._guard.show(request, name, visitor, stream=found)

    async def _screen(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        screen = await self._site.screen(visitor)
        return self._guard.show(request, "screen.html", visitor, screen=screen)

    async def _refusals(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        period = request.query.get("period", "")
        page = await self._site.refusals(visitor, period=period)
        return self._guard.show(request, "refusals.html", visitor, page=page)

    async def _supply(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.supply(visitor)
        return self._guard.show(request, "supply.html", visitor, page=page)

    async def _forecast(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.forecast(visitor, dict(request.query))
        return self._guard.show(request, "forecast.html", visitor, page=page)

    async def _diagnosis(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.diagnosis(visitor)
        return self._guard.show(request, "diagnosis.html", visitor, page=page)

    async def _file(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        found = request.match_info
        data, file = await self._site.file(
            visitor, int(found["number"]), entry=int(found["entry"]), place=int(found["place"])
        )
        return _send(request, data, file)


def _kind(request: web.Request) -> str:
    return request.query.get("kind", "")


def _wants_stream(request: web.Request) -> bool:
    return "before" in request.query or "HX-Request" in request.headers


def _before(request: web.Request) -> str | None:
    return request.query.get("before")


def _send(request: web.Request, data: bytes, file: StoredFile) -> web.Response:
    """The part that is asked for: phones play no recording without."""
    inline = _INLINE.fullmatch(file.media_type) is not None
    headers = {
        **FILE,
        "Content-Disposition": f"{'inline' if inline else 'attachment'}; "
        f"filename*=UTF-8''{quote(file.name)}",
        "Accept-Ranges": "bytes",
    }
    media_type = file.media_type if inline else "application/octet-stream"
    try:
        wanted = request.http_range
    except ValueError:
        raise InvalidInput("文件没有这一段。") from None
    start, stop, _ = wanted.indices(len(data))
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=data, content_type=media_type, headers=headers)
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(
        status=206, body=data[start:stop], content_type=media_type, headers=headers
    )
