"""Files that a robot uploads over its long connection, chunk by chunk.

Source: developer.work.weixin.qq.com/document/path/101463.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .wecom_aibot_state import Body, Robot
from .wecom_errors import WecomError
from .wecom_media import fits
from .wecom_state import media_type_of

_LIMITS = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}  # bytes
_RATES = [(30, 60), (1000, 3600)]
_CHUNK = 512 << 10
_SESSION_LIFE = timedelta(minutes=30)
_MEDIA_LIFE = timedelta(days=3)


@dataclass(slots=True)
class _Session:
    kind: str
    name: str
    size: int
    total: int
    md5: str
    ends_at: datetime
    chunks: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Media:
    robot: Robot
    kind: str
    file: Body
    ends_at: datetime


class Uploads:
    """Sessions outlive the connection that began them."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._media: dict[str, _Media] = {}

    def act(self, step: str, robot: Robot, body: Body) -> Body:
        """step: init, chunk or finish. Raises WecomError."""
        if step == "init":
            return self._init(robot, body)
        session = self._sessions.get(str(body.get("upload_id")))
        if session is None or robot.now >= session.ends_at:
            raise WecomError(40007, "upload_id")
        if step == "chunk":
            return self._chunk(session, body)
        return self._finish(robot, str(body["upload_id"]), session)

    def find(self, robot: Robot, content: Any, kind: str) -> Body:
        """The file as a message shows it. Raises WecomError 40007."""
        media_id = content.get("media_id") if isinstance(content, dict) else None
        media = self._media.get(str(media_id))
        if media is None or media.robot is not robot or robot.now >= media.ends_at:
            raise WecomError(40007)
        if media.kind != kind:
            raise WecomError(40007, f"uploaded as {media.kind}")
        return media.file

    def _init(self, robot: Robot, body: Body) -> Body:
        kind, name = body.get("type"), body.get("filename")
        size, total = body.get("total_size"), body.get("total_chunks")
        if kind not in _LIMITS:
            raise WecomError(40004)
        if not isinstance(name, str) or not 0 < len(name.encode()) <= 256:
            raise WecomError(40058, "filename")
        if not isinstance(size, int) or not isinstance(total, int) or not 0 < total <= 100:
            raise WecomError(40058, "total_size or total_chunks")
        if not 0 < size <= _LIMITS[kind]:
            raise WecomError(45001)
        if not robot.state.meter.take(f"aibot-upload:{robot.app.name}", robot.now, _RATES):
            raise WecomError(45009)
        upload_id = secrets.token_hex(12)
        ends_at = robot.now + _SESSION_LIFE
        self._sessions[upload_id] = _Session(
            kind, name, size, total, str(body.get("md5", "")), ends_at
        )
        return {"upload_id": upload_id}

    @staticmethod
    def _chunk(session: _Session, body: Body) -> Body:
        index = body.get("chunk_index")
        if not isinstance(index, int) or not 0 <= index < session.total:
            raise WecomError(40058, "chunk_index")
        try:
            data = base64.b64decode(str(body.get("base64_data", "")), validate=True)
        except binascii.Error as error:
            raise WecomError(40058, "base64_data") from error
        if not 0 < len(data) <= _CHUNK:
            raise WecomError(45001, "chunk")
        session.chunks[index] = data
        return {}

    def _finish(self, robot: Robot, upload_id: str, session: _Session) -> Body:
        data = b"".join(session.chunks[at] for at in sorted(session.chunks))
        if len(session.chunks) != session.total or len(data) != session.size:
            raise WecomError(40058, "chunks are missing")
        if session.md5 and hashlib.md5(data).hexdigest() != session.md5:
            raise WecomError(40058, "md5")
        if not fits(session.kind, data):
            raise WecomError(40005)
        media_id, media_type = secrets.token_urlsafe(24), media_type_of(session.name, data)
        robot.state.world.files[media_id] = (data, session.name, media_type)
        file = {"name": session.name, "size": len(data), "media_type": media_type,
                "url": f"/sandbox/api/files/{media_id}"}  # fmt: skip
        self._media[media_id] = _Media(robot, session.kind, file, robot.now + _MEDIA_LIFE)
        del self._sessions[upload_id]
        created_at = int(robot.now.timestamp())
        return {"type": session.kind, "media_id": media_id, "created_at": created_at}
