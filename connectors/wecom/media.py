"""Stored files as the platform takes them.

Source: developer.work.weixin.qq.com/document/path/90253. A media_id lives three days and
may die earlier, so the bytes are kept on our side and the id is only remembered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.errors import Rejected
from bot.messages import FileContent
from bot.ports import FileStore

_MEDIA_LIFE = timedelta(days=2, hours=12)
_MB = 1024 * 1024
_FILE_BYTES = 20 * _MB
_IMAGE_BYTES = 10 * _MB
_VOICE_BYTES = 2 * _MB
WEBHOOK_IMAGE_BYTES = 2 * _MB


class Uploader(Protocol):
    """What `Media` needs of the API."""

    async def upload(self, kind: str, data: bytes, name: str) -> str:
        """The media_id."""
        ...


class Media:
    """Uploads a file once and remembers its media_id while that lives."""

    def __init__(self, api: Uploader, files: FileStore, clock: Clock) -> None:
        self._api = api
        self._files = files
        self._clock = clock
        self._ids: dict[tuple[str, str], tuple[str, str, datetime]] = {}

    async def read(self, content: FileContent) -> bytes:
        """Raises Rejected when the file is not in the store, or too large for the platform."""
        try:
            data = await self._files.get(content.sha256)
        except FileNotFoundError:
            raise Rejected(f"file {content.sha256[:12]} is not in the store") from None
        if len(data) > _FILE_BYTES:
            raise Rejected(f"文件「{content.name}」超过企业微信 20 MB 的上限，未发送")
        return data

    async def media_id(self, content: FileContent) -> tuple[str, str]:
        """(kind, media_id), uploading unless a living one is known."""
        key = (content.sha256, content.kind)
        known = self._ids.get(key)
        if known and self._clock.now() < known[2]:
            return known[0], known[1]
        data = await self.read(content)
        kind = kind_for(content.kind, data)
        media_id = await self._api.upload(kind, data, content.name)
        now = self._clock.now()
        self._ids = {one: kept for one, kept in self._ids.items() if now < kept[2]}
        self._ids[key] = (kind, media_id, now + _MEDIA_LIFE)
        return kind, media_id

    def forget(self, content: FileContent) -> None:
        """After the platform has said that it no longer knows the media_id."""
        self._ids.pop((content.sha256, content.kind), None)


def kind_for(kind: str, data: bytes, *, image_bytes: int = _IMAGE_BYTES) -> str:
    """What the platform takes these bytes for: a picture or recording that it cannot show
    goes out as a plain file."""
    if kind == "image" and is_picture(data) and len(data) <= image_bytes:
        return "image"
    if kind == "voice" and data.startswith(b"#!AMR") and len(data) <= _VOICE_BYTES:
        return "voice"
    return "file"


def is_picture(data: bytes) -> bool:
    """JPEG or PNG; the platform takes no others."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
