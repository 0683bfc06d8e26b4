"""The big screen, live: server-sent events with the parts as the templates render them."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.clock import wait_for
from bot.domain.page_sessions import Visitor
from bot.errors import UserError
from connectors.web.guard import Guard
from connectors.web.site import Site

LOOK_EVERY_S = 3.0
SIGN_OF_LIFE_S = 15.0
MOST_LISTENERS = 500


class Live:
    """GET /live."""

    def __init__(self, site: Site, guard: Guard) -> None:
        self._site = site
        self._guard = guard
        self._stopped = asyncio.Event()
        self._listeners = 0

    def stop(self) -> None:
        self._stopped.set()

    async def follow(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Until the browser goes, the session ends, or we stop."""
        first = await self._site.screen(visitor)
        if self._listeners >= MOST_LISTENERS:
            return web.Response(status=503, headers=self._guard.headers())
        answer = web.StreamResponse(headers=self._guard.headers())
        answer.content_type = "text/event-stream"
        answer.headers["X-Accel-Buffering"] = "no"  # or nginx holds back what was said
        await answer.prepare(request)
        self._listeners += 1
        try:
            await self._tell(request, answer, first.version)
        except (ConnectionError, UserError):
            pass  # gone, or no longer allowed: the browser asks again and is told
        finally:
            self._listeners -= 1
        return answer

    async def _tell(
        self, request: web.Request, answer: web.StreamResponse, seen: str
    ) -> None:
        silent_s = 0.0
        while not self._stopped.is_set():
            await wait_for(self._stopped, LOOK_EVERY_S)
            visitor = await self._guard.visitor(request)
            if visitor is None or self._stopped.is_set():
                return
            screen = await self._site.screen(visitor)
            silent_s += LOOK_EVERY_S
            if screen.version != seen:
                seen, silent_s = screen.version, 0.0
                html = self._guard.renderer.render("parts/screen.html", screen=screen)
                lines = "".join(f"data: {line}\n" for line in html.splitlines())
                await answer.write(f"event: screen\n{lines}\n".encode())
            elif silent_s >= SIGN_OF_LIFE_S:
                silent_s = 0.0
                await answer.write(b": still here\n\n")
