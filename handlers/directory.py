"""People and departments: read from the platforms, kept by their change events."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.people import Directory, Person, Role
from bot.errors import InvalidInput
from bot.messages import OutboundMessage, Platform, Text
from handlers.desk import Desk, Office
from handlers.texts import directory as texts
from storage.unit_of_work import UnitOfWork

CSV_COLUMNS = ("name", "owner")
MAX_CSV_ROWS = 50_000


async def save(
    tx: UnitOfWork, office: Office, directory: Directory, at: datetime
) -> list[OutboundMessage]:
    """Take over what a platform told. Whoever left keeps their history; their customers are
    reported to the administrators, who decide on the new owner."""
    before = {person.id for person in await tx.people.list_active()}
    roles_of = office.policy.roles.roles_of
    saved = await tx.people.save_directory(directory, roles_by_title=roles_of, at=at)
    for kept, gone in saved.merged:
        office.customers.load(await tx.accounts.list_of_owner(kept))
        before.discard(gone)
    await _admins_by_configuration(tx, office)
    after = {person.id for person in await tx.people.list_active()}
    notes = []
    for person in [await tx.people.get(number) for number in sorted(before - after)]:
        owned = await tx.accounts.list_of_owner(person.id)
        if owned:
            text = texts.left_with_customers(person.name, [account.name for account in owned])
            notes += await tell_admins(tx, office, text, key=f"left:{person.id}:{at.date()}")
    return notes


async def change(desk: Desk) -> None:
    """Somebody joined, moved or left: what was read again is saved."""
    directory = desk.incoming.directory
    if directory is not None:
        desk.add(await save(desk.tx, desk.office, directory, desk.at))


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


@dataclass(frozen=True, slots=True)
class Imported:
    """What a customer file brought. mistakes: one readable line for each refused row."""

    created: int
    known: int
    mistakes: tuple[str, ...]


async def import_customers(
    tx: UnitOfWork, office: Office, data: bytes, *, actor: Person, at: datetime
) -> Imported:
    """Customers from CSV with a header: name, owner, and optionally industry, aliases
    (parted by "|"), contact, title. owner: a person's name or a platform user id.

    A known customer is left as it is. Raises InvalidInput if the file is no such table.
    """
    rows = _rows(data)
    owners = {person.name: person for person in await tx.people.list_active()}
    created = known = 0
    mistakes = []
    for number, row in enumerate(rows, start=2):
        name = " ".join(row.get("name", "").split())
        owner = owners.get(row.get("owner", "").strip()) or await _by_user_id(
            tx, row.get("owner", "").strip()
        )
        if not name or owner is None:
            mistakes.append(texts.bad_row(number, name, row.get("owner", "")))
            continue
        if await tx.accounts.find_by_name(name) is not None:
            known += 1
            continue
        aliases = tuple(alias for alias in row.get("aliases", "").split("|") if alias.strip())
        account = await tx.accounts.add(
            name=name,
            owner_id=owner.id,
            at=at,
            industry=row.get("industry", "").strip(),
            aliases=aliases,
        )
        if row.get("contact", "").strip():
            title = row.get("title", "").strip()
            await tx.accounts.add_contact(account.id, row["contact"].strip(), title=title)
        library = await office.libraries.of_person(tx, owner.id)
        await tx.opportunities.add(
            account_id=account.id,
            name=f"{name} 商机",
            owner_id=owner.id,
            stage=library.stages[0].key,
            library=library.ref,
            at=at,
            light_due_at=at,
        )
        office.customers.put(account)
        created += 1
    await tx.audit.append(
        at=at,
        actor=f"person:{actor.id}",
        action="import_customers",
        subject="accounts",
        before=None,
        after={"created": created, "known": known, "refused": len(mistakes)},
    )
    return Imported(created=created, known=known, mistakes=tuple(mistakes))


def _rows(data: bytes) -> Sequence[dict[str, str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InvalidInput(texts.CSV_NOT_TEXT)
    reader = csv.DictReader(io.StringIO(text))
    try:
        rows = [
            {key: value or "" for key, value in row.items() if isinstance(key, str)}
            for row in reader
        ]
    except csv.Error as error:
        raise InvalidInput(texts.csv_broken(str(error))) from None
    columns = [column.strip() for column in reader.fieldnames or ()]
    lacking = [column for column in CSV_COLUMNS if column not in columns]
    if lacking:
        raise InvalidInput(texts.csv_lacks(lacking))
    if len(rows) > MAX_CSV_ROWS:
        raise InvalidInput(texts.csv_too_long(MAX_CSV_ROWS))
    return rows


async def _by_user_id(tx: UnitOfWork, user_id: str) -> Person | None:
    for platform in ("wecom", "dingtalk"):
        person = await tx.people.find_by_identity(platform, user_id)
        if person is not None:
            return person
    return None


async def _admins_by_configuration(tx: UnitOfWork, office: Office) -> None:
    for admin in sorted(office.admins):
        platform, _, user_id = admin.partition(":")
        person = await tx.people.find_by_identity(platform, user_id)
        if person is not None and Role.ADMIN not in person.roles:
            await tx.people.set_roles(person.id, person.roles | {Role.ADMIN})
