"""What an intelligent robot is told, as plain JSON -> Envelope and InboundMessage.

Sources: developer.work.weixin.qq.com/document/path/100719 (messages), 101027 (events). The
body is the same over HTTP (after decryption) and over the long connection.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bot.errors import InvalidInput
from bot.messages import (
    Address,
    Attachment,
    CardAction,
    Envelope,
    InboundMessage,
    Kind,
    Platform,
)
from connectors.wecom.aibot_cards import UNCHOSEN, read_key, read_task_id
from connectors.wecom.settings import Aibot

Body = Mapping[str, Any]

_LONGEST_ID = 128
_LONGEST_USERID = 64
_SANE_SENT_AT = timedelta(days=1)

# The name ends at the space that the client puts after it (a narrow one on some systems).
_MENTION = re.compile(r"@\S+[\s\u2005\u00a0]+")
_BARE_MENTION = re.compile(r"@\S+")
_SPACES = " \t\n\u2005\u00a0"

# Understood, and nothing to do: marks under an answer, the robot's own settings.
_IGNORED_EVENTS = {
    "feedback_event",
    "auth_change_event",
    "enter_check_update",
    "disconnected_event",
}

_Read = dict[str, Any]
"""The fields of an InboundMessage that depend on its type."""


def read_object(raw: str | bytes) -> Body | None:
    """None when it is no JSON object."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def part(body: Body, name: str) -> Body:
    """An object inside; empty where it is missing or something else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def text_in(body: Body, *path: str) -> str:
    """A text inside; "" where it is missing or something else."""
    *outer, last = path
    for name in outer:
        body = part(body, name)
    value = body.get(last)
    return value if isinstance(value, str) else ""


def to_envelope(robot: Aibot, raw: bytes, received_at: datetime) -> Envelope:
    """The platform's body as it is kept; a dead letter from birth when it cannot be read."""
    body = read_object(raw)
    if body is None:
        return dead_letter(robot, raw, received_at, "not a JSON object")
    origin = _origin(robot.name, body)
    if origin is None or not text_in(body, "msgtype"):
        return dead_letter(robot, raw, received_at, "no msgtype, sender or chat")
    msgid = text_in(body, "msgid")
    told = 0 < len(msgid) <= _LONGEST_ID
    return Envelope(
        channel=robot.channel,
        delivery_id=msgid if told else hashlib.sha256(raw).hexdigest(),
        conversation=origin.key,
        sent_at=_sent_at(body.get("create_time"), received_at),
        received_at=received_at,
        body=raw,
    )


def dead_letter(robot: Aibot, raw: bytes, received_at: datetime, reason: str) -> Envelope:
    return Envelope(
        channel=robot.channel,
        delivery_id=hashlib.sha256(raw).hexdigest(),
        conversation=robot.channel,
        sent_at=received_at,
        received_at=received_at,
        body=raw,
        unreadable=reason,
    )


def parse(robot: Aibot, envelope: Envelope) -> InboundMessage:
    """Raises InvalidInput when the body is not what its type promises."""
    body = read_object(envelope.body)
    origin = _origin(robot.name, body) if body is not None else None
    if body is None or origin is None:
        raise InvalidInput("no sender or chat")
    in_group = origin.chat_id is not None
    read = _read(body)
    if in_group and "text" in read:
        read["text"] = without_mention(read["text"], robot.robot_name)
    return InboundMessage(
        platform=Platform.WECOM,
        app=robot.name,
        message_id=envelope.delivery_id,
        origin=origin,
        sender_id=_sender(body),
        sent_at=envelope.sent_at,
        in_group=in_group,
        quoted_text=_quoted(part(body, "quote")),
        **_with_fresh_handles(read, envelope.received_at),
    )


def parse_or_none(robot: Aibot, envelope: Envelope) -> InboundMessage | None:
    """None when it cannot be read."""
    try:
        return parse(robot, envelope)
    except InvalidInput:
        return None


def source_of(envelope: Envelope) -> str:
    """What the dedupe keys of all answers to it begin with."""
    return f"{envelope.channel}:{envelope.delivery_id}"


def response_url(raw: bytes) -> str:
    """Where the message may be answered once; "" where the platform named none."""
    return text_in(read_object(raw) or {}, "response_url")


def without_mention(text: str, robot_name: str) -> str:
    """The words without the "@名称 " they begin with; other names in them stay. robot_name:
    where it is known, a name with spaces in it is cut off whole."""
    stripped = text.lstrip(_SPACES)
    if robot_name and stripped.startswith(f"@{robot_name}"):
        return stripped.removeprefix(f"@{robot_name}").lstrip(_SPACES)
    if mention := _MENTION.match(stripped):
        return stripped[mention.end() :]
    return "" if _BARE_MENTION.fullmatch(stripped) else stripped


def _sender(body: Body) -> str:
    """Compared without case by the platform, which is free to change the case it sends."""
    return text_in(body, "from", "userid").lower()


