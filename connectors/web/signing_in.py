"""From a page without a session to the platform in whose client it was opened, and back.

A browser that came back with somebody else's state, or twice, is told so in a page; nothing here
tries again by itself, or a browser without cookies would go round for ever.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Sequence

from aiohttp import web

from bot.domain.sign_in import Errand, read_errand
from bot.errors import NotAllowed, PermanentError, TransientError
from connectors.web.clients import Client, client_of, own_address
from connectors.web.guard import Guard
from connectors.web.site import Site

_STATE = re.compile(r"[0-9a-f]{64}")
_CODE_CHARS = 512

log = logging.getLogger(__name__)


class SigningIn:
    """The ways in through platforms, and the signatures their scripts want."""

    def __init__(self, site: Site, guard: Guard, clients: Sequence[Client]) -> None:
        self._site = site
        self._guard = guard
        self._clients = {(one.platform, one.app): one for one in clients}

    def routes(self) -> list[web.RouteDef]:
        back = "/in/{platform:wecom|dingtalk}/{app}"
        return [
            web.get(back, self._guard.open(self._back_by_address)),
            web.post(back, self._guard.open(self._back_by_form)),
            web.get("/client/signatures", self._guard.known(self._signatures)),
        ]

    async def _back_by_address(self, request: web.Request) -> web.StreamResponse:
        """The platform has sent the browser back."""
        client = self._client(request)
        if client.sign_in_url("", "") is None:
            raise web.HTTPNotFound
        return await self._come_in(
            request, client, request.query.get("code", ""), request.query.get("state", "")
        )

    async def _back_by_form(self, request: web.Request) -> web.StreamResponse:
        """The page's script has got a code from its client."""
        client = self._client(request)
        fields = await request.post()
        if client.sign_in_url("", "") is not None or not self._guard.same_site(request):
            raise web.HTTPNotFound
        return await self._come_in(
            request, client, str(fields.get("code", "")), str(fields.get("state", ""))
        )

    async def _come_in(
        self, request: web.Request, client: Client, code: str, state: str
    ) -> web.StreamResponse:
        errand = self._errand(request, state)
        if errand is None:
            return await self._no_errand(request, client)
        answer = await self._redeem(request, client, errand, code)
        self._guard.forget_errand(answer, state)
        return answer

    async def _redeem(
        self, request: web.Request, client: Client, errand: Errand, code: str
    ) -> web.StreamResponse:
        told = {"action": "sign_in", "channel": f"{client.platform}:{client.app}"}
        if not self._site.holds(errand) or not 0 < len(code) <= _CODE_CHARS:
            log.warning("a sign-in came too late or without a code", extra=told)
            return self._again(request, errand)
        try:
            caller = await client.who(code)
        except TransientError as error:
            log.warning("the platform did not say who signs in: %s", error, extra=told)
            return self._show(request, 503, "away", errand)
        except PermanentError as error:
            log.error("the platform refuses to say who signs in: %s", error, extra=told)
            return self._show(request, 502, "refused", errand)
        if caller is None:
            log.warning("a code that is unknown, used or too old", extra=told)
            return self._again(request, errand)
        try:
            return self._guard.admit(await self._site.come_in(caller, errand))
        except NotAllowed as error:
            log.warning("somebody may not sign in", extra=told)
            return self._guard.show(
                request, "trouble.html", None, status=403, code=403, words=str(error), again=""
            )

    async def _no_errand(self, request: web.Request, client: Client) -> web.StreamResponse:
        """Who reloads the address they came back by has long been let in."""
        if await self._guard.visitor(request) is not None:
            return self._guard.send_to("/customers")
        told = {"action": "sign_in", "channel": f"{client.platform}:{client.app}"}
        log.warning("somebody came back whom nobody had sent out", extra=told)
        return self._again(request, None)

    async def _signatures(self, request: web.Request, _visitor: object) -> web.StreamResponse:
        """For the script of the client that asks, on a page of ours."""
        client = client_of(list(self._clients.values()), request)
        url = own_address(request.query.get("url", ""), self._guard.public_url)
        if client is None or url is None:
            return web.json_response({}, status=403, headers=self._guard.headers())
        try:
            signed = await client.signatures(url)
        except (TransientError, PermanentError) as error:
            told = {"action": "sign_page", "channel": f"{client.platform}:{client.app}"}
            log.warning("the platform gave no ticket: %s", error, extra=told)
            return web.json_response({}, status=503, headers=self._guard.headers())
        return web.json_response(signed, headers=self._guard.headers())

    def _client(self, request: web.Request) -> Client:
        found = request.match_info
        client = self._clients.get((found["platform"], found["app"]))
        if client is None:
            raise web.HTTPNotFound
        return client

    def _errand(self, request: web.Request, state: str) -> Errand | None:
        """The one this browser set out on."""
        if not _STATE.fullmatch(state):
            return None
        carried = request.cookies.get(self._guard.errand_cookie(state), "")
        errand = read_errand(carried)
        if errand is None or not hmac.compare_digest(errand.state, state):
            return None
        return errand

    def _again(self, request: web.Request, errand: Errand | None) -> web.Response:
        return self._show(request, 401, "again", errand)

    def _show(
        self, request: web.Request, status: int, why: str, errand: Errand | None
    ) -> web.Response:
        path = errand.path if errand is not None else "/customers"
        return self._guard.show(
            request, "not_in.html", None, status=status, why=why, wanted=path
        )
