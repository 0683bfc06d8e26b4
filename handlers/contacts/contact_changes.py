"""The platform says that something about a contact or a group changed: it is noted to be read.

Reading waits for the network, so it is done by `contact_keeping`, which is woken.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.archive import Consent, Consents, Pair, Status
from bot.domain.external import ChatGroup, ContactHint
from bot.messages import OutboundMessage, Text
from handlers.desk import Desk
from handlers.texts import binding as texts
from storage.contact_transfers import TransferState
from storage.external_reads import CONTACT, GROUP, Reading

GROUP_SETTLES = timedelta(seconds=2)
"""After an event the platform still tells the group as it was
(developer.work.weixin.qq.com/document/path/92130)."""


async def note(desk: Desk) -> None:
    hint = desk.message.contacts
    assert hint is not None
    platform, at = str(desk.message.platform), desk.at
    await desk.tx.external_reads.ask([*_readings(desk, hint)])
    for chat_id, name in hint.renamed:
        await desk.tx.chat_groups.save(ChatGroup(platform, chat_id, name), at=at)
    for chat_id in hint.gone_chats:
        await desk.tx.chat_groups.mark_gone(platform, chat_id, at=at)
    if hint.agreed:
        await _note_consents(desk, hint)
    if hint.failed:
        await _fail_transfers(desk, hint)
    desk.tx.once_committed(desk.office.contacts_due.ring)


def _readings(desk: Desk, hint: ContactHint) -> list[Reading]:
    platform, app, at = str(desk.message.platform), desk.message.app, desk.at
    contacts = [Reading(platform, app, CONTACT, key, "", at, at) for key in hint.contacts]
    later = at + GROUP_SETTLES
    groups = [
        Reading(platform, app, GROUP, chat_id, version, at, later)
        for chat_id, version in hint.chats
    ]
    return contacts + groups


async def _note_consents(desk: Desk, hint: ContactHint) -> None:
    """To the chat archive, unless they have said otherwise since."""
    for corp, member, outsider in hint.agreed:
        pair = Pair(member, outsider)
        known = await desk.tx.archive_consents.of(corp, [pair])
        consents = Consents({one: consent for one, (consent, _) in known.items()})
        consents.learn({pair: Consent(Status.AGREED, desk.message.sent_at)})
        await desk.tx.archive_consents.put(corp, consents.changed.items(), desk.at)


async def _fail_transfers(desk: Desk, hint: ContactHint) -> None:
    """Told to whoever asked for the transfer; the contact stays where it was."""
    platform = str(desk.message.platform)
    for contact_id in hint.contacts:
        for one in await desk.tx.contact_transfers.underway(platform, contact_id):
            reason = texts.FAIL_REASONS.get(hint.failed, hint.failed)
            await desk.tx.contact_transfers.set([one.id], TransferState.FAILED, reason=reason)
            known = await desk.tx.external_contacts.known(platform, [contact_id])
            name = known[contact_id].name if contact_id in known else contact_id
            to = desk.office.address_of(await desk.tx.people.get(one.asked_by))
            if to is not None:
                key = f"transfer:{one.id}:failed"
                said = Text(texts.transfer_failed([name], reason))
                desk.add([OutboundMessage(key, to, said)])
