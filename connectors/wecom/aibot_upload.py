"""Files that a robot sends, uploaded in chunks over its long connection.

Source: developer.work.weixin.qq.com/document/path/101463: at most 100 chunks of 512 KB, in any
order, each as often as it takes; how many at once as the platform's own client does.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib

from bot.clock import Clock
from bot.errors import Rejected, TransientError
from connectors.limits import Window, take_all
from connectors.wecom import aibot_frames as frames
from connectors.wecom.aibot_link import AibotLink

CHUNK_BYTES = 512 * 1024
_MOST_CHUNKS = 100
_TRIES = 3
_NAME_BYTES = 256


class Uploads:
    """At most 30 a minute and 1000 an hour."""

    def __init__(self, link: AibotLink, clock: Clock) -> None:
        self._link = link
        self._windows = (Window(30, 60, clock), Window(1000, 3600, clock))

    async def upload(self, kind: str, data: bytes, name: str) -> str:
        """The media_id, good for three days. Raises TransientError or PermanentError."""
        take_all(self._windows, "")
        chunks = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
        if not 0 < len(chunks) <= _MOST_CHUNKS:
            raise Rejected(f"wecom:aibot_upload: {len(data)} bytes")
        begun = await self._link.request(
            frames.UPLOAD_INIT,
            {
                "type": kind,
                "filename": _short(name),
                "total_size": len(data),
                "total_chunks": len(chunks),
                "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            },
        )
        upload_id = str(begun["upload_id"])
        slots = asyncio.Semaphore(_at_once(len(chunks)))
        sending = (self._send(upload_id, at, chunk, slots) for at, chunk in enumerate(chunks))
        await asyncio.gather(*sending)
        done = await self._link.request(frames.UPLOAD_FINISH, {"upload_id": upload_id})
        return str(done["media_id"])

    async def _send(
        self, upload_id: str, index: int, chunk: bytes, slots: asyncio.Semaphore
    ) -> None:
        body = {
            "upload_id": upload_id,
            "chunk_index": index,
            "base64_data": base64.b64encode(chunk).decode(),
        }
        async with slots:
            for left in reversed(range(_TRIES)):
                try:
                    await self._link.request(frames.UPLOAD_CHUNK, body)
                except TransientError:
                    if not left:
                        raise
                else:
                    return


def _at_once(chunks: int) -> int:
    return chunks if chunks <= 4 else 3 if chunks <= 10 else 2


def _short(name: str) -> str:
    """The end of a long name stays, which tells its type."""
    encoded = name.encode()
    return encoded[-_NAME_BYTES:].decode(errors="ignore") or "file"
