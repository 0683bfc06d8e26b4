"""What was kept of a conversation before it was bound goes into the stream of its customer.

Every binding ends here, whoever asked for it: whatever else keeps words of unbound conversations
is attached here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.domain.bindings import ChatBinding, ChatKind
from bot.domain.people import Identity, Person
from bot.messages import Address, Platform
from handlers.archive import entering
from handlers.archive.bindings import BoundChats
from handlers.binding import group_stream
from handlers.desk import Desk, Office


async def attach(desk: Desk, bindings: Sequence[ChatBinding]) -> None:
    """After they were bound, in the same transaction. Doing it again adds nothing."""
    for one in bindings:
        if one.platform == Platform.WECOM:
            await entering.attach(desk.tx, BoundChats(), one, desk.at)
        if one.kind is ChatKind.GROUP:
            put = partial(desk.office.groups.put, one.platform, one.chat_key, one.account_id)
            desk.tx.once_committed(put)
            await group_stream.attach_past(
                desk, one, group_address(desk.office, one.platform, one.chat_key).key
            )


def group_address(office: Office, platform: str, chat_id: str) -> Address:
    """Where words to the robot in a group come from, whichever platform it is bound from."""
    anybody = Person(0, "", identities=(Identity(platform, "-"),))
    known = office.address_of(anybody)
    return Address(Platform(platform), known.app if known is not None else "", chat_id=chat_id)


async def detach(desk: Desk, bindings: Sequence[ChatBinding]) -> None:
    """After they were ended, in the same transaction. What was said stays."""
    for one in bindings:
        if one.platform == Platform.WECOM:
            await entering.detach(desk.tx, one, desk.at)
