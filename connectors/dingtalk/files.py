"""Files both ways: media we upload and send, and what people sent us (notes 1.7, 3.8)."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePath

import filetype

from bot.errors import Rejected
from bot.messages import Attachment, FileContent
from bot.ports import FileStore
from connectors.dingtalk.api import Api
from connectors.dingtalk.read import text
from connectors.dingtalk.render import RobotMessage
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http, Redirected

UPLOAD_BYTES = 20 * 1024 * 1024
DOWNLOAD_BYTES = 50 * 1024 * 1024

_MOST_UPLOADS = 1000
_MOST_HOPS = 4
_IMAGES = frozenset({"jpg", "jpeg", "gif", "png", "bmp"})
_DOCUMENTS = frozenset({"doc", "docx", "xlsx", "pdf", "zip", "rar"})  # what sampleFile shows


class Files:
    """Media ids never end, so one file sent to many people is uploaded once."""

    def __init__(self, app: DingtalkApp, api: Api, http: Http, store: FileStore) -> None:
        self._app = app
        self._api = api
        self._http = http
        self._store = store
        self._uploaded: dict[tuple[str, str], str] = {}

    async def message_of(self, content: FileContent) -> RobotMessage:
        """Upload it and say how to show it. What DingTalk cannot show travels in a zip.

        Raises Rejected when it is not stored any more, or too large.
        """
        name = PurePath(content.name).name or "文件"
        if content.kind == "image" and _suffix(name) in _IMAGES:
            media_id = await self._media_id(content, "image", name)
            return RobotMessage("sampleImageMsg", {"photoURL": media_id})
        if _suffix(name) not in _DOCUMENTS:
            name = f"{name}.zip"
        media_id = await self._media_id(content, "file", name)
        shown = {"mediaId": media_id, "fileName": name, "fileType": _suffix(name)}
        return RobotMessage("sampleFile", shown)

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        """Bytes and name. Raises Rejected when the code has run out or is not ours.

        The address that the platform names may be plain http and ends in ".file".
        """
        wanted = {"downloadCode": attachment.handle, "robotCode": self._app.robot_code}
        answer = await self._api.new("POST", "v1.0/robot/messageFiles/download", wanted)
        data = await self._fetch(text(answer, "downloadUrl"))
        return data, _name_of(attachment, data)

    async def _fetch(self, url: str) -> bytes:
        """Each host on the way must be one that we allow, not only the first."""
        for _ in range(_MOST_HOPS):
            if not self._app.trusts(url):
                raise Rejected("dingtalk:download: the file's address is on no host that we allow")
            try:
                data, _headers = await self._http.download(
                    url, limit_bytes=DOWNLOAD_BYTES, what="dingtalk:download"
                )
            except Redirected as elsewhere:
                url = elsewhere.location
            else:
                return data
        raise Rejected("dingtalk:download: redirected too often")

    async def _media_id(self, content: FileContent, kind: str, name: str) -> str:
        key = (content.sha256, name)
        if key not in self._uploaded:
            data = await self._load(content)
            if name != PurePath(content.name).name:
                data = _zipped(data, content.name or "文件")
            if len(data) > UPLOAD_BYTES:
                raise Rejected(f"a file of {len(data)} bytes is more than DingTalk takes")
            if len(self._uploaded) >= _MOST_UPLOADS:
                del self._uploaded[next(iter(self._uploaded))]
            self._uploaded[key] = await self._api.upload(kind, data, name)
        return self._uploaded[key]

    async def _load(self, content: FileContent) -> bytes:
        try:
            return await self._store.get(content.sha256)
        except FileNotFoundError:
            raise Rejected(f"file {content.sha256[:12]} is not stored any more") from None


def _suffix(name: str) -> str:
    return PurePath(name).suffix.removeprefix(".").lower()


def _zipped(data: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(PurePath(name).name), data)
    return packed.getvalue()


def _name_of(attachment: Attachment, data: bytes) -> str:
    """The sender's name for it, else its kind with the extension its content shows."""
    if attachment.name:
        return attachment.name
    extension = filetype.guess_extension(data)
    return f"{attachment.kind}.{extension}" if extension else attachment.kind
