"""Between a browser and a page: who it is, whether a form is ours, and errors as pages."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.domain.page_sessions import Entered, Visitor, is_own_path
from bot.domain.sign_in import ERRAND_LIVES, Errand
from bot.errors import FilesAway, InvalidInput, NotAllowed, NotFound, Refused, UserError
from connectors.web.clients import Client, client_of
from connectors.web.headers import HTTPS_ONLY, page_headers
from connectors.web.rendering import Renderer
from connectors.web.site import Site

Open = Callable[[web.Request], Awaitable[web.StreamResponse]]
Page = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]

_STATUS = {NotFound: 404, NotAllowed: 403, InvalidInput: 400, Refused: 409}

_ENDED = "登录满7天、账号停用或在别处退出以后，网页会要求重新打开。再要一个链接很快："

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may see a page: sessions, cookies, forms that are really ours. public_url: how browsers
    reach us, "" if nobody said; with https the cookie is Secure. clients: in which pages may be
    opened and signed in to."""

    site: Site
    renderer: Renderer
    public_url: str
    clients: Sequence[Client] = ()

    @property
    def cookie(self) -> str:
        return "__Host-gendan" if self._https else "gendan"

    @property
    def _https(self) -> bool:
        return self.public_url.startswith("https://")

    def open(self, page: Open) -> Open:
        """For who is not signed in too."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._safely(request, lambda: page(request), None)

        return handle

    def known(self, page: Page) -> Open:
        """For who is signed in."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = await self.visitor(request)
            if visitor is None:
                return self._ask_in(request)
            return await self._safely(request, lambda: page(request, visitor), visitor)

        return handle

    def _ask_in(self, request: web.Request) -> web.StreamResponse:
        """Nobody is signed in: through the platform, where its client shows the page; else how
        to get a link is explained."""
        client = client_of(self.clients, request)
        is_page = "text/html" in request.headers.get("Accept", "")
        if client is None or not self.public_url or request.method != "GET" or not is_page \
                or "HX-Request" in request.headers:
            ended = self.cookie in request.cookies
            return self._trouble(request, 401, _ENDED if ended else "", None)
        errand = self.site.errand(request.path_qs)
        back = f"{self.public_url}/in/{client.platform}/{client.app}"
        url = client.sign_in_url(back, errand.state)
        answer: web.StreamResponse
        if url is not None:
            answer = web.Response(status=303, headers={**self.headers(), "Location": url})
        else:
            answer = self.show(
                request, "signing_in.html", None, with_client=True, errand=errand
            )
        self._note_errand(answer, errand)
        return answer

    def errand_cookie(self, state: str) -> str:
        """One for each: pages may be opened side by side."""
        return f"{self.cookie}-in-{state[:12]}"

    def _note_errand(self, answer: web.StreamResponse, errand: Errand) -> None:
        answer.set_cookie(
            self.errand_cookie(errand.state), errand.carried,
            max_age=int(ERRAND_LIVES.total_seconds()), path="/", secure=self._https,
            httponly=True, samesite="Lax",
        )  # fmt: skip

    def forget_errand(self, answer: web.StreamResponse, state: str) -> None:
        name = self.errand_cookie(state)
        answer.del_cookie(name, path="/", secure=self._https, httponly=True)

    def form(self, page: Page) -> Open:
        """For a POST of one of our own forms."""

        async def take(request: web.Request, visitor: Visitor) -> web.StreamResponse:
            fields = await request.post()
            key = str(fields.get("form_key", ""))
            ours = hmac.compare_digest(key.encode(), visitor.session.form_key.encode())
            if not ours or not self.same_site(request):
                raise NotAllowed("这一页放得太久了，请刷新后再试一次。")
            return await page(request, visitor)

        return self.known(take)

    async def visitor(self, request: web.Request) -> Visitor | None:
        secret = request.cookies.get(self.cookie, "")
        return await self.site.visitor(secret) if secret else None

    def same_site(self, request: web.Request) -> bool:
        """Whether a POST comes from a page of ours. A browser that sends no Origin with it is
        an old one; its form key is looked at all the same."""
        origin = request.headers.get("Origin", "")
        ours = {request.host, urlsplit(self.public_url).netloc}
        return not origin or urlsplit(origin).netloc in ours

    def admit(self, entered: Entered) -> web.StreamResponse:
        """The answer that begins a session."""
        answer = self.send_to(entered.path)
        answer.set_cookie(
            self.cookie,
            entered.secret,
            max_age=7 * 86400,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def dismiss(self) -> web.StreamResponse:
        answer = self.send_to("/in")
        answer.del_cookie(self.cookie, path="/", secure=self._https, httponly=True)
        return answer

    def send_to(self, path: str) -> web.Response:
        assert is_own_path(path), path
        return web.Response(status=303, headers={**self.headers(), "Location": quote(path, "/?=&%+,:;@")})

    def headers(self, script_url: str = "") -> dict[str, str]:
        """script_url: of a platform's script that the page needs besides our own."""
        return {**page_headers(script_url), **(HTTPS_ONLY if self._https else {})}

    def show(
        self, request: web.Request, name: str, visitor: Visitor | None, *,
        status: int = 200, with_client: bool = False, **data: object
    ) -> web.Response:
        """A page from its template. with_client: it uses the script of the client in which it is
        shown. data: what the template wants besides the visitor."""
        client = client_of(self.clients, request) if with_client else None
        face = self.site.face(visitor) if visitor is not None else None
        html = self.renderer.render(name, face=face, client=client, path=request.path, **data)
        return web.Response(
            text=html, status=status, content_type="text/html",
            headers=self.headers(client.script_url if client else ""),
        )

    async def _safely(
        self,
        request: web.Request,
        act: Callable[[], Awaitable[web.StreamResponse]],
        visitor: Visitor | None,
    ) -> web.StreamResponse:
        try:
            return await act()
        except UserError as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
            if visitor is not None and status in (403, 404):
                await self.site.note_denial(visitor, request.path, type(error).__name__)
            return self._trouble(request, status, str(error), visitor)
        except FilesAway as error:
            return self._trouble(request, 503, str(error), visitor)
        except web.HTTPException:
            raise
        except Exception:
            return self._failed(request, visitor)

    def _failed(self, request: web.Request, visitor: Visitor | None) -> web.Response:
        """To be called while the exception is handled: it is logged under the number shown."""
        reference = secrets.token_hex(4)
        fields = {"action": "page", "path": request.path, "reference": reference}
        log.exception("a page failed", extra=fields)
        return self._trouble(request, 500, reference, visitor)

    def middleware(self) -> Middleware:
        """What goes wrong where a browser asks for a page, and no page is there to say it: an
        address that nobody serves, a database that does not even tell who asks."""

        @web.middleware
        async def in_our_words(request: web.Request, handler: Open) -> web.StreamResponse:
            is_page = "text/html" in request.headers.get("Accept", "")
            try:
                return await handler(request)
            except web.HTTPNotFound:
                if not is_page:
                    raise
            except web.HTTPException:
                raise
            except Exception:
                if not is_page:
                    raise
                return self._failed(request, None)
            return self._trouble(request, 404, "", await self.visitor(request))

        return in_our_words

    def _trouble(
        self, request: web.Request, status: int, words: str, visitor: Visitor | None
    ) -> web.Response:
        """A page of its own; into a part of one goes a line."""
        part = "HX-Request" in request.headers
        name = "parts/trouble.html" if part else "trouble.html"
        again = request.path_qs if request.method == "GET" else ""
        return self.show(
            request, name, visitor, status=status, code=status, words=words, again=again
        )