def _origin(app: str, body: Body) -> Address | None:
    user_id = _sender(body)
    if not 0 < len(user_id) <= _LONGEST_USERID:
        return None
    if text_in(body, "chattype") != "group":
        return Address(Platform.WECOM, app, user_id=user_id)
    chat_id = text_in(body, "chatid")
    return Address(Platform.WECOM, app, chat_id=chat_id) if chat_id else None


def _sent_at(told: Any, received_at: datetime) -> datetime:
    """Messages tell no time, events do; believed where it is believable."""
    if isinstance(told, bool) or not isinstance(told, int) or not 0 < told < 10**10:
        return received_at
    sent_at = datetime.fromtimestamp(told, UTC)
    return sent_at if abs(sent_at - received_at) <= _SANE_SENT_AT else received_at


def _read(body: Body) -> _Read:
    kind = text_in(body, "msgtype")
    if kind == "event":
        return _event(part(body, "event"))
    reader = _MESSAGES.get(kind)
    return reader(part(body, kind)) if reader else {"kind": Kind.UNSUPPORTED, "detail": kind[:64]}


def _text(content: Body) -> _Read:
    return {"kind": Kind.TEXT, "text": _needed(content, "content")}


def _voice(content: Body) -> _Read:
    """A transcript and no recording."""
    return {"kind": Kind.VOICE, "text": text_in(content, "content")}


def _mixed(content: Body) -> _Read:
    words: list[str] = []
    attachments: list[Attachment] = []
    for item in _items(content):
        kind = text_in(item, "msgtype")
        if kind == "text":
            words.append(text_in(item, "text", "content"))
        elif kind in _ATTACHED:
            attachments.append(_attachment(kind, part(item, kind)))
    if not words and not attachments:
        raise InvalidInput("mixed: nothing in it")
    return {"kind": Kind.MIXED, "text": "\n".join(words), "attachments": tuple(attachments)}


def _items(content: Body) -> list[Body]:
    items = content.get("msg_item")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _attached(kind: str) -> Callable[[Body], _Read]:
    def read(content: Body) -> _Read:
        return {"kind": _ATTACHED[kind], "attachments": (_attachment(kind, content),)}

    return read


def _attachment(kind: str, content: Body) -> Attachment:
    url, key = _needed(content, "url"), text_in(content, "aeskey")
    return Attachment(kind, json.dumps({"url": url, **({"aeskey": key} if key else {})}))


def _with_fresh_handles(read: _Read, received_at: datetime) -> _Read:
    """An address of the platform is good for minutes, so its handle says since when."""
    if "attachments" not in read:
        return read
    since = received_at.isoformat()
    fresh = [
        Attachment(one.kind, json.dumps({**json.loads(one.handle), "since": since}))
        for one in read["attachments"]
    ]
    return {**read, "attachments": tuple(fresh)}


def _event(event: Body) -> _Read:
    name = text_in(event, "eventtype")
    if name == "enter_chat":
        return {"kind": Kind.ENTER}
    if name == "template_card_event":
        # The vendor's types have the fields one level higher than the wire has them.
        return _press(part(event, name) or event)
    if name in _IGNORED_EVENTS:
        return {"kind": Kind.IGNORED, "detail": name}
    return {"kind": Kind.UNSUPPORTED, "detail": name[:64]}


def _press(pressed: Body) -> _Read:
    """A press on a card. One that we did not send is not ours to judge."""
    task_id, key = text_in(pressed, "task_id"), text_in(pressed, "event_key")
    card_id, known = read_task_id(task_id), read_key(key)
    if card_id is None or known is None:
        return {"kind": Kind.UNSUPPORTED, "detail": f"card {task_id[:64]}"}
    revision, action = known
    return {
        "kind": Kind.CARD_ACTION,
        "action": CardAction(card_id, revision, action, values=_selected(pressed)),
    }


def _selected(pressed: Body) -> dict[str, str]:
    """Question key -> option id; several chosen ones as "a|b". Untouched ones are left out."""
    chosen = {}
    for item in _listed(part(pressed, "selected_items").get("selected_item")):
        ids = part(item, "option_ids").get("option_id")
        options = [ids] if isinstance(ids, str) else ids if isinstance(ids, list) else []
        kept = [one for one in options if isinstance(one, str) and one != UNCHOSEN]
        if kept:
            chosen[text_in(item, "question_key")] = "|".join(kept)
    return chosen


def _listed(value: Any) -> list[Body]:
    """One alone may come without its list."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _quoted(quote: Body) -> str:
    """What can be read of the message that is replied to."""
    kind = text_in(quote, "msgtype")
    if kind == "mixed":
        words = [text_in(item, "text", "content") for item in _items(part(quote, kind))]
        return "\n".join(word for word in words if word)
    return text_in(quote, kind, "content") if kind else ""


def _needed(content: Body, name: str) -> str:
    value = text_in(content, name)
    if not value:
        raise InvalidInput(f"no {name}")
    return value


_ATTACHED = {"image": Kind.IMAGE, "file": Kind.FILE, "video": Kind.VIDEO}

_MESSAGES: dict[str, Callable[[Body], _Read]] = {
    "text": _text,
    "voice": _voice,
    "mixed": _mixed,
    **{kind: _attached(kind) for kind in _ATTACHED},
}
