"""An order that comes by a form instead of by a chat: the same desk, the same use cases.

What the bot would answer is shown on the page; what others are told goes to their chats.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from bot.domain.people import Person
from bot.messages import Address, InboundMessage, Incoming, Kind, Markdown, Platform, Text
from handlers.desk import Desk, Office
from storage.unit_of_work import UnitOfWork

_MARKS = re.compile(r"\*\*|^> ?", re.MULTILINE)


async def open_desk(
    tx: UnitOfWork, office: Office, person: Person, at: datetime, *, looked_up: object = None
) -> Desk:
    """As if they had written from where they are written to. looked_up: see `Incoming`."""
    origin = office.address_of(person) or Address(Platform.WECOM, "", user_id="-")
    number = secrets.token_hex(8)
    message = InboundMessage(
        platform=origin.platform,
        app=origin.app,
        message_id=number,
        origin=origin,
        sender_id=origin.user_id or "",
        sent_at=at,
        kind=Kind.TEXT,
    )
    incoming = Incoming(message, f"page:{number}", at, looked_up=looked_up)
    library = await office.libraries.of_person(tx, person.id)
    return Desk(tx, incoming, office, person, library)


def said(desk: Desk) -> str:
    """What the bot answered, as plain words."""
    words = [one.content.text for one in desk.answers if isinstance(one.content, Text | Markdown)]
    return _MARKS.sub("", "\n".join(words)).strip()


async def close(desk: Desk) -> str:
    """Queue what others are told; the answer."""
    await desk.tx.delivery.queue(desk.notices, at=desk.at)
    return said(desk)
