"""The frames of a robot's long connection: written and read. Pure.

Source: developer.work.weixin.qq.com/document/path/101463. An acknowledgement has no cmd and
names the frame that it answers by its req_id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.wecom.aibot_read import Body, part, read_object, text_in

SUBSCRIBE = "aibot_subscribe"
PING = "ping"
MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"
RESPOND = "aibot_respond_msg"
WELCOME = "aibot_respond_welcome_msg"
UPDATE = "aibot_respond_update_msg"
SEND = "aibot_send_msg"
UPLOAD_INIT = "aibot_upload_media_init"
UPLOAD_CHUNK = "aibot_upload_media_chunk"
UPLOAD_FINISH = "aibot_upload_media_finish"

BAD_REQ_ID = 846605
STREAM_EXPIRED = 846608
NOT_SUBSCRIBED = 846609
NO_REPLY_IN_GROUP = 600039

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a robot's long connection. cmd: "" for an acknowledgement, which alone has
    errcode and errmsg."""

    cmd: str
    req_id: str
    body: Body
    errcode: int = 0
    errmsg: str = ""

    @property
    def is_eviction(self) -> bool:
        """Another connection has taken over."""
        return text_in(part(self.body, "event"), "eventtype") == "disconnected_event"


def write_frame(cmd: str, req_id: str, body: Mapping[str, Any] | None = None) -> str:
    """A frame without a body has none, not an empty one."""
    frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
    return orjson.dumps(frame if body is None else {**frame, "body": body}).decode()


def read_frame(raw: str | bytes) -> Frame | None:
    """None when it is no frame. The platform writes raw control characters into texts."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    whole = read_object(_CONTROLS.sub("", text))
    if whole is None:
        return None
    errcode = whole.get("errcode")
    return Frame(
        cmd=text_in(whole, "cmd"),
        req_id=text_in(whole, "headers", "req_id"),
        body=part(whole, "body"),
        errcode=errcode if isinstance(errcode, int) else 0,
        errmsg=text_in(whole, "errmsg"),
    )
