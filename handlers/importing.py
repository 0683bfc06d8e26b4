"""Customers from a CSV file, each compared with who is there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.identifiers import one_domain, one_phone
from bot.domain.opportunities import Account
from bot.domain.people import Person
from bot.errors import InvalidInput
from handlers import duplicates, pooling
from handlers.desk import Office
from handlers.duplicates import Likely
from handlers.new_customers import NewCustomer, credit_code
from handlers.texts import customers as customer_texts
from handlers.texts import directory as texts
from handlers.texts import pool as pool_texts
from storage.unit_of_work import UnitOfWork

CSV_COLUMNS = ("name", "owner")
MAX_CSV_ROWS = 5_000
"""Each row is compared with who is there, some 10 ms, while nobody else can write."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a customer file brought. mistakes: one readable line for each refused row.
    doubts: for each that was created although something is a little like it. ownerless: of the
    created, those that wait in the pool to be assigned."""

    created: int
    known: int
    mistakes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    ownerless: int = 0


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
    owners = {person.name: person for person in await tx.people.list_active()}
    created = known = ownerless = 0
    mistakes: list[str] = []
    doubts: list[str] = []
    for number, row in enumerate(rows, start=2):
        named = row.get("owner", "").strip()
        owner = owners.get(named) or await _by_user_id(tx, named) if named else actor
        name = " ".join(row.get("name", "").split())
        if not name or owner is None:
            mistakes.append(texts.bad_row(number, name, named))
            continue
        if await tx.accounts.find_by_name(name) is not None:
            known += 1
            continue
        try:
            new = _new(name, row)
        except InvalidInput as error:
            mistakes.append(texts.refused_row(number, name, str(error)))
            continue
        contacts = [row["external_contact"].strip()] if row.get("external_contact") else []
        found = await duplicates.find(tx, new.card(contacts), at)
        if found and found[0].same:
            mistakes.append(texts.refused_row(number, name, _alike(found[0])))
            continue
        doubts += [texts.doubtful_row(number, name, _alike(found[0]))] if found else []
        account = await _create(tx, office, new, row, owner=owner, at=at)
        office.customers.put(account)
        if not named:
            await pooling.put(tx, office, account, reason=pool_texts.NEW_LEAD, at=at)
            ownerless += 1
        created += 1
    await tx.audit.append(
        at=at,
        actor=f"person:{actor.id}",
        action="import_customers",
        subject="accounts",
        before=None,
        after={"created": created, "known": known, "refused": len(mistakes)},
    )
    return Imported(created, known, tuple(mistakes), tuple(doubts), ownerless)


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


async def _by_user_id(tx: UnitOfWork, user_id: str) -> Person | None:
    for platform in ("wecom", "dingtalk"):
        person = await tx.people.find_by_identity(platform, user_id)
        if person is not None:
            return person
    return None
