"""Scripts and styles as web/build.mjs made them: names that change with the content, so that
browsers keep them for ever."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from connectors.web.headers import ASSET

BUILD = Path(__file__).resolve().parents[2] / "web" / "build"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assets:
    """The built scripts and styles, whose names change with their content. names: as the sources
    are called -> the file in `folder`. Empty where nothing was built."""

    folder: Path
    names: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path = BUILD) -> Assets:
        """Without a front end the bot works in chat all the same, so this is told and no more."""
        try:
            names = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log.warning("pages have no scripts and styles", extra={"action": "load assets"})
            names = {}
        return cls(folder, names)

    @property
    def built(self) -> bool:
        return bool(self.names)

    def url(self, name: str) -> str:
        return f"/assets/{self.names[name]}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /assets/{name}."""
        name = request.match_info["name"]
        if name not in self.names.values():
            raise web.HTTPNotFound
        return web.FileResponse(self.folder / name, headers=ASSET)
