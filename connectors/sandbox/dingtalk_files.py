"""Files both ways: media uploaded by the bot, and what people sent, fetched by download code.

Limits from the protocol notes 1.7 and 3.8.
"""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from .dingtalk_errors import OldError, invalid
from .dingtalk_gate import PREFIX, Body, Gate
from .world import World

_MB = 1 << 20
_UPLOADS: dict[str, tuple[int, frozenset[str]]] = {
    "image": (20 * _MB, frozenset({"jpg", "jpeg", "gif", "png", "bmp"})),
    "voice": (2 * _MB, frozenset({"amr", "mp3", "wav", "ogg"})),
    "video": (20 * _MB, frozenset({"mp4"})),
    "file": (
        20 * _MB,
        frozenset({"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"}),
    ),
}
_URL_LIFE_S = 600


@dataclass(slots=True)
class Files:
    """origin: scheme, host and port under which the emulator is reached, for its links.

    code_life_s: how long a download code is good for; not documented, hours at most.
    """

    world: World
    gate: Gate
    origin: str = ""
    code_life_s: int = 7200
    _codes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _links: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            self.gate.old_raw("POST", "media/upload", self._upload),
            self.gate.new("POST", "v1.0/robot/messageFiles/download", self._download),
            web.get(f"{PREFIX}/files/{{name}}", self._serve),
        ]

    def keep(self, data: bytes, name: str, media_type: str, prefix: str = "dingtalk-") -> str:
        """The key under which World.files now has it; the name's ending tells the type,
        media_type stands in where it does not."""
        key = f"{prefix}{secrets.token_urlsafe(18)}"
        guessed, _ = mimetypes.guess_type(name)
        self.world.files[key] = (data, name, guessed or media_type)
        return key

    def shown(self, key: str) -> dict[str, Any] | None:
        """Said.file of a kept or uploaded file; None when there is none."""
        kept = self.world.files.get(key)
        if kept is None:
            return None
        data, name, media_type = kept
        url = f"/sandbox/api/files/{quote(key, safe='')}"  # the control API's, for people
        return {"name": name, "size": len(data), "url": url, "media_type": media_type}

    def download_code(self, key: str) -> str:
        code = f"mIofN{secrets.token_urlsafe(24)}"
        self._codes[code] = (key, self.world.now() + timedelta(seconds=self.code_life_s))
        return code

    def _download(self, arguments: Body) -> Body:
        code, robot = arguments.get("downloadCode"), arguments.get("robotCode")
        if not code or not robot:
            raise invalid("invalidParameter.robotCode.empty")
        if robot != self.gate.app().app_key:
            raise invalid("invalidParameter.robotCode.auth")
        key, until = self._codes.get(code, ("", self.world.now()))
        if until <= self.world.now():
            raise invalid("invalidParameter.robotCode.downloadCode")
        token = secrets.token_urlsafe(24)
        expires = self.world.now() + timedelta(seconds=_URL_LIFE_S)
        self._links[token] = (key, expires)
        query = f"Expires={int(expires.timestamp())}&Signature={secrets.token_hex(8)}"
        return {"downloadUrl": f"{self.origin}{PREFIX}/files/{token}.file?{query}"}

    async def _serve(self, request: web.Request) -> web.Response:
        """Once, and not for long; the answer to anything else is the object store's."""
        token = request.match_info["name"].removesuffix(".file")
        key, until = self._links.pop(token, ("", self.world.now()))
        if until <= self.world.now() or key not in self.world.files:
            text = "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
            return web.Response(status=403, text=text, content_type="application/xml")
        return web.Response(body=self.world.files[key][0], content_type="application/octet-stream")

    async def _upload(self, request: web.Request) -> Body:
        kind, name, data = await _read_form(request)
        if kind not in _UPLOADS:
            raise OldError(40004, "不合法的媒体文件类型")
        limit, endings = _UPLOADS[kind]
        if not data:
            raise OldError(41005, "缺少多媒体文件数据")
        if name.rpartition(".")[2].lower() not in endings:
            raise OldError(40005, "不合法的文件类型")
        if len(data) > limit:
            raise OldError(40006, "不合法的文件大小")
        media_id = self.keep(data, name, "application/octet-stream", prefix="@lAL")
        created_at = int(self.world.now().timestamp() * 1000)
        return {"type": kind, "media_id": media_id, "created_at": created_at}


async def _read_form(request: web.Request) -> tuple[str, str, bytes]:
    """Type, file name and bytes (cut just above every limit) of an upload."""
    kind, name, data = request.query.get("type", ""), "", b""
    if not request.content_type.startswith("multipart/"):
        raise OldError(41005, "缺少多媒体文件数据")
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "type":
            kind = await part.text()
        elif part.name == "media":
            name = part.filename or ""
            data = await _read_part(part)
    return kind, name, data


async def _read_part(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        if len(data) <= 20 * _MB:
            data += chunk
    return bytes(data)
