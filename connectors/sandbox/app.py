"""The sandbox as routes: chat page, control API and both platforms' server APIs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from .api import ControlApi
from .world import Emulator, World

_PAGE = Path(__file__).parent / "page"


def routes(world: World, emulators: Mapping[str, Emulator]) -> list[web.AbstractRouteDef]:
    """All below /sandbox. emulators: by platform. They are served beside the bot and still
    talk to it over HTTP only."""
    return [
        web.get("/sandbox", _page),
        web.static("/sandbox/assets", _PAGE),
        *ControlApi(world, emulators).routes(),
        *(route for emulator in emulators.values() for route in emulator.routes()),
    ]


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_PAGE / "index.html")
