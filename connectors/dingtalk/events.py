"""Event pushes: one shape for all their generations, then what they mean for us.

Key casing differs between generations of the same event (notes 5.4), so keys of the first
level are read in lower case. Events are hints: what they name is read again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone

from bot.domain.external import ContactHint
from bot.messages import Address, DirectoryChange, Envelope, InboundMessage, Kind, Platform
from connectors.dingtalk.read import Body, moment, rows, text

URL_CHECKS = frozenset({"check_url", "check_create_suite_url", "check_update_suite_url"})

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

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
    contacts = _group_change(event)
    name = event_type(event)
    approvals = _approval_change(event)
    recorded = _attendance(event)
    if change is not None:
        kind = Kind.DIRECTORY_CHANGE
    elif contacts is not None:
        kind = Kind.CONTACT_CHANGE
    elif approvals:
        kind = Kind.APPROVAL_CHANGE
    elif recorded:
        kind = Kind.ATTENDANCE_NEWS
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
        contacts=contacts,
        hints=approvals or recorded,
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


def _group_change(event: Body) -> ContactHint | None:
    """Who came into a group and who left it is not told by any call for all groups, and nothing
    of ours rests on it."""
    name, chat_id = event_type(event), text(event, "openconversationid")
    if not chat_id:
        return None
    if name == "chat_disband":
        return ContactHint(gone_chats=(chat_id,))
    if name == "chat_update_title":
        return ContactHint(renamed=((chat_id, text(event, "title")),))
    return None


def _approval_change(event: Body) -> tuple[str, ...]:
    """What it is now tells the instance itself, but not of which process it is."""
    if event_type(event) not in ("bpms_instance_change", "bpms_task_change"):
        return ()
    number = text(event, "processinstanceid")
    return (f"{number}|{text(event, 'processcode')}",) if number else ()


def _attendance(event: Body) -> tuple[str, ...]:
    """Whose records of which day are to be read again."""
    name = event_type(event)
    if name == "attendance_check_record":
        told = [one for one in rows(event, "datalist") if isinstance(one, dict)]
        found = [(text(one, "userId"), moment(one, "checkTime")) for one in told]
        return tuple(
            dict.fromkeys(
                f"{user}|{at.astimezone(CHINA).date()}" for user, at in found if user and at
            )
        )
    if name == "check_in":  # 签到; the event tells no more than who
        user, at = text(event, "staffid"), moment(event, "timestamp")
        return (f"{user}|{at.astimezone(CHINA).date()}",) if user and at else ()
    if name in ("attend_bossCheck_change", "attend_user_daily_summary_refresh"):
        user, day = text(event, "userid"), text(event, "workdate")[:10]
        return (f"{user}|{day}",) if user and len(day) == 10 else ()
    return ()


def _ids(event: Body, name: str) -> tuple[str, ...]:
    """A list, or a single value in the older generation."""
    value = event.get(name)
    listed = value if isinstance(value, list) else [value]
    return tuple(found for each in listed if (found := text({"id": each}, "id")))
