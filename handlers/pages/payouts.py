"""`/payouts`: somebody's month of bonuses, each line back to its rule, contract and receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain.payouts.ledger import month_name
from bot.domain.payouts.words import in_words
from bot.domain.people import Person
from bot.errors import InvalidInput, NotAllowed, NotFound
from handlers.customers import customers
from handlers.desk import Office
from handlers.leading import teams
from handlers.payouts import deal_facts, evidence, rights, statements
from handlers.texts import disputes as dispute_texts
from handlers.texts import payouts as texts
from handlers.texts.dialog import short_company
from handlers.texts.money import signed, yuan
from storage.payout_ledger import StoredLine
from storage.payout_views import MonthOf
from storage.unit_of_work import UnitOfWork

MONTHS = 6
LINES, PEOPLE = 50, 50
NO_SUCH_PLACE = "这一页的地址不完整，请从第一页重新打开。"

_MONTH = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """customer_id: 0 where the visitor may not open it. rule, contract, receipts: what it was
    computed from, in words; "" and empty for a decision."""

    kind: str
    amount: str
    minus: bool
    number: str
    customer: str
    customer_id: int
    why: str
    rule_name: str
    rule: str
    contract: str
    receipts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person's month, in the list of those who may be looked at."""

    id: int
    name: str
    amount: str
    lines: int
    state: str
    locked: bool


