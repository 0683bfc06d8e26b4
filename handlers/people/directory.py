"""People and departments: read from the platforms, kept by their change events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.people import Directory, PersonStatus, Role
from bot.messages import OutboundMessage, Platform, Text
from handlers.desk import Desk, Office
from handlers.pages import signing_in
from handlers.people import leaving
from handlers.texts import directory as texts
from handlers.texts import leaving as leaving_texts
from storage.unit_of_work import UnitOfWork


async def save(
    tx: UnitOfWork, office: Office, directory: Directory, at: datetime
) -> list[OutboundMessage]:
    """Take over what a platform told. Whoever left has no access from now on and keeps their
    history; whoever led them is asked who gets the rest."""
    before = await tx.people.active_ids()
    roles_of = office.policy.roles.roles_of
    saved = await tx.people.save_directory(directory, roles_by_title=roles_of, at=at)
    for kept, gone in saved.merged:
        office.customers.load(await tx.accounts.list_of_owner(kept))
        before.discard(gone)
    await _admins_by_configuration(tx, office)
    after = await tx.people.active_ids()
    notes = []
    for person in [await tx.people.get(number) for number in sorted(before - after)]:
        await tx.page_sessions.end_all_of(person.id, at=at, why=signing_in.LEFT)
        notes += await leaving.offer(tx, office, person, at)
    return notes


async def change(desk: Desk) -> None:
    """Somebody joined, moved or left: what was read again is saved."""
    directory = desk.incoming.directory
    if directory is not None:
        desk.add(await save(desk.tx, desk.office, directory, desk.at))


def has_left(desk: Desk) -> bool:
    return desk.person is not None and desk.person.status is PersonStatus.LEFT


async def turn_away(desk: Desk) -> None:
    """What they say or press does nothing any more."""
    desk.say(leaving_texts.HAS_LEFT)


async def unknown_sender(desk: Desk) -> None:
    """Tell the stranger what to do, and the administrators once a day."""
    desk.say(texts.UNKNOWN_SENDER)
    who = desk.message.sender_name or desk.message.sender_id or "未知"
    key = f"unknown:{desk.message.platform}:{desk.message.sender_id}:{desk.at.date()}"
    text = texts.stranger(str(desk.message.platform), who, desk.message.sender_id)
    desk.add(await tell_admins(desk.tx, desk.office, text, key=key))


async def tell_admins(
    tx: UnitOfWork, office: Office, text: str, *, key: str, rather_not: Platform | None = None
) -> list[OutboundMessage]:
    """The same words to every administrator; `key` makes a second telling the same one.
    rather_not: a platform to avoid for those who are on another."""
    messages = []
    for admin in await tx.people.list_by_role(Role.ADMIN):
        elsewhere = tuple(one for one in admin.identities if one.platform != rather_not)
        to = office.address_of(replace(admin, identities=elsewhere)) or office.address_of(admin)
        if to is not None:
            messages.append(OutboundMessage(f"admin:{key}:{admin.id}", to, Text(text)))
    return messages


async def _admins_by_configuration(tx: UnitOfWork, office: Office) -> None:
    for admin in sorted(office.admins):
        platform, _, user_id = admin.partition(":")
        person = await tx.people.find_by_identity(platform, user_id)
        if person is not None and Role.ADMIN not in person.roles:
            await tx.people.set_roles(person.id, person.roles | {Role.ADMIN})
