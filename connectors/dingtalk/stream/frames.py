"""The frames of a Stream connection: read, and answered (protocol notes 2.2 and 2.3). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum

from connectors.dingtalk.read import Body, obj, read_object, text

SYSTEM, CALLBACK, EVENT = "SYSTEM", "CALLBACK", "EVENT"

ROBOT = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
PING = "ping"
DISCONNECT = "disconnect"

# Which events come is ticked in the console; a topic that is not subscribed is lost in silence.
SUBSCRIPTIONS = (
    {"type": EVENT, "topic": "*"},
    {"type": CALLBACK, "topic": ROBOT},
    {"type": CALLBACK, "topic": CARDS},
)


class Code(IntEnum):
    """What became of a frame, in HTTP's numbers."""

    OK = 200
    NOT_OURS = 400
    UNKNOWN = 404
    FAILED = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """One push. message_id names the push, not what was said: a repeat may carry another.

    kind: SYSTEM, CALLBACK or EVENT. data: JSON, as text.
    """

    kind: str
    topic: str
    message_id: str
    headers: Body
    data: str


def read_frame(raw: str | bytes) -> Frame | None:
    """None when it is no frame."""
    body = read_object(raw)
    if body is None:
        return None
    headers, data = obj(body, "headers"), body.get("data")
    return Frame(
        kind=text(body, "type"),
        topic=text(headers, "topic"),
        message_id=text(headers, "messageId"),
        headers=headers,
        data=data if isinstance(data, str) else json.dumps(data) if data else "",
    )


def answer(frame: Frame, data: Body, code: Code = Code.OK) -> str:
    """What the platform is told of a frame. `data` says more, by the kind of the frame."""
    return _answer(frame, json.dumps(data), code)


def echo(frame: Frame) -> str:
    """A ping wants back what it brought."""
    return _answer(frame, frame.data or "{}", Code.OK)


def _answer(frame: Frame, data: str, code: Code) -> str:
    headers = {"contentType": "application/json", "messageId": frame.message_id}
    said = {"code": int(code), "message": code.name, "headers": headers, "data": data}
    return json.dumps(said)