@dataclass(frozen=True, slots=True)
class PayoutsPage:
    """person_id: whose. months: (2026-10, words), the newest first. count: of all lines. people:
    those the visitor may look at; leads: whether there can be any. start: how many lines stand
    before these. next_start, after: the last line and person here, where there are more."""

    person_id: int
    name: str
    own: bool
    month: str
    month_words: str
    months: tuple[tuple[str, str], ...]
    published: bool
    total: str
    state: str
    locked: bool
    paid: bool
    saved: tuple[tuple[str, str], ...]
    lines: tuple[PayoutLine, ...]
    count: int
    start: int
    next_start: int | None
    leads: bool
    people: tuple[PersonRow, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says. person: "" for the visitor. start, after: what was seen last."""

    month: str = ""
    person: str = ""
    start: str = ""
    after: str = ""


async def page(
    tx: UnitOfWork, office: Office, reader: Person, asked: Asked, at: datetime
) -> PayoutsPage:
    """Raises NotAllowed, and InvalidInput for a month or place that is none."""
    month = month_asked(asked.month, office.calendar.day_of(at))
    person = await person_asked(tx, reader, asked.person)
    behind = _place(asked.start)
    lines = await tx.payout_views.lines(person.id, month, after=behind, limit=LINES)
    start = await tx.payout_views.lines_until(person.id, month, behind) if behind else 0
    whole = await tx.payout_views.month_of(person.id, month)
    count = whole.lines if whole is not None else 0
    locked = whole is not None and not whole.open_lines
    paid = locked and all(one.paid_at is not None for one in lines)
    leads, people, after = await _people(tx, reader, month, asked.after)
    return PayoutsPage(
        person_id=person.id,
        name=person.name,
        own=person.id == reader.id,
        month=month,
        month_words=texts.month_words(month),
        months=tuple((one, texts.month_words(one)) for one in _months(month, at, office)),
        published=bool(await tx.payout_rules.published()),
        total=yuan(whole.fen if whole is not None else 0),
        state=texts.statement_state(locked=locked, paid=paid) if whole is not None else "",
        locked=locked,
        paid=paid,
        saved=tuple(await statements.saved(tx, person.id, month)) if locked else (),
        lines=await _traced(tx, reader, lines, at),
        count=count,
        start=start,
        next_start=lines[-1].id if start + len(lines) < count and lines else None,
        leads=leads,
        people=people,
        after=after,
    )


def month_asked(month: str, today: date) -> str:
    """The present one where none is named. Raises InvalidInput."""
    if not month:
        return month_name(today)
    if _MONTH.fullmatch(month) is None:
        raise InvalidInput("没有这个月份，请从页面上的几个月里选。")
    return month


async def person_asked(tx: UnitOfWork, reader: Person, number: str) -> Person:
    """Raises NotAllowed also for whom there is not: pages tell nobody which numbers are people."""
    if not number:
        return reader
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise InvalidInput(NO_SUCH_PLACE)
    try:
        person = await tx.people.get(int(number))
        await rights.refuse_to_show(tx, reader, person.id)
    except NotFound:
        raise NotAllowed(texts.OWN_PAY_ONLY) from None
    return person


async def reach(tx: UnitOfWork, reader: Person) -> set[int] | None:
    """Whose bonuses the reader may see: None for everybody's."""
    if reader.roles & rights.OVERSEERS:
        return None
    return {reader.id, *(one.id for one in await teams.below(tx, reader))}


async def _people(
    tx: UnitOfWork, reader: Person, month: str, after: str
) -> tuple[bool, tuple[PersonRow, ...], str | None]:
    only = await reach(tx, reader)
    if only == {reader.id}:
        return False, (), None
    found = await tx.payout_views.months(month, only=only, after=after[:50], limit=PEOPLE + 1)
    rows = tuple(_row(one) for one in found[:PEOPLE])
    return True, rows, rows[-1].name if len(found) > PEOPLE else None


def _row(one: MonthOf) -> PersonRow:
    locked = not one.open_lines
    return PersonRow(
        one.person_id, one.name, yuan(one.fen), one.lines, "已锁定" if locked else "预估", locked
    )


async def _traced(
    tx: UnitOfWork, reader: Person, lines: Sequence[StoredLine], at: datetime
) -> tuple[PayoutLine, ...]:
    """By the rules and facts of when the month was locked."""
    if not lines:
        return ()
    as_of = await evidence.as_of_lines(tx, lines, at)
    document = await deal_facts.rules_document(tx, until=as_of)
    rules = {
        (rule.id, rule.version): in_words(rule)
        for rule in (deal_facts.book_of(document).rules if document else ())
    }
    contracts = {one.contract_id for one in lines if one.contract_id is not None}
    facts = await tx.payout_facts.snapshots(contracts, until=as_of)
    names = await _customers(tx, reader, lines, at)
    return tuple(
        _line(
            one,
            rules.get((one.rule_id, one.rule_version or 0), ""),
            facts.get(one.contract_id or 0),
            names.get(one.account_id or 0, ("", 0)),
        )
        for one in lines
    )


def _line(
    one: StoredLine, rule: str, facts: Mapping[str, Any] | None, customer: tuple[str, int]
) -> PayoutLine:
    receipts, contract = [], ""
    if facts is not None:
        deal = facts["deal"]
        contract = dispute_texts.contract_fact(
            deal["id"], deal["contract_fen"], deal["signed_at"][:10], deal["customer"]
        )
        receipts = [
            dispute_texts.receipt_fact(
                event["at"][:10],
                event["fen"] if event["type"] == "payment" else -event["fen"],
                event["receipt"],
            )
            for event in facts["events"]
            if event["type"] in ("payment", "refund")
        ]
    version = f" 第{one.rule_version}版" if one.rule_version is not None else ""
    return PayoutLine(
        kind=texts.KINDS.get(one.kind, one.kind),
        amount=signed(one.fen),
        minus=one.fen < 0,
        number=one.number,
        customer=customer[0],
        customer_id=customer[1],
        why=texts.sentence(one.why),
        rule_name=f"{one.rule_id}{version}" if one.rule_id else "",
        rule=rule,
        contract=contract,
        receipts=tuple(receipts),
    )


async def _customers(
    tx: UnitOfWork, reader: Person, lines: Sequence[StoredLine], at: datetime
) -> dict[int, tuple[str, int]]:
    """account -> (short name, its number where the reader may open it, else 0)."""
    found = {}
    for number in sorted({one.account_id for one in lines if one.account_id is not None}):
        account = await tx.accounts.get(number)
        shown = await customers.may_show(tx, reader, account, at)
        found[number] = (short_company(account.name), account.id if shown else 0)
    return found


def _months(month: str, at: datetime, office: Office) -> list[str]:
    """The last ones, and the one that is shown, the newest first."""
    found, day = {month}, office.calendar.day_of(at).replace(day=1)
    for _ in range(MONTHS):
        found.add(month_name(day))
        day = (day - timedelta(days=1)).replace(day=1)
    return sorted(found, reverse=True)


def _place(start: str) -> int:
    if start and not (start.isascii() and start.isdigit() and len(start) < 19):
        raise InvalidInput(NO_SUCH_PLACE)
    return int(start or 0)
