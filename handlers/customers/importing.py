"""Customers from a CSV file, each compared with who is there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.domain.identifiers import one_domain, one_phone
from bot.domain.imports import Imported
from bot.domain.opportunities import Account
from bot.domain.people import Person, Role
from bot.errors import InvalidInput
from bot.messages import Fetched, Incoming
from bot.router import Begin
from handlers.customers import duplicates, pooling
from handlers.customers.duplicates import Likely
from handlers.customers.new_customers import NewCustomer, credit_code
from handlers.desk import Office
from handlers.texts import customers as customer_texts
from handlers.texts import directory as texts
from handlers.texts import pool as pool_texts
from storage.unit_of_work import UnitOfWork

CSV_COLUMNS = ("name", "owner")
MAX_CSV_ROWS = 5_000
AT_ONCE = 15
"""Rows of one transaction. Each is compared with who is there, some 10 ms, while on SQLite nobody
else can write; so many keep a chat waiting for no longer than it takes to read the answer."""


class _Read(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]: ...


class LongImports:
    """A `bot.ports.Preparation`: an administrator's table of customers that is too long for one
    transaction comes in before the message's own, in short ones, so that everybody else's chats go
    on between them. What a crash interrupts is taken up again: rows that came in are known then."""

    def __init__(self, office: Office, *, begin: Begin[UnitOfWork], read: _Read) -> None:
        self._office = office
        self._begin = begin
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """See `bot.ports.Preparation`. What is no such table the handlers say."""
        if len(incoming.files) != 1 or not _is_csv(incoming.files[0]):
            return incoming
        try:
            rows = _rows(incoming.files[0].table)
        except InvalidInput:
            return incoming
        actor = await self._administrator(incoming) if len(rows) > AT_ONCE else None
        if actor is None:
            return incoming
        done = Imported()
        for start in range(0, len(rows), AT_ONCE):
            async with self._begin() as tx:
                part = rows[start : start + AT_ONCE]
                done += await _take(
                    tx, self._office, part, first=start + FIRST_ROW, actor=actor, at=incoming.at
                )
        return replace(incoming, imported=done)

    async def _administrator(self, incoming: Incoming) -> Person | None:
        message = incoming.message
        async with self._read() as tx:
            person = await tx.people.find_by_identity(message.platform, message.sender_id)
        return person if person is not None and Role.ADMIN in person.roles else None


FIRST_ROW = 2
"""The number that a table program shows beside the first row under the header."""


async def import_customers(
    tx: UnitOfWork, office: Office, data: bytes, *, actor: Person, at: datetime
) -> Imported:
    """Customers from CSV with a header: name, owner, and optionally industry, aliases
    (parted by "|"), credit_code, phone, domain, contact, title, external_contact
    ("wecom:wmXXXX"). owner: a person's name or a platform user id; left empty, the customer
    waits in the pool to be assigned.

    A known customer is left as it is; one that is very likely known under another name is
    refused with the reason. Raises InvalidInput if the file is no such table.
    """
    rows = _rows(data)
    done = await _take(tx, office, rows, first=FIRST_ROW, actor=actor, at=at)
    await note(tx, done, actor=actor, at=at)
    return done


async def note(tx: UnitOfWork, done: Imported, *, actor: Person, at: datetime) -> None:
    """That it was done, in the audit chain."""
    await tx.audit.append(
        at=at,
        actor=f"person:{actor.id}",
        action="import_customers",
        subject="accounts",
        before=None,
        after={"created": done.created, "known": done.known, "refused": len(done.mistakes)},
    )


async def _take(
    tx: UnitOfWork,
    office: Office,
    rows: Sequence[Mapping[str, str]],
    *,
    first: int,
    actor: Person,
    at: datetime,
) -> Imported:
    """first: the number of the first of these rows."""
    owners = {person.name: person for person in await tx.people.list_active()}
    done = Imported()
    for number, row in enumerate(rows, start=first):
        named = row.get("owner", "").strip()
        owner = owners.get(named) or await _by_user_id(tx, named) if named else actor
        name = " ".join(row.get("name", "").split())
        if not name or owner is None:
            done += Imported(mistakes=(texts.bad_row(number, name, named),))
        elif await tx.accounts.find_by_name(name) is not None:
            done += Imported(known=1)
        else:
            done += await _take_new(tx, office, (number, name, row), owner=owner, at=at)
    return done


async def _take_new(
    tx: UnitOfWork,
    office: Office,
    numbered: tuple[int, str, Mapping[str, str]],
    *,
    owner: Person,
    at: datetime,
) -> Imported:
    """numbered: the row's number, the customer's name, the row."""
    number, name, row = numbered
    try:
        new = _new(name, row)
    except InvalidInput as error:
        return Imported(mistakes=(texts.refused_row(number, name, str(error)),))
    contacts = [row["external_contact"].strip()] if row.get("external_contact") else []
    found = await duplicates.find(tx, new.card(contacts), at)
    if found and found[0].same:
        return Imported(mistakes=(texts.refused_row(number, name, _alike(found[0])),))
    doubts = (texts.doubtful_row(number, name, _alike(found[0])),) if found else ()
    account = await _create(tx, office, new, row, owner=owner, at=at)
    office.customers.put(account)
    ownerless = not row.get("owner", "").strip()
    if ownerless:
        await pooling.put(tx, office, account, reason=pool_texts.NEW_LEAD, at=at)
    return Imported(created=1, doubts=doubts, ownerless=int(ownerless))


async def _create(
    tx: UnitOfWork,
    office: Office,
    new: NewCustomer,
    row: Mapping[str, str],
    *,
    owner: Person,
    at: datetime,
) -> Account:
    account = await tx.accounts.add(
        name=new.name,
        owner_id=owner.id,
        at=at,
        industry=row.get("industry", "").strip(),
        aliases=tuple(alias for alias in row.get("aliases", "").split("|") if alias.strip()),
        credit_code=new.credit_code,
        phone=new.phone,
        domain=new.domain,
    )
    if row.get("contact", "").strip():
        await tx.accounts.add_contact(
            account.id,
            row["contact"].strip(),
            title=row.get("title", "").strip(),
            external_id=row.get("external_contact", "").strip(),
        )
    library = await office.libraries.of_person(tx, owner.id)
    await tx.opportunities.add(
        account_id=account.id,
        name=f"{new.name} 商机",
        owner_id=owner.id,
        stage=library.stages[0].key,
        rank=0,
        library=library.ref,
        at=at,
        light_due_at=at,
    )
    return account


def _new(name: str, row: Mapping[str, str]) -> NewCustomer:
    """Raises InvalidInput for a name, a code, a number or a domain that cannot be."""
    new = NewCustomer.read(name)
    code, phone, domain = (
        row.get(column, "").strip() for column in ("credit_code", "phone", "domain")
    )
    number, host = one_phone(phone), one_domain(domain)
    if phone and number is None:
        raise InvalidInput(customer_texts.bad_phone(phone))
    if domain and host is None:
        raise InvalidInput(customer_texts.bad_domain(domain))
    return replace(
        new,
        credit_code=credit_code(code) if code else "",
        phone=number or "",
        domain=host or "",
    )


def _alike(likely: Likely) -> str:
    return customer_texts.alike(likely.account.name, likely.reasons)


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


def _is_csv(fetched: Fetched) -> bool:
    name = (fetched.stored.name if fetched.stored else "") or fetched.attachment.name
    return bool(fetched.table) and name.lower().endswith(".csv")


async def _by_user_id(tx: UnitOfWork, user_id: str) -> Person | None:
    for platform in ("wecom", "dingtalk"):
        person = await tx.people.find_by_identity(platform, user_id)
        if person is not None:
            return person
    return None
