"""Envelope -> InboundMessage. Pure (protocol notes 1.2 to 1.5 and 4.6; events in events.py)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

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
from connectors.dingtalk.card_data import FORM_ACTION, FORM_REVISION
from connectors.dingtalk.events import parse_event
from connectors.dingtalk.read import Body, moment, number, obj, read_object, rows, text

OVER_QUOTA = "20001"
DOUBLE_CLICK_S = 5
OUTSIDER = "sender without senderStaffId: no employee, or the app has no published version"


def parse_envelope(envelope: Envelope) -> InboundMessage:
    """Raises InvalidInput when it cannot be read."""
    body = read_object(envelope.body)
    if body is None:
        raise InvalidInput("not a JSON object")
    match envelope.door:
        case "robot":
            return _robot_message(envelope, body)
        case "cards":
            return _card_press(envelope, body)
        case "events":
            return parse_event(envelope, body)
    raise InvalidInput(f"unknown door {envelope.door!r}")


def robot_origin(app: str, body: Body) -> Address | None:
    """The chat a robot message was said in; None when it does not tell.

    Somebody who is no employee has only `senderId`, good for telling strangers apart and
    for no API: they can be answered through the session of their message alone.
    """
    if text(body, "conversationType") == "2":
        chat_id = text(body, "conversationId")
        return Address(Platform.DINGTALK, app, chat_id=chat_id) if chat_id else None
    user_id = text(body, "senderStaffId") or text(body, "senderId")
    return Address(Platform.DINGTALK, app, user_id=user_id) if user_id else None


def is_outsider(address: Address) -> bool:
    """Whether only `senderId` is known of this person."""
    return (address.user_id or "").startswith("$:")


def card_origin(app: str, body: Body) -> Address | None:
    """The chat a pressed card lives in, so that a press keeps its place among the messages.

    A group's space id is its conversation id. Anything else, and any doubt, is the
    person's own chat: an answer there reaches whoever pressed.
    """
    space = text(body, "spaceId")
    if space.startswith("cid") and text(body, "spaceType").upper() != "IM_ROBOT":
        return Address(Platform.DINGTALK, app, chat_id=space)
    user_id = text(body, "userId")
    return Address(Platform.DINGTALK, app, user_id=user_id) if user_id else None


def press_id(body: Body, sent_at: datetime) -> str:
    """One id for one press: DingTalk sends none, and a double click looks like a repeat.

    The same button with the same values on the same revision within a few seconds is one
    press. Later it is a new one: the first may have been refused, and wants an answer again.
    """
    action = _read_action(body)
    if action is None:
        return ""
    facts = [
        action.card_id,
        action.action,
        text(body, "userId"),
        action.revision,
        sorted(action.values.items()),
        int(sent_at.timestamp()) // DOUBLE_CLICK_S,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _robot_message(envelope: Envelope, body: Body) -> InboundMessage:
    origin, message_id = robot_origin(envelope.app, body), text(body, "msgId")
    if origin is None or not message_id:
        raise InvalidInput("a robot message without msgId or conversation")
    read = _read_content(body)
    replied = obj(obj(body, "text"), "repliedMsg")
    sender_id = text(body, "senderStaffId")
    return InboundMessage(
        platform=Platform.DINGTALK,
        app=envelope.app,
        message_id=message_id,
        origin=origin,
        sender_id=sender_id,
        sent_at=moment(body, "createAt") or envelope.sent_at,
        kind=read.kind if sender_id else Kind.UNSUPPORTED,
        text=read.text.strip(),  # a group leaves the space that stood behind the robot's name
        sender_name=text(body, "senderNick"),
        attachments=read.attachments,
        in_group=origin.chat_id is not None,
        chat_title=text(body, "conversationTitle") if origin.chat_id is not None else "",
        quoted_text=_quoted(replied),
        quoted_at=moment(replied, "createdAt"),
        detail=read.detail if sender_id else OUTSIDER,
    )


@dataclass(frozen=True, slots=True)
class _Content:
    """What a message says, whatever its type."""

    kind: Kind
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    detail: str = ""


def _read_content(body: Body) -> _Content:
    """Over the quota, messages arrive without what was said (notes 0.2)."""
    content, words = obj(body, "content"), obj(body, "text")
    failed = text(body, "errorCode")
    if failed == OVER_QUOTA or (failed and not content and not words):
        return _Content(Kind.OVER_QUOTA, detail=text(body, "errorMessage"))
    match text(body, "msgtype"):
        case "text":
            return _Content(Kind.TEXT, text(words, "content") or text(body, "content"))
        case "richText":
            return _rich_text(content)
        case "picture":
            return _Content(Kind.IMAGE, attachments=(_picture(content),))
        case "audio":
            return _Content(Kind.VOICE, attachments=(_recording("voice", content),))
        case "video":
            return _Content(Kind.VIDEO, attachments=(_recording("video", content),))
        case "file":
            return _Content(Kind.FILE, attachments=(_file(content),))
        case "unknownMsgType":
            return _Content(Kind.UNSUPPORTED, detail=text(content, "unknownMsgType"))
    return _Content(Kind.UNSUPPORTED, detail=text(body, "msgtype") or "no msgtype")


def _rich_text(content: Body) -> _Content:
    """Text and pictures in one message; a mention at the very beginning is how it got here."""
    words: list[str] = []
    pictures: list[Attachment] = []
    for item in rows(content, "richText"):
        if not isinstance(item, dict):
            continue
        kind = text(item, "type")
        if kind == "picture":
            pictures.append(_picture(item))
        elif kind == "at":
            words += [f"@{text(item, 'atName')} "] if "".join(words).strip() else []
        else:
            words.append(text(item, "text"))
    said = "".join(words)
    if not pictures:
        return _Content(Kind.TEXT, said)
    return _Content(Kind.MIXED if said.strip() else Kind.IMAGE, said, tuple(pictures))


def _picture(item: Body) -> Attachment:
    return Attachment("image", text(item, "downloadCode") or text(item, "pictureDownloadCode"))


def _file(content: Body) -> Attachment:
    return Attachment("file", text(content, "downloadCode"), name=text(content, "fileName"))


def _recording(kind: str, content: Body) -> Attachment:
    suffix = text(content, "videoType")
    return Attachment(
        kind,
        text(content, "downloadCode"),
        name=f"{kind}.{suffix}" if suffix else "",
        duration_s=_duration_s(kind, number(content, "duration")),
        transcript=text(content, "recognition").strip(),
    )


def _duration_s(kind: str, told: int | None) -> float | None:
    """Milliseconds by the documentation; videos were seen with seconds (notes 1.3)."""
    if told is None:
        return None
    return float(told) if kind == "video" and told < 1000 else told / 1000


def _quoted(replied: Body) -> str:
    """The text of the message this one replies to."""
    content = obj(replied, "content")
    parts = [text(part, "text") for part in rows(content, "richText") if isinstance(part, dict)]
    return (text(content, "text") or "".join(parts)).strip()


def _card_press(envelope: Envelope, body: Body) -> InboundMessage:
    origin, action = card_origin(envelope.app, body), _read_action(body)
    if origin is None or action is None or not text(body, "userId"):
        raise InvalidInput("a card callback without outTrackId, userId or action")
    return InboundMessage(
        platform=Platform.DINGTALK,
        app=envelope.app,
        message_id=envelope.delivery_id,
        origin=origin,
        sender_id=text(body, "userId"),
        sent_at=envelope.sent_at,
        kind=Kind.CARD_ACTION,
        action=action,
        in_group=origin.chat_id is not None,
    )


def _read_action(body: Body) -> CardAction | None:
    """Pages differ: `content` or `value`, with `params` inside cardPrivateData or beside it.

    The console's form component sends all it holds under `form`, and says nothing of the
    button: our hidden fields do.
    """
    content = obj(body, "content") or obj(body, "value")
    private = obj(content, "cardPrivateData")
    ids = [each for each in rows(private, "actionIds") if isinstance(each, str)]
    card_id = text(body, "outTrackId")
    if not ids or not card_id:
        return None
    params = obj(private, "params") or obj(content, "params") or obj(body, "params")
    params = obj(params, "form") or params
    hidden = (FORM_ACTION, FORM_REVISION)
    return CardAction(
        card_id=card_id,
        revision=number(params, FORM_REVISION) or 0,
        action=text(params, FORM_ACTION) or ids[0],
        values={key: _value(params, key) for key in params if key not in hidden},
    )


def _value(params: Body, key: str) -> str:
    """A form value: text, the value of a select, or JSON for a list or an object."""
    value = params[key]
    if isinstance(value, dict) and "value" in value:
        return _value(value, "value")
    if isinstance(value, str | int) and not isinstance(value, bool):
        return text(params, key)
    return "" if value is None else json.dumps(value, ensure_ascii=False)
