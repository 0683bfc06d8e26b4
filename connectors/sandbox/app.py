"""The sandbox as routes: chat page, control API and both platforms' server APIs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from .api import ControlApi
from .world import Emulator, World

_PAGE = Path(__file__).parent / "page"
_ASSETS = frozenset(file.name for file in _PAGE.iterdir() if file.is_file())

_HEADERS = {
    # Asked for anew each time, so that nobody tries a newer sandbox with an older page.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def routes(world: World, emulators: Mapping[str, Emulator]) -> list[web.AbstractRouteDef]:
    """All below /sandbox. emulators: by platform. They are served beside the bot and still
    talk to it over HTTP only."""
    return [
        web.get("/sandbox", _page),
        web.get("/sandbox/assets/{name}", _asset),
        *ControlApi(world, emulators).routes(),
        *(route for emulator in emulators.values() for route in emulator.routes()),
    ]


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_PAGE / "index.html", headers=_HEADERS)


async def _asset(request: web.Request) -> web.FileResponse:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise web.HTTPNotFound
    return web.FileResponse(_PAGE / name, headers=_HEADERS)
