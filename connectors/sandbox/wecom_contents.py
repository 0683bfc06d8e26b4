"""The msgtypes of message/send, appchat/send and passive replies, and how each is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .wecom_cards import check_card
from .wecom_cardview import show_card
from .wecom_errors import WecomError
from .wecom_state import WecomState

TEXT_BYTES = 2048
_TAG = re.compile(r"<[^>]+>")


@dataclass(slots=True)
class Shown:
    """A message without its receiver; the same words as `Said`."""

    kind: str
    text: str = ""
    card: dict[str, Any] | None = None
    file: dict[str, Any] | None = None
    wire: dict[str, Any] = field(default_factory=dict)


def read_content(state: WecomState, body: Mapping[str, Any], *, robot: str = "") -> Shown:
    """The message in a body {msgtype, <msgtype>: {...}}. Raises WecomError.

    robot: the webhook key when a group robot sends; it sees only its own media.
    """
    kind = body.get("msgtype")
    readers = {
        "text": _text,
        "markdown": _markdown,
        "textcard": _textcard,
        "news": _news,
        "template_card": _template_card,
    }
    content = body.get(kind) if isinstance(kind, str) else None
    if kind in readers:
        if not isinstance(content, dict):
            raise WecomError(40063, kind)
        return readers[kind](content)
    if kind in ("image", "voice", "video", "file"):
        return _media(state, kind, content, robot)
    raise WecomError(40008)


def cut_bytes(text: str, most: int = TEXT_BYTES) -> str:
    """What the platform lets through of a text; the rest is lost without a word."""
    return text.encode()[:most].decode(errors="ignore")


def _text(content: Mapping[str, Any]) -> Shown:
    return Shown("text", cut_bytes(_string(content, "content", 44004)))


def _markdown(content: Mapping[str, Any]) -> Shown:
    text = _string(content, "content", 44004)
    if len(text.encode()) > TEXT_BYTES:
        raise WecomError(45002)
    return Shown("markdown", text)


def _media(state: WecomState, kind: str, content: Any, robot: str) -> Shown:
    if not isinstance(content, dict):
        raise WecomError(40063, kind)
    media = state.find_media(content.get("media_id"), robot=robot)
    if media.kind != kind:
        raise WecomError(40007, f"uploaded as {media.kind}")
    file = state.shown_file(media)
    return Shown("file" if kind == "video" else kind, content.get("title", ""), file=file)


def _textcard(content: Mapping[str, Any]) -> Shown:
    title = cut_bytes(_string(content, "title", 40063), 128)
    body = cut_bytes(_TAG.sub("", _string(content, "description", 40063)), 512)
    label = content.get("btntxt") or "详情"
    return Shown("card", title, card=_page(title, body, [(label, _string(content, "url", 40063))]))


def _news(content: Mapping[str, Any]) -> Shown:
    articles = content.get("articles")
    if not isinstance(articles, list) or not 1 <= len(articles) <= 8:
        raise WecomError(40058, "articles must be a list of 1 to 8")
    if not all(isinstance(article, dict) for article in articles):
        raise WecomError(40058, "articles must hold objects")
    titles = [cut_bytes(_string(article, "title", 40063), 128) for article in articles]
    body = cut_bytes(articles[0].get("description", ""), 512)
    links = [
        (title, article["url"])
        for title, article in zip(titles, articles, strict=True)
        if article.get("url")
    ]
    return Shown("card", titles[0], card=_page(titles[0], body, links))


def _template_card(content: Mapping[str, Any]) -> Shown:
    check_card(content)
    shown = show_card(content)
    wire = {"template_card": dict(content), "task_id": content.get("task_id", "")}
    return Shown("card", shown["title"], card=shown, wire=wire)


def _page(title: str, body: str, links: list[tuple[str, str]]) -> dict[str, Any]:
    """A card that only opens pages."""
    buttons = [
        {"action": "", "label": label, "style": "default", "url": url} for label, url in links
    ]
    return {"title": title, "body": body, "facts": [], "buttons": buttons}


def _string(item: Mapping[str, Any], name: str, code: int) -> str:
    """Raises WecomError with `code` when it is missing or empty, 40058 when not a string."""
    value = item.get(name, "")
    if not isinstance(value, str):
        raise WecomError(40058, f"{name} must be a string")
    if not value:
        raise WecomError(code, name)
    return value
