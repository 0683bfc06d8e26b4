"""The robot's message formats, checked and turned into what people see.

Two families: msgKey + msgParam of the API, msgtype of the webhooks (protocol notes 3.3, 3.5).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .dingtalk_errors import OldError, invalid
from .dingtalk_files import Files

_MAX_PARAM_BYTES = 15_000

_PARAMS: dict[str, tuple[str, ...]] = {
    "sampleText": ("content",),
    "sampleMarkdown": ("title", "text"),
    "sampleImageMsg": ("photoURL",),
    "sampleLink": ("text", "title", "picUrl", "messageUrl"),
    "sampleActionCard": ("title", "text", "singleTitle", "singleURL"),
    "sampleActionCard6": (
        "title",
        "text",
        "buttonTitle1",
        "buttonUrl1",
        "buttonTitle2",
        "buttonUrl2",
    ),
    "sampleAudio": ("mediaId", "duration"),
    "sampleFile": ("mediaId", "fileName", "fileType"),
    "sampleVideo": ("duration", "videoMediaId", "videoType", "picMediaId"),
}
for _count in range(2, 6):
    _PARAMS[f"sampleActionCard{_count}"] = (
        "title",
        "text",
        *(f"action{part}{number}" for number in range(1, _count + 1) for part in ("Title", "URL")),
    )

_MEDIA_KINDS = {"sampleImageMsg": "image", "sampleAudio": "voice"}  # the others: file
_MEDIA_KEYS = ("mediaId", "videoMediaId", "photoURL")


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as people see it, in the words of Said."""

    kind: str
    text: str
    card: dict[str, Any] | None = None
    file: dict[str, Any] | None = None


def from_msg_key(key: Any, param: Any, files: Files) -> Shown:
    """Raises NewError with the code the real API answers."""
    if not key:
        raise invalid("invalidParameter.msgKey.empty")
    if key not in _PARAMS:
        raise invalid("invalidParameter.msgKey.invalid", f"msgKey {key} 不存在")
    values = _param(param)
    missing = [name for name in _PARAMS[key] if not isinstance(values.get(name), str)]
    if missing:
        raise invalid("invalidParameter.msgParam.invalid", f"缺少参数或不是字符串：{missing}")
    if key == "sampleText":
        return Shown("text", values["content"])
    if key == "sampleMarkdown":
        return Shown("markdown", values["text"])
    if key == "sampleLink":
        return _link(values["title"], values["text"], values["messageUrl"])
    if key.startswith("sampleActionCard"):
        return _link_card(values["title"], values["text"], _numbered_links(values))
    return _media(key, values, files)


def from_webhook(body: dict[str, Any]) -> Shown:
    """Raises OldError with the code the real webhook answers."""
    kind = body.get("msgtype")
    content = body.get(kind) if isinstance(kind, str) else None
    if kind not in ("text", "markdown", "link", "actionCard", "feedCard"):
        raise OldError(400105, f"不支持的消息类型：{kind}")
    if not isinstance(content, dict):
        raise OldError(40035, f"缺少参数：{kind}")
    match kind:
        case "text":
            return Shown("text", _text(content, "content"))
        case "markdown":
            _text(content, "title")
            return Shown("markdown", _text(content, "text"))
        case "link":
            url = _text(content, "messageUrl")
            return _link(_text(content, "title"), _text(content, "text"), url)
        case "feedCard":
            links = content.get("links") or []
            lines = [f"[{link.get('title')}]({link.get('messageURL')})" for link in links]
            return Shown("markdown", "\n".join(lines))
    return _link_card(_text(content, "title"), _text(content, "text"), _webhook_links(content))


def _param(param: Any) -> dict[str, Any]:
    if not isinstance(param, str):
        raise invalid("invalidParameter.msgParam.invalid", "msgParam 须为 JSON 字符串")
    if len(param.encode()) > _MAX_PARAM_BYTES:
        raise invalid("invalidParameter.msgParam.tooLong")
    try:
        values = json.loads(param)
    except ValueError:
        raise invalid("invalidParameter.msgParam.invalid", "msgParam 不是 JSON") from None
    if not isinstance(values, dict):
        raise invalid("invalidParameter.msgParam.invalid", "msgParam 不是 JSON 对象")
    return values


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise OldError(40035, f"缺少参数：{name}")
    return value


def _link(title: str, text: str, url: str) -> Shown:
    return Shown("markdown", f"[{title}]({url})\n{text}")


def _link_card(title: str, text: str, links: list[tuple[str, str]]) -> Shown:
    """Buttons of these cards are links; the action of each is its address."""
    buttons = [{"action": url, "label": label} for label, url in links]
    return Shown("card", title, card={"title": title, "body": text, "buttons": buttons})


def _numbered_links(values: dict[str, Any]) -> list[tuple[str, str]]:
    if "singleURL" in values:
        return [(values["singleTitle"], values["singleURL"])]
    title, url = (
        ("buttonTitle", "buttonUrl")
        if "buttonUrl1" in values
        else (
            "actionTitle",
            "actionURL",
        )
    )
    numbers = [number for number in range(1, 6) if f"{url}{number}" in values]
    return [(values[f"{title}{number}"], values[f"{url}{number}"]) for number in numbers]


def _webhook_links(content: dict[str, Any]) -> list[tuple[str, str]]:
    if content.get("singleTitle"):  # then btns is ignored
        return [(_text(content, "singleTitle"), _text(content, "singleURL"))]
    return [(_text(btn, "title"), _text(btn, "actionURL")) for btn in content.get("btns") or []]


def _media(key: str, values: dict[str, Any], files: Files) -> Shown:
    reference = next(values[name] for name in _MEDIA_KEYS if name in values)
    kind = _MEDIA_KINDS.get(key, "file")
    if reference.startswith(("http://", "https://")) and key == "sampleImageMsg":
        name = reference.rpartition("/")[2].partition("?")[0]
        file = {"name": name, "size": 0, "url": reference, "media_type": "image/*"}
        return Shown(kind, "", file=file)
    shown = files.shown(reference)
    if shown is None:
        raise invalid("invalidParameter.msgParam.invalid", "mediaId 不存在")
    return Shown(kind, "", file=shown | {"name": values.get("fileName", shown["name"])})
