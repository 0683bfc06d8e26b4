"""The platform says that an approval or somebody's records changed: noted to be read again.

Reading waits for the network, so it is done by `keeping`, which is woken.
"""

from __future__ import annotations

from bot.messages import Kind
from handlers.desk import Desk
from storage.external_reads import Reading

APPROVAL, RECORDS, SWEEP = "approval", "records", "sweep"


async def note(desk: Desk) -> None:
    message, at = desk.message, desk.at
    platform = str(message.platform)
    if message.kind is Kind.APPROVAL_CHANGE:
        told = [hint.partition("|") for hint in message.hints]
        readings = [
            Reading(platform, message.app, APPROVAL, number, template[:64], at, at)
            for number, _, template in told
        ]
    else:
        readings = [
            Reading(platform, message.app, RECORDS, hint, "", at, at) for hint in message.hints
        ]
    await desk.tx.external_reads.ask(readings)
    desk.tx.once_committed(desk.office.contacts_due.ring)
