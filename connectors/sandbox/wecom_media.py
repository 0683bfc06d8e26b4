"""media/upload, media/get and webhook/upload_media.

Source: developer.work.weixin.qq.com/document/path/90253, 90254, 99110.
"""

from __future__ import annotations

from urllib.parse import quote

import filetype
from aiohttp import BodyPartReader, web

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import Media, WecomState

_LIMITS = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}  # bytes


async def upload(state: WecomState, call: Call) -> Answer:
    """A file for the corporation's applications, kept three days."""
    return _uploaded(state, await _take_upload(state, call))


async def upload_for_robot(state: WecomState, call: Call) -> Answer:
    """A file for one group robot. The file is looked at before the key."""
    media = await _take_upload(state, call, robot=call.query.get("key", ""))
    if media.robot not in call.app.webhooks:
        raise WecomError(93000)
    if media.kind not in ("file", "voice"):
        raise WecomError(40004)
    return _uploaded(state, media)


async def download(state: WecomState, call: Call) -> Answer:
    """The bytes, or the part that a Range header asks for."""
    media = state.find_media(call.query.get("media_id"))
    data, name, media_type = state.world.files[media.media_id]
    headers = {
        "Content-Disposition": f'attachment; filename="{quote(name)}"; '
        f"filename*=UTF-8''{quote(name)}"
    }
    try:
        part = call.request.http_range
    except ValueError as error:
        raise web.HTTPRequestRangeNotSatisfiable from error
    if part.start is None:
        return web.Response(body=data, content_type=media_type, headers=headers)
    start, stop, _ = part.indices(len(data))
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:stop], content_type=media_type, headers=headers)


async def _take_upload(state: WecomState, call: Call, *, robot: str = "") -> Media:
    kind = call.query.get("type", "")
    limit = _LIMITS.get(kind)
    if limit is None:
        raise WecomError(40004)
    name, data = await _read_part(call.request, limit)
    if len(data) <= 5:
        raise WecomError(44001)
    if not fits(kind, data):
        raise WecomError(40005)
    return state.store_media(kind, name, data, robot=robot)


async def _read_part(request: web.Request, limit: int) -> tuple[str, bytes]:
    """Name and bytes of the form's part "media". Raises 41005, 45001."""
    if not request.content_type.startswith("multipart/"):
        raise WecomError(41005)
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "media" and part.filename:
            data = bytearray()
            while chunk := await part.read_chunk(1 << 16):
                data += chunk
                if len(data) > limit:
                    raise WecomError(45001)
            return part.filename, bytes(data)
    raise WecomError(41005)


def fits(kind: str, data: bytes) -> bool:
    if kind == "image":
        return filetype.guess_mime(data) in ("image/jpeg", "image/png")
    if kind == "voice":
        return data.startswith(b"#!AMR")
    if kind == "video":
        return str(filetype.guess_mime(data)) == "video/mp4"
    return True


def _uploaded(state: WecomState, media: Media) -> dict[str, str]:
    created_at = str(int(state.world.now().timestamp()))  # a string on the wire
    return {"type": media.kind, "media_id": media.media_id, "created_at": created_at}


APIS = {
    "media/upload": Api("POST", upload, form=True),
    "media/get": Api("GET", download),
    "webhook/upload_media": Api("POST", upload_for_robot, scope="open", form=True),
}
