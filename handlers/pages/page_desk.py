"""What is done on a page goes the same way as what is said in the chat: over a desk, whose answers
reach the person in the chat too."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.domain.people import Person
from bot.errors import Refused
from bot.messages import InboundMessage, Incoming, Kind
from handlers.desk import Desk, Office
from storage.unit_of_work import UnitOfWork

NO_CHAT = "你的账号不在企业微信或钉钉里，请从聊天里操作。"


def open_for(
    tx: UnitOfWork, office: Office, person: Person, at: datetime, *, once: str = ""
) -> Desk:
    """once: of a form that counts once, however often it is sent. Raises Refused for who is on no
    platform of ours."""
    to = office.address_of(person)
    if to is None or to.user_id is None:
        raise Refused(NO_CHAT)
    number = f"page-{once or secrets.token_hex(12)}"
    message = InboundMessage(
        platform=to.platform,
        app=to.app,
        message_id=number,
        origin=to,
        sender_id=to.user_id,
        sent_at=at,
        kind=Kind.TEXT,
    )
    incoming = Incoming(message, number, at)
    return Desk(tx, incoming, office, person, office.libraries.organisation)
