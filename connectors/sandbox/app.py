"""The sandbox as routes: chat page, control API and both platforms' server APIs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from . import site
from .api import ControlApi
from .configuration import configuration
from .demo import populate
from .demo_archive import fill_archive
from .demo_contacts import meet
from .dingtalk import DingtalkEmulator
from .kingdee import KingdeeEmulator
from .post_office import PostOffice
from .wecom import WecomEmulator
from .world import Emulator, Hooks, World

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


class Platforms:
    """Both emulated platforms with the demo company on them. They are served beside the bot
    and still talk to it over HTTP only. base_url: where both are reached. dingtalk_mode: "http"
    or "stream", aibot_mode: "http" or "websocket", as the consoles have it."""

    def __init__(
        self,
        hooks: Hooks,
        base_url: str,
        *,
        dingtalk_mode: str = "http",
        aibot_mode: str = "http",
    ) -> None:
        self.world = World(hooks)
        self._base_url = base_url
        populate(self.world, bot_url=base_url)
        self.world.app("dingtalk").mode = dingtalk_mode
        for app in self.world.apps:
            if app.kind == "aibot":
                app.mode = aibot_mode
        self._wecom = WecomEmulator(self.world, f"{base_url}/sandbox/wecom")
        self._dingtalk = DingtalkEmulator(self.world, base_url)
        self._emulators: dict[str, Emulator] = {
            "wecom": self._wecom,
            "dingtalk": self._dingtalk,
        }
        self._erp = KingdeeEmulator(self.world)
        self.post = PostOffice(self.world)

    @property
    def wecom(self) -> WecomEmulator:
        return self._wecom

    @property
    def dingtalk(self) -> DingtalkEmulator:
        return self._dingtalk

    def configuration(self, files: Path) -> dict[str, Any]:
        """What the bot's operator would write to be connected to them."""
        told = configuration(self.world, base_url=self._base_url, files=files)
        return {**told, "mail": self.post.configuration()}

    def routes(self) -> list[web.AbstractRouteDef]:
        own = routes(self.world, self._emulators, self.post)
        return [*own, *self._erp.routes(), *site.routes()]

    def open_books(self) -> None:
        """The demo company's books so far: a receipt that is enough and one without a contract;
        three customers, one of them nobody's; an order of a signed contract; whom its reps have as
        contacts."""
        meet(self._wecom.customers, self._wecom.state.contacts)
        self._erp.book("HT-2026-021", "90000", payer="常州武进减速机有限公司", number="SKD-1021")
        self._erp.book("HT-2025-399", "26000", payer="苏州吴淞精密制造有限公司", number="SKD-1022")
        self._erp.know("C0001", "常州武进减速机有限公司")
        self._erp.know("C0002", "南海铝业(佛山)有限公司", phone="0757-86330000")
        self._erp.know("C0003", "惠山精密齿轮有限公司")
        self._erp.order("XSDD-2001", "C0001", [180_000, 120_000], contract="HT-2026-021")

    async def open_archive(self) -> None:
        """What the demo company's customers and reps wrote to each other so far; the bot has been
        told of it when this returns."""
        fill_archive(self._wecom.state.archive)
        self._wecom.tell_of_archive()
        await self._wecom.callbacks.settle()

    async def stop(self) -> None:
        """Wait for callbacks under way."""
        await self.post.close()
        for emulator in self._emulators.values():
            await emulator.stop()


def routes(
    world: World, emulators: Mapping[str, Emulator], post: PostOffice | None = None
) -> list[web.AbstractRouteDef]:
    """All below /sandbox. emulators: by platform. post: without one, mailboxes nobody reads."""
    return [
        web.get("/sandbox", _page),
        web.get("/sandbox/assets/{name}", _asset),
        *ControlApi(world, emulators, post or PostOffice(world)).routes(),
        *(route for emulator in emulators.values() for route in emulator.routes()),
    ]


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_PAGE / "index.html", headers=_HEADERS)


async def _asset(request: web.Request) -> web.FileResponse:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise web.HTTPNotFound
    return web.FileResponse(_PAGE / name, headers=_HEADERS)
