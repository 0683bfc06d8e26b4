"""The page beside a conversation in WeCom. `/side` is its address in the console: its script asks
the client who is talked to, and goes on to that one's page."""

from __future__ import annotations

from aiohttp import web

from bot.domain.page_sessions import Visitor
from connectors.web.guard import Guard
from connectors.web.site import Site

_PLACE = r"{kind:contact|group}/{key:[\w-]{1,64}}"


class Side:
    """/side and below."""

    def __init__(self, site: Site, guard: Guard) -> None:
        self._site = site
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/side", self._guard.known(self._ask_client)),
            web.get(f"/side/{_PLACE}", self._guard.known(self._show)),
            web.post(f"/side/{_PLACE}/bind", self._guard.form(self._bind)),
            web.post(f"/side/{_PLACE}/log", self._guard.form(self._log)),
        ]

    async def _ask_client(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return self._guard.show(request, "side.html", visitor, with_client=True)

    async def _show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        found = request.match_info
        page = await self._site.side(visitor, found["kind"], found["key"])
        told = "told" in request.query
        return self._guard.show(request, "side_chat.html", visitor, page=page, told=told)

    async def _bind(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        kind, key = request.match_info["kind"], request.match_info["key"]
        fields = await request.post()
        number = str(fields.get("customer", ""))
        await self._site.bind_chat(visitor, kind, key, number=number)
        return self._guard.send_to(f"/side/{kind}/{key}")

    async def _log(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        kind, key = request.match_info["kind"], request.match_info["key"]
        fields = await request.post()
        await self._site.ask_to_log(visitor, number=str(fields.get("customer", "")))
        return self._guard.send_to(f"/side/{kind}/{key}?told=1")
