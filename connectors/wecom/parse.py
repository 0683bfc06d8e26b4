"""A stored callback to an InboundMessage.

Sources: developer.work.weixin.qq.com/document/path/90239 (messages), 90240 (events), 90970
(directory), 92130 (customers). Our own mapping: wechatpy.enterprise knows neither card events
nor directory changes nor files, and answers malformed input with six kinds of exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.external import ContactHint
from bot.errors import InvalidInput
from bot.messages import (
    Address,
    Attachment,
    CardAction,
    DirectoryChange,
    Envelope,
    InboundMessage,
    Kind,
    Platform,
)
from connectors.wecom.leaves import Leaves, fields_of, read_leaves
from connectors.wecom.render import UNCHOSEN

_TASK_ID = re.compile(r"([0-9A-Za-z_-]{1,64})@([1-9][0-9]{0,8})")

_PLAIN_EVENTS = {
    "subscribe": Kind.SUBSCRIBE,
    "unsubscribe": Kind.UNSUBSCRIBE,
    "enter_agent": Kind.ENTER,
    "click": Kind.MENU,
    "msgaudit_notify": Kind.ARCHIVE_NEWS,
}

# Understood, and nothing to do: a page was opened, a position reported, a job of our own
# has ended, or the pictures follow as messages of their own.
_IGNORED_EVENTS = {
    "view",
    "view_miniprogram",
    "location",
    "batch_job_result",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
}


@dataclass(frozen=True, slots=True)
class _Callback:
    fields: Mapping[str, str]
    leaves: Leaves

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise InvalidInput(f"{self.get('MsgType')}: no {name}")
        return value


_Read = dict[str, Any]
"""The fields of an InboundMessage that depend on its type."""


def parse(envelope: Envelope) -> InboundMessage:
    """Raises InvalidInput when the body is not what its type promises."""
    leaves = read_leaves(envelope.body)
    callback = _Callback(fields_of(leaves), leaves)
    # Compared without case by the platform, which is free to change the case it sends.
    user_id = callback.need("FromUserName").lower()
    return InboundMessage(
        platform=Platform.WECOM,
        app=envelope.app,
        message_id=envelope.delivery_id,
        origin=Address(Platform.WECOM, envelope.app, user_id=user_id),
        sender_id="" if user_id == "sys" else user_id,
        sent_at=envelope.sent_at,
        **_read(callback),
    )


def _read(callback: _Callback) -> _Read:
    kind = callback.need("MsgType")
    if kind == "event":
        return _event(callback, callback.need("Event"))
    reader = _MESSAGES.get(kind)
    return reader(callback) if reader else {"kind": Kind.UNSUPPORTED, "detail": kind}


def _event(callback: _Callback, event: str) -> _Read:
    if event in _PLAIN_EVENTS:
        return {"kind": _PLAIN_EVENTS[event], "text": callback.get("EventKey")}
    if event.lower() in _IGNORED_EVENTS:
        return {"kind": Kind.IGNORED, "detail": event}
    reader = _EVENTS.get(event)
    return reader(callback) if reader else {"kind": Kind.UNSUPPORTED, "detail": event}


def _text(callback: _Callback) -> _Read:
    return {"kind": Kind.TEXT, "text": callback.get("Content")}


def _image(callback: _Callback) -> _Read:
    return _attached(Kind.IMAGE, Attachment("image", callback.need("MediaId")))


def _voice(callback: _Callback) -> _Read:
    attachment = Attachment(
        "voice",
        callback.need("MediaId"),
        name=f"voice.{callback.get('Format') or 'amr'}",
        transcript=callback.get("Recognition"),
    )
    return _attached(Kind.VOICE, attachment)


def _video(callback: _Callback) -> _Read:
    return _attached(Kind.VIDEO, Attachment("video", callback.need("MediaId")))


def _file(callback: _Callback) -> _Read:
    attachment = Attachment("file", callback.need("MediaId"), name=callback.get("FileName"))
    return _attached(Kind.FILE, attachment)


def _attached(kind: Kind, attachment: Attachment) -> _Read:
    return {"kind": kind, "attachments": (attachment,)}


def _location(callback: _Callback) -> _Read:
    where = f"{callback.need('Location_X')},{callback.need('Location_Y')}"
    return {"kind": Kind.LOCATION, "detail": f"{callback.get('Label')} ({where})".strip()}


def _link(callback: _Callback) -> _Read:
    parts = (callback.get("Title"), callback.get("Description"), callback.need("Url"))
    return {"kind": Kind.LINK, "detail": "\n".join(part for part in parts if part)}


def _card_action(callback: _Callback) -> _Read:
    """A press on a card. One we did not send (no revision in its id) is not ours to judge."""
    ours = _TASK_ID.fullmatch(callback.get("TaskId"))
    if ours is None:
        return {"kind": Kind.UNSUPPORTED, "detail": f"card {callback.get('TaskId')[:64]}"}
    action = CardAction(
        card_id=ours[1],
        revision=int(ours[2]),
        action=callback.need("EventKey"),
        values=_selected(callback.leaves),
        response_code=callback.get("ResponseCode"),
    )
    return {"kind": Kind.CARD_ACTION, "action": action}


def _selected(leaves: Leaves) -> dict[str, str]:
    """Question key -> option id; several chosen ones as "a|b". Untouched ones are left out."""
    chosen: dict[str, list[str]] = {}
    question = ""
    for path, text in leaves:
        if path == "SelectedItems/SelectedItem/QuestionKey":
            question = text
        elif path == "SelectedItems/SelectedItem/OptionIds/OptionId" and text != UNCHOSEN:
            chosen.setdefault(question, []).append(text)
    return {question: "|".join(options) for question, options in chosen.items()}


def _directory(callback: _Callback) -> _Read:
    change = _change(callback)
    if change is None:
        return {"kind": Kind.IGNORED, "detail": callback.get("ChangeType")}
    return {"kind": Kind.DIRECTORY_CHANGE, "change": change}


def _change(callback: _Callback) -> DirectoryChange | None:
    """Hints only, since the platform may send a reduced form without the changed values."""
    change = callback.need("ChangeType")
    if change == "update_tag":
        return None
    if change in ("create_user", "update_user", "delete_user"):
        user_id = callback.need("UserID").lower()
        new_id = callback.get("NewUserID").lower()
        if change == "delete_user":
            return DirectoryChange(left_user_ids=(user_id,))
        if new_id and new_id != user_id:
            return DirectoryChange(user_ids=(new_id,), left_user_ids=(user_id,))
        return DirectoryChange(user_ids=(user_id,))
    if change in ("create_party", "update_party", "delete_party"):
        return DirectoryChange(department_ids=(callback.need("Id"),))
    return DirectoryChange(everything=True)


_CONTACT_CHANGES = frozenset({
    "add_external_contact", "add_half_external_contact", "edit_external_contact",
    "del_external_contact", "del_follow_user", "transfer_fail",
})  # fmt: skip


def _contact(callback: _Callback) -> _Read:
    """Hints only: what stands beside the ids is told in full by the call that reads it again."""
    change = callback.need("ChangeType")
    if change == "msg_audit_approved":  # the customer lets this member's chats be archived
        parties = callback.need("ToUserName"), callback.need("UserID").lower()
        agreed = ContactHint(agreed=((*parties, callback.need("ExternalUserID")),))
        return {"kind": Kind.CONTACT_CHANGE, "contacts": agreed}
    if change not in _CONTACT_CHANGES:
        return {"kind": Kind.IGNORED, "detail": change}
    hint = ContactHint(
        contacts=(callback.need("ExternalUserID"),),
        failed=callback.get("FailReason") if change == "transfer_fail" else "",
    )
    return {"kind": Kind.CONTACT_CHANGE, "contacts": hint}


def _customer_group(callback: _Callback) -> _Read:
    chat_id = callback.need("ChatId")
    if callback.need("ChangeType") == "dismiss":
        return {"kind": Kind.CONTACT_CHANGE, "contacts": ContactHint(gone_chats=(chat_id,))}
    hint = ContactHint(chats=((chat_id, callback.get("CurMemVer")),))
    return {"kind": Kind.CONTACT_CHANGE, "contacts": hint}


def _approval(callback: _Callback) -> _Read:
    """Its number alone; SpNo, a number in older events, may have lost digits."""
    told = dict(callback.leaves)
    number = told.get("ApprovalInfo/SpNoStr") or told.get("ApprovalInfo/SpNo")
    if not number:
        raise InvalidInput("sys_approval_change: no SpNo")
    template = told.get("ApprovalInfo/TemplateId", "")
    return {"kind": Kind.APPROVAL_CHANGE, "hints": (f"{number}|{template}",)}


def _tag(_: _Callback) -> _Read:
    """A tag renamed concerns thousands of contacts; they are read anew each night."""
    return {"kind": Kind.IGNORED, "detail": "change_external_tag"}


_MESSAGES: dict[str, Callable[[_Callback], _Read]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "file": _file,
    "location": _location,
    "link": _link,
}

_EVENTS: dict[str, Callable[[_Callback], _Read]] = {
    "template_card_event": _card_action,
    "template_card_menu_event": _card_action,
    "change_contact": _directory,
    "change_external_contact": _contact,
    "change_external_chat": _customer_group,
    "change_external_tag": _tag,
    "sys_approval_change": _approval,
}
