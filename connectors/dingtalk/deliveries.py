"""What DingTalk delivered -> Envelope, whichever way it came: by HTTP or over Stream.

The same message has the same delivery id on both ways, so that it acts once where an
application is being switched from one to the other.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cache
from typing import NamedTuple

from prometheus_client import Counter

from bot.messages import Address, Envelope, Platform
from connectors.dingtalk.events import event_at, event_id, normalise
from connectors.dingtalk.parse import card_origin, press_id, robot_origin
from connectors.dingtalk.read import Body, moment, read_object, text
from connectors.dingtalk.settings import DingtalkApp

_DELIVERIES = Counter(
    "gendan_dingtalk_callbacks_total",
    "Deliveries from DingTalk by door and by what became of them.",
    ["app", "door", "outcome"],
)

# Looking a counter up by its labels costs more than a row of the inbox.
_counter = cache(_DELIVERIES.labels)


def count(app: str, door: str, outcome: str) -> None:
    """outcome: accepted, unreadable, refused, not_stored, or why it was not even read."""
    _counter(app, door, outcome).inc()


class NotOurs(Exception):
    """The body names another robot or company; the message is the field that does."""


class _Head(NamedTuple):
    """What an envelope needs to know of a body."""

    delivery_id: str
    origin: Address | None
    sent_at: datetime


def robot_message(app: DingtalkApp, raw: bytes, now: datetime) -> Envelope:
    """A body of protocol notes 1.2. Raises NotOurs."""
    body = read_object(raw)
    if body is None:
        return unreadable(app, "robot", raw, "not a JSON object", now)
    for name, ours in (("robotCode", app.robot_code), ("chatbotCorpId", app.corp_id)):
        _check_ours(body, name, ours)
    origin = robot_origin(app.name, body)
    delivery_id = text(body, "msgId") if origin else ""
    head = _Head(delivery_id, origin, moment(body, "createAt") or now)
    return _envelope(app, "robot", raw, head, now)


def card_press(app: DingtalkApp, raw: bytes, sent_at: datetime, now: datetime) -> Envelope:
    """A body of protocol notes 4.6. sent_at: by the platform, whose body has no time.
    Raises NotOurs."""
    body = read_object(raw)
    if body is None:
        return unreadable(app, "cards", raw, "not a JSON object", now)
    _check_ours(body, "corpId", app.corp_id)
    origin = card_origin(app.name, body)
    head = _Head(press_id(body, sent_at) if origin else "", origin, sent_at)
    return _envelope(app, "cards", raw, head, now)


def event(app: DingtalkApp, raw: bytes, now: datetime) -> Envelope:
    """An event as it comes by HTTP, decrypted: its body with its envelope's keys in it
    (protocol notes 5.4). Raises NotOurs."""
    body = read_object(raw)
    if body is None:
        return unreadable(app, "events", raw, "not a JSON object", now)
    facts = normalise(body)
    _check_ours(facts, "corpid", app.corp_id)
    head = _Head(event_id(facts), None, event_at(facts, now))
    return _envelope(app, "events", raw, head, now)


def pushed_event(app: DingtalkApp, headers: Body, data: str, now: datetime) -> Envelope:
    """An event as it comes over Stream, where the envelope's keys are headers: stored as if
    it had come by HTTP, so that whoever reads it need not know. Raises NotOurs."""
    body = read_object(data or "{}")
    if body is None:
        raw = data.encode("utf-8", "replace")
        return unreadable(app, "events", raw, "not a JSON object", now)
    told = {
        "EventType": headers.get("eventType"),
        "EventTime": headers.get("eventBornTime"),
        "CorpId": headers.get("eventCorpId"),
        "eventId": headers.get("eventId"),
    }
    whole = body | {key: value for key, value in told.items() if value is not None}
    return event(app, json.dumps(whole).encode(), now)


def unreadable(app: DingtalkApp, door: str, raw: bytes, why: str, now: datetime) -> Envelope:
    """A dead letter from birth."""
    channel = _channel(app, door)
    digest = hashlib.sha256(raw).hexdigest()
    return Envelope(channel, digest, channel, now, now, raw, unreadable=why)


def _envelope(app: DingtalkApp, door: str, raw: bytes, head: _Head, now: datetime) -> Envelope:
    """With its place in order; a dead letter when there is nothing to know it by."""
    if not head.delivery_id:
        return unreadable(app, door, raw, "nothing to tell it by", now)
    channel = _channel(app, door)
    conversation = head.origin.key if head.origin else channel
    return Envelope(channel, head.delivery_id, conversation, head.sent_at, now, raw)


def _channel(app: DingtalkApp, door: str) -> str:
    return _channel_of(app.name, door)


@cache
def _channel_of(app: str, door: str) -> str:
    return f"{Platform.DINGTALK}:{app}:{door}"


def _check_ours(body: Body, name: str, ours: str) -> None:
    if text(body, name) not in ("", ours):
        raise NotOurs(name)
