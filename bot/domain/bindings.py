"""Conversations that belong to a customer: chats with its people, and groups they are in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChatKind(StrEnum):
    """What a chat key names on its platform."""

    CONTACT = "contact"  # an external contact: WeCom external_userid, DingTalk userid
    GROUP = "group"  # WeCom chat_id (archive: roomid), DingTalk openConversationId


class BoundBy(StrEnum):
    """What a binding rests on."""

    MOBILE = "mobile"
    COMPANY = "company"
    TAG = "tag"
    MEMBERS = "members"  # of a group: those of its people who are bound are one customer's
    HAND = "hand"  # somebody named the customer


@dataclass(frozen=True, slots=True)
class ChatBinding:
    """This conversation is one with that customer.

    chat_key: the platform's id, verbatim; ids of contacts and of groups never coincide.
    source_id: the delivery that asked for it; what was bound in one go is undone by it.
    ended_at: since when it holds no more.
    """

    id: int
    platform: str
    chat_key: str
    kind: ChatKind
    account_id: int
    how: BoundBy
    bound_by: int
    bound_at: datetime
    source_id: str
    ended_at: datetime | None = None
    ended_by: int | None = None
