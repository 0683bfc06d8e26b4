"""A decrypted archive message to an `ArchivedMessage`.

Source: developer.work.weixin.qq.com/document/path/91774. Times are milliseconds; the object of a
type is called like the type, but for a few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from bot.domain.archive import ArchivedFile, ArchivedMessage, Consent, Status
from bot.errors import InvalidInput
from connectors.wecom.archive.words import DEEPEST, Body, in_words, parts_of

_OBJECT_OF = {
    "external_redpacket": "redpacket",
    "docmsg": "doc",
    "markdown": "info",
    "news": "info",
    "meeting_notification": "info",
    "voiptext": "info",
    "qydiskfile": "info",
    "solitaire": "info",
    "note": "info",
}

_FILE_NAMES = {
    "image": "图片.jpg",
    "voice": "语音.amr",
    "video": "视频.mp4",
    "emotion": "表情.gif",
    "file": "文件",
    "meeting_voice_call": "会议录音.mp3",
    "voip_doc_share": "文件",
}
"""Types that carry a file, and its name where the message tells none."""

_KEPT_AS = {"meeting_voice_call": "voice", "voip_doc_share": "file"}
_PNG_EMOTION = 2
_LONGEST_ID = 128
_LATEST_MS = 2**43


def read(content: str, zone: ZoneInfo) -> ArchivedMessage | None:
    """None for what is said in no conversation: a member who changed the company. zone: of the
    times in the text. Raises InvalidInput."""
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}") from None
    if not isinstance(told, dict):
        raise InvalidInput("not an object")
    if told.get("action") == "switch":
        return None
    kind = _need(told, "msgtype")
    fields = told.get(_OBJECT_OF.get(kind, kind))
    body = Body(fields if isinstance(fields, dict) else {}, zone)
    at = _moment(told.get("msgtime"))
    return ArchivedMessage(
        msgid=_need(told, "msgid"),
        kind=kind,
        sender=_user(_need(told, "from")),
        recipients=tuple(
            _user(_id(one, "tolist")) for one in _listed(told) if isinstance(one, str)
        ),
        room=_id(str(told.get("roomid") or ""), "roomid"),
        sent_at=at,
        text=in_words(kind, body),
        files=tuple(_files(kind, body)),
        revokes=_id(body.text("pre_msgid"), "pre_msgid") if kind == "revoke" else "",
        **_consent(kind, body, at),
    )


def _need(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"no {name}")
    return _id(value, name)


def _id(value: str, name: str) -> str:
    """Nothing that the platform ever gave out is longer, or holds such characters."""
    if len(value) > _LONGEST_ID or not value.isprintable():
        raise InvalidInput(f"{name} is no id")
    return value


def _listed(told: Mapping[str, Any]) -> list[object]:
    listed = told.get("tolist")
    return listed if isinstance(listed, list) else []


def _moment(millis: object) -> datetime:
    if not isinstance(millis, int) or not 0 < millis < _LATEST_MS:
        raise InvalidInput("no msgtime")
    return datetime.fromtimestamp(millis / 1000, UTC)


def _user(user_id: str) -> str:
    """Members' ids have no case, the others' have."""
    return user_id if user_id.startswith(("wm", "wo", "wb")) else user_id.lower()


def _consent(kind: str, body: Body, at: datetime) -> dict[str, Any]:
    status = {"agree": Status.AGREED, "disagree": Status.REFUSED}.get(kind)
    if status is None:
        return {}
    return {"outsider": _id(body.text("userid"), "userid"), "consent": Consent(status, at)}


def _files(kind: str, body: Body) -> Iterator[ArchivedFile]:
    if kind in ("mixed", "chatrecord") and body.depth < DEEPEST:
        for part, item in parts_of(body):
            yield from _files(part, item)
        return
    handle = body.text("sdkfileid")
    if kind not in _FILE_NAMES or not handle:
        return
    name = body.text("filename") or _FILE_NAMES[kind]
    if kind == "emotion" and body.number("type") == _PNG_EMOTION:
        name = "表情.png"
    sizes = (body.number(key) for key in ("filesize", "voice_size", "imagesize"))
    yield ArchivedFile(
        kind=_KEPT_AS.get(kind, kind),
        handle=handle,
        name=name,
        size=next((size for size in sizes if size), 0),
        md5=body.text("md5sum").lower(),
    )
