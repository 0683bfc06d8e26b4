"""The pages about bonuses: months, disputes with the arbiter's form, the growth fund."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from bot.domain.page_sessions import Visitor
from bot.errors import InvalidInput, NotFound, Refused
from connectors.web.guard import Guard
from connectors.web.headers import FILE
from connectors.web.site import Site

_NUMBER = r"{number:\d{1,18}}"


class PayoutPages:
    """Of one program."""

    def __init__(self, site: Site, guard: Guard) -> None:
        self._site = site
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        guard = self._guard
        return [
            web.get("/payouts", guard.known(self._payouts)),
            web.post("/payouts/pack", guard.form(self._pack)),
            web.get("/disputes", guard.known(self._disputes)),
            web.get(f"/disputes/{_NUMBER}", guard.known(self._dispute)),
            web.post(f"/disputes/{_NUMBER}/ruling", guard.form(self._rule)),
            web.post(f"/disputes/{_NUMBER}/question", guard.form(self._ask)),
            web.get("/fund", guard.known(self._fund)),
            web.post("/fund/consent", guard.form(self._consent)),
            web.post("/fund/redeem", guard.form(self._redeem)),
            web.post(f"/fund/redemptions/{_NUMBER}", guard.form(self._settle)),
        ]

    async def _payouts(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.payouts(visitor, dict(request.query))
        return self._guard.show(request, "payouts.html", visitor, page=page)

    async def _pack(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        told = await request.post()
        data, file = await self._site.payout_pack(
            visitor, month=str(told.get("month", "")), person=str(told.get("person", ""))
        )
        named = f"attachment; filename*=UTF-8''{quote(file.name)}"
        headers = {**FILE, "Content-Disposition": named}
        return web.Response(body=data, content_type="application/zip", headers=headers)

    async def _disputes(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        query = request.query
        found = await self._site.disputes(
            visitor, kind=query.get("kind", ""), before=query.get("before", "")
        )
        return self._guard.show(request, "disputes.html", visitor, list=found)

    async def _dispute(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return await self._show(request, visitor)

    async def _rule(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """First what it would do, then, pressed once more, done."""
        number = int(request.match_info["number"])
        told = await _told(request)
        try:
            ruling = await self._site.rule(visitor, number, told)
        except (InvalidInput, Refused) as problem:
            return await self._show(request, visitor, told=told, trouble=str(problem), status=400)
        if ruling is None:
            return self._guard.send_to(f"/disputes/{number}")
        return await self._show(request, visitor, told=told, ruling=ruling)

    async def _ask(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        number = int(request.match_info["number"])
        words = str((await request.post()).get("question", ""))
        try:
            await self._site.ask_disputer(visitor, number, words)
        except (InvalidInput, Refused) as problem:
            told = {"question": words}
            return await self._show(request, visitor, told=told, trouble=str(problem), status=400)
        return self._guard.send_to(f"/disputes/{number}")

    async def _show(
        self,
        request: web.Request,
        visitor: Visitor,
        *,
        told: dict[str, str] | None = None,
        ruling: object = None,
        trouble: str = "",
        status: int = 200,
    ) -> web.StreamResponse:
        """A dispute, with what its form said where that must be put right or confirmed."""
        page = await self._site.dispute(visitor, int(request.match_info["number"]))
        return self._guard.show(
            request,
            "dispute.html",
            visitor,
            status=status,
            page=page,
            told=told or {},
            ruling=ruling,
            trouble=trouble,
        )

    async def _fund(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return await self._show_fund(request, visitor, person=request.query.get("person", ""))

    async def _consent(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        try:
            await self._site.fund_consent(visitor, await _told(request))
        except (InvalidInput, Refused) as problem:
            return await self._show_fund(request, visitor, trouble=str(problem))
        return self._guard.send_to("/fund")

    async def _redeem(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """First what it would do, then, pressed once more, done."""
        try:
            ask = await self._site.redeem(visitor, await _told(request))
        except (InvalidInput, NotFound, Refused) as problem:
            return await self._show_fund(request, visitor, trouble=str(problem))
        if ask is None:
            return self._guard.send_to("/fund")
        return await self._show_fund(request, visitor, ask=ask)

    async def _settle(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        number = int(request.match_info["number"])
        told = await _told(request)
        try:
            await self._site.settle_redemption(visitor, number, told.get("act", ""))
        except (InvalidInput, Refused) as problem:
            return await self._show_fund(request, visitor, trouble=str(problem))
        return self._guard.send_to("/fund")

    async def _show_fund(
        self,
        request: web.Request,
        visitor: Visitor,
        *,
        person: str = "",
        ask: object = None,
        trouble: str = "",
    ) -> web.StreamResponse:
        page = await self._site.fund(visitor, person=person)
        status = 400 if trouble else 200
        return self._guard.show(
            request, "fund.html", visitor, status=status, page=page, ask=ask, trouble=trouble
        )


async def _told(request: web.Request) -> dict[str, str]:
    return {key: str(value) for key, value in (await request.post()).items()}
