"""Event pushes: one shape for all their generations, then what they mean for us.

Key casing differs between generations of the same event (notes 5.4), so keys of the first
level are read in lower case. Events are hints: what they name is read again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.messages import Address, DirectoryChange, Envelope, InboundMessage, Kind, Platform
from connectors.dingtalk.read import Body, moment, text

URL_CHECKS = frozenset({"check_url", "check_create_suite_url", "check_update_suite_url"})

_PEOPLE = frozenset({"user_add_org", "user_modify_org", "user_active_org"})
_DEPARTMENTS = frozenset({"org_dept_create", "org_dept_modify", "org_dept_remove"})
_EVERYTHING = frozenset({"org_change", "label_conf_add", "label_conf_del", "label_conf_modify"})

# Known, and nothing for us to do.
_IGNORED = ("chat_", "robot_", "bpms_", "attend", "org_admin_", "check_")


def normalise(body: Body) -> Body:
    return {key.lower(): value for key, value in body.items()}


def event_type(event: Body) -> str:
    """Of a normalised event."""
    return text(event, "eventtype")


def event_id(event: Body) -> str:
    """Of a normalised event: its own id, or a digest of all it says for the old generation.

    The time stays in the digest: two changes of one person on one day are two events.
    """
    own = text(event, "eventid")
    if own:
        return own
    facts = json.dumps(event, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def event_at(event: Body, fallback: datetime) -> datetime:
    return moment(event, "eventtime") or moment(event, "timestamp") or fallback


def failed_envelope(app: str, entry: Body, now: datetime) -> Envelope:
    """An entry of the list of undelivered events, as the door would have stored the event."""
    name = text(entry, "call_back_tag")
    facts = next((value for value in entry.values() if isinstance(value, dict)), {})
    body: Body = {**facts, "EventType": name, "EventTime": entry.get("event_time")}
    event = normalise(body)
    channel = f"{Platform.DINGTALK}:{app}:events"
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Envelope(channel, event_id(event), channel, event_at(event, now), now, raw)


def parse_event(envelope: Envelope, body: Body) -> InboundMessage:
    """The platform itself speaks: no sender, and nowhere to answer."""
    event = normalise(body)
    change = _change(event)
    name = event_type(event)
    if change is not None:
        kind = Kind.DIRECTORY_CHANGE
    else:
        kind = Kind.IGNORED if name.startswith(_IGNORED) else Kind.UNSUPPORTED
    return InboundMessage(
        platform=Platform.DINGTALK,
        app=envelope.app,
        message_id=envelope.delivery_id,
        origin=Address(Platform.DINGTALK, envelope.app, user_id=""),
        sender_id="",
        sent_at=envelope.sent_at,
        kind=kind,
        change=change,
        detail=name or "no EventType",
    )


def _change(event: Body) -> DirectoryChange | None:
    name = event_type(event)
    if name in _PEOPLE:
        return DirectoryChange(user_ids=_ids(event, "userid"))
    if name == "user_leave_org":
        return DirectoryChange(left_user_ids=_ids(event, "userid"))
    if name == "label_user_change":  # roles are what our own roles are derived from
        return DirectoryChange(user_ids=_ids(event, "useridlist"))
    if name in _DEPARTMENTS:
        return DirectoryChange(department_ids=_ids(event, "deptid"))
    return DirectoryChange(everything=True) if name in _EVERYTHING else None


def _ids(event: Body, name: str) -> tuple[str, ...]:
    """A list, or a single value in the older generation."""
    value = event.get(name)
    listed = value if isinstance(value, list) else [value]
    return tuple(found for each in listed if (found := text({"id": each}, "id")))
