"""The administrator's pages: their addresses, templates and forms.

Every form leads back to the page that it stands on, which says what was done. What it says comes
with the address, sealed by the session's own key, so that no link from elsewhere can put words
into our mouth.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from aiohttp import web

from bot.domain.page_sessions import Visitor
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from connectors.web.guard import Guard
from connectors.web.headers import FILE

MOST_SAID = 400
"""Characters: the whole address stays shorter than browsers and proxies take."""

_NUMBER = r"{number:\d{1,18}}"


class AdminSite(Protocol):
    """Each method raises UserError with words for the visitor."""

    def tabs(self, visitor: Visitor) -> Any:
        """What this visitor may open."""
        ...

    async def look(self, visitor: Visitor, view: str, asked: Mapping[str, str]) -> Any: ...

    async def act(self, visitor: Visitor, deed: str, given: Mapping[str, str]) -> str:
        """Do it; what there is to say of it."""
        ...

    async def export(self, visitor: Visitor, what: str) -> tuple[str, AsyncGenerator[bytes, None]]:
        """A file's name, and what is in it, some at a time."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """A page of «管理»: its address, whose data it shows, and its template."""

    path: str
    view: str
    template: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form of «管理»: where it is sent, and what it does. back: where it leads, with what the path
    holds filled in."""

    path: str
    deed: str
    back: str


_KEY = r"{key:[a-z0-9_.-]{1,60}}"
_PERSON = f"/admin/people/{_NUMBER}"

VIEWS = (
    View("/admin", "overview", "overview.html"),
    View("/admin/people", "people", "people.html"),
    View(_PERSON, "person", "person.html"),
    View("/admin/bindings", "proposals", "proposals.html"),
    View("/admin/bindings/unbound", "unbound", "unbound.html"),
    View("/admin/bindings/bound", "bound", "bound.html"),
    View("/admin/libraries", "libraries", "libraries.html"),
    View(f"/admin/libraries/{_KEY}", "library", "library.html"),
    View("/admin/policies", "policies", "policies.html"),
    View(f"/admin/policies/{_KEY}", "policy", "policy.html"),
    View("/admin/calendar", "calendar", "calendar.html"),
    View("/admin/operations", "operations", "operations.html"),
    View("/admin/dead-letters", "dead letters", "dead_letters.html"),
    View("/admin/audit", "audit", "audit.html"),
    View("/admin/exports", "exports", "exports.html"),
)

FORMS = (
    Form(f"{_PERSON}/roles", "set roles", "/admin/people/{number}"),
    Form(f"{_PERSON}/supervisor", "set supervisor", "/admin/people/{number}"),
    Form(f"{_PERSON}/leave", "set leave", "/admin/people/{number}"),
    Form(f"{_PERSON}/join", "join", "/admin/people/{number}"),
    Form(f"{_PERSON}/part", "part", "/admin/people/{number}"),
    Form(f"{_PERSON}/hand-over", "hand over", "/admin/people/{number}"),
    Form(f"{_PERSON}/sign-out", "end sessions", "/admin/people/{number}"),
    Form("/admin/bindings/accept", "accept", "/admin/bindings"),
    Form("/admin/bindings/bind", "bind", "/admin/bindings/unbound?kind={kind}"),
    Form("/admin/bindings/unbind", "unbind", "/admin/bindings/bound"),
    Form(f"/admin/libraries/{_KEY}/switch", "switch library", "/admin/libraries/{key}"),
    Form(f"/admin/policies/{_KEY}", "change policy", "/admin/policies/{key}"),
    Form("/admin/dead-letters/replay", "replay", "/admin/dead-letters?box={box}"),
    Form("/admin/operations/archive", "retry archive", "/admin/operations"),
    Form("/admin/audit/verify", "verify", "/admin/audit"),
)


class AdminPages:
    """The pages of «管理»."""

    def __init__(self, site: AdminSite, guard: Guard) -> None:
        self._site = site
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        guard = self._guard
        return [
            *(web.get(one.path, guard.known(self._shower(one))) for one in VIEWS),
            *(web.post(one.path, guard.form(self._taker(one))) for one in FORMS),
            web.post(f"/admin/exports/{_KEY}", guard.form(self._export)),
        ]

    def _shower(self, view: View) -> Callable[[web.Request, Visitor], Awaitable[web.Response]]:
        async def show(request: web.Request, visitor: Visitor) -> web.Response:
            asked = {**request.query, **request.match_info}
            page = await self._site.look(visitor, view.view, asked)
            said = request.query.get("said", "")
            seal = request.query.get("seal", "")
            if not hmac.compare_digest(seal.encode(), _seal(visitor, said).encode()):
                said = ""
            return self._guard.show(
                request,
                f"admin/{view.template}",
                visitor,
                page=page,
                tabs=self._site.tabs(visitor),
                said=said,
                refused=request.query.get("outcome") == "refused",
            )

        return show

    def _taker(self, form: Form) -> Callable[[web.Request, Visitor], Awaitable[web.Response]]:
        async def take(request: web.Request, visitor: Visitor) -> web.Response:
            given = {key: str(value) for key, value in (await request.post()).items()}
            given |= request.match_info
            back = form.back.format_map(_Quoted(given))
            try:
                said = await self._site.act(visitor, form.deed, given)
            except (InvalidInput, Refused) as error:
                return self._back(visitor, back, str(error), how="refused")
            return self._back(visitor, back, said, how="done")

        return take

    async def _export(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """As it is read, so that nobody waits for the whole."""
        name, parts = await self._site.export(visitor, request.match_info["key"])
        disposition = f"attachment; filename*=UTF-8''{quote(name)}"
        answer = web.StreamResponse(headers={**FILE, "Content-Disposition": disposition})
        answer.content_type, answer.charset = "text/csv", "utf-8"
        async with aclosing(parts):  # a browser that goes away leaves nothing open behind it
            await answer.prepare(request)
            async for part in parts:
                await answer.write(part)
            await answer.write_eof()
        return answer

    def _back(self, visitor: Visitor, path: str, said: str, *, how: str) -> web.Response:
        said = said if len(said) <= MOST_SAID else f"{said[: MOST_SAID - 1]}…"
        told = urlencode({"said": said, "outcome": how, "seal": _seal(visitor, said)})
        place, _, fragment = path.partition("#")
        joint = "&" if "?" in place else "?"
        where = f"{place}{joint}{told}{'#' if fragment else ''}{fragment}"
        return web.Response(status=303, headers={**self._guard.headers(), "Location": where})


class _Quoted(dict[str, str]):
    """What the form held, fit for an address; nothing where it held nothing."""

    def __missing__(self, key: str) -> str:
        return ""

    def __getitem__(self, key: str) -> str:
        return quote(super().__getitem__(key)[:60], safe="")


def _seal(visitor: Visitor, said: str) -> str:
    key = visitor.session.form_key.encode()
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()[:32]
