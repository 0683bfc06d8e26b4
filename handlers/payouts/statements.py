"""«奖金», «奖金 2026-10», «奖金 张伟», «奖金明细 HT-2026-018»: what somebody gets, line by line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from bot.domain.payouts.growth import Book, months_of, quarter_of
from bot.domain.payouts.ledger import month_name
from bot.domain.payouts.steps import steps
from bot.domain.people import Person
from bot.errors import InvalidInput, NotFound, Refused
from bot.messages import Button, Card, OutboundMessage
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.payouts import deal_facts, documents, rights
from handlers.texts import dialog
from handlers.texts import payouts as texts
from handlers.texts import receivables as receivable_texts
from handlers.texts.dialog import short_company
from handlers.texts.money import yuan
from handlers.understanding.contracts import contract_number
from storage.growth_fund import balances_of
from storage.payout_ledger import StoredLine
from storage.unit_of_work import UnitOfWork

PREFIX = "paystub-"
DETAILS, PACK, DISPUTE = "details", "pack", "dispute"

_MONTH = re.compile(r"(?P<year>20\d\d)[-年/.](?P<month>\d{1,2})月?|(?P<only>\d{1,2})月")


async def show(desk: Desk, words: str) -> None:
    """The speaker's own, or somebody's whom they lead. Raises NotAllowed, NotFound."""
    month, rest = split_month(words, desk.office.calendar.day_of(desk.at))
    person = await person_named(desk.tx, rest) if rest else desk.rep
    await rights.refuse_to_show(desk.tx, desk.rep, person.id)
    if not await deal_facts.rules_document(desk.tx):
        raise Refused(texts.NOT_PUBLISHED)
    card = await card_for(desk.tx, person, month, own=person.id == desk.rep.id)
    number = "".join(filter(str.isalnum, desk.message.message_id))[-12:]
    card = replace(card, card_id=f"{card.card_id}-{number}")
    await desk.show_privately(card, subject=_subject(person, month))
    if desk.message.in_group:
        desk.say(dialog.TOLD_PRIVATELY)


async def explain_words(desk: Desk, _: str) -> None:
    """«奖金帮助»."""
    settles = desk.rep.roles & rights.SETTLERS
    parts = [texts.HELP, *([texts.HELP_FOR_SETTLERS] if settles else [])]
    desk.say_privately("奖金", "\n".join(parts))


async def show_deal(desk: Desk, words: str) -> None:
    """Every line of a contract that the speaker may see, and how the rules judged it."""
    number = contract_number(words)
    if number is None:
        raise InvalidInput(texts.WHICH_DEAL)
    contract = await desk.tx.contracts.find(number)
    if contract is None:
        raise NotFound(receivable_texts.no_such_contract(number))
    account = await desk.tx.accounts.get(contract.account_id)
    lines = [
        one
        for one in await desk.tx.payout_ledger.of_contract(contract.id)
        if await _may_see(desk, one)
    ]
    noted = (await desk.tx.payout_facts.people_of([contract.id])).get(contract.id)
    concerned = noted is not None and desk.rep.id in noted.everybody
    if not lines and not concerned and not desk.rep.roles & rights.OVERSEERS:
        await customers.refuse_to_show(desk, account)
    names = await desk.tx.people.names(one.person_id for one in lines if one.person_id)
    told = [
        texts.deal_line(names.get(one.person_id or 0, ""), one.kind, one.fen, one.why, one.month)
        for one in lines
    ] or [texts.no_lines_of_deal(number, account.name)]
    told += await _judged(desk, contract.id)
    title = texts.deal_title(number, short_company(account.name))
    customers.tell_alone(desk, title, "\n".join([f"**{title}**", *told]))


async def explain(desk: Desk) -> None:
    """«逐笔说明» on a statement. Raises NotAllowed."""
    action = desk.message.action
    assert action is not None
    person_id, month = of_card(action.card_id)
    await rights.refuse_to_show(desk.tx, desk.rep, person_id)
    person = await desk.tx.people.get(person_id)
    lines = await desk.tx.payout_ledger.of_person(person_id, month)
    title = texts.statement_title(person.name, month, own=person_id == desk.rep.id)
    rows = [(one.kind, one.fen, one.why) for one in lines]
    total = sum(one.fen for one in lines)
    customers.tell_alone(desk, title, texts.details(title, rows, total))


async def send(
    tx: UnitOfWork, office: Office, person: Person, month: str, at: datetime
) -> list[OutboundMessage]:
    """The statement of a month that was just locked."""
    to = office.address_of(person)
    if to is None:
        return []
    card = await card_for(tx, person, month, own=True)
    await tx.cards.show(card, to.key, subject=_subject(person, month), at=at)
    return [OutboundMessage(f"paystub:{month}:{person.id}", to, card)]


async def card_for(tx: UnitOfWork, person: Person, month: str, *, own: bool) -> Card:
    lines = await tx.payout_ledger.of_person(person.id, month)
    customers_of = await _customers(tx, lines)
    rows = [(one.number, customers_of.get(one.account_id, ""), one.kind, one.fen) for one in lines]
    is_locked = bool(lines) and all(one.run_id is not None for one in lines)
    is_paid = is_locked and all(one.paid_at is not None for one in lines)
    buttons = []
    if lines:
        buttons.append(Button(DETAILS, texts.DETAILS, style="primary"))
        buttons.append(Button(PACK, texts.PACK))
    if own and is_locked:
        buttons.append(Button(DISPUTE, texts.DISPUTE))
    return Card(
        card_id=f"{PREFIX}{person.id}-{month}",
        title=texts.statement_title(person.name, month, own=own),
        lines=tuple(texts.statement_lines(rows)),
        facts=(
            ("合计", yuan(sum(one.fen for one in lines))),
            *(await saved(tx, person.id, month) if is_locked else ()),
            ("状态", texts.statement_state(locked=is_locked, paid=is_paid)),
        ),
        buttons=tuple(buttons),
    )


def of_card(card_id: str) -> tuple[int, str]:
    """Whose statement, of which month."""
    _, person_id, year, month = card_id.split("-")[:4]
    return int(person_id), f"{year}-{month}"


def split_month(words: str, today: date) -> tuple[str, str]:
    """The month that is meant, the present one where none is named, and the other words."""
    text = words.strip()
    first = today.replace(day=1)
    for said, day in (("上个月", _before(first)), ("上月", _before(first)), ("本月", first)):
        if said in text:
            return month_name(day), text.replace(said, "").strip(" 的")
    match = _MONTH.search(text)
    if match is None:
        return month_name(today), text
    number = int(match["month"] or match["only"])
    if not 1 <= number <= 12:
        raise InvalidInput(texts.WHICH_MONTH)
    year = int(match["year"]) if match["year"] else today.year - (number > today.month)
    rest = (text[: match.start()] + text[match.end() :]).strip(" 的")
    return f"{year}-{number:02d}", rest


async def person_named(tx: UnitOfWork, name: str) -> Person:
    """Raises NotFound, Refused."""
    found = [one for one in await tx.people.list_active() if one.name == name]
    if not found:
        raise NotFound(texts.no_such_person(name))
    if len(found) > 1:
        raise Refused(texts.two_of_that_name(name))
    return found[0]


async def saved(tx: UnitOfWork, person_id: int, month: str) -> list[tuple[str, str]]:
    """What the quarter that ends with the month brought to the growth fund."""
    quarter = quarter_of(month)
    if month != months_of(quarter)[-1]:
        return []
    posted = await tx.growth_fund.saved_in(quarter, person_id=person_id)
    entries = balances_of(posted)
    own, match = entries.get(Book.OWN, 0), entries.get(Book.MATCH, 0)
    told = [(texts.SAVED_OWN, yuan(own))] if own else []
    return [*told, *([(texts.SAVED_MATCH, yuan(match))] if match else [])]


async def _may_see(desk: Desk, line: StoredLine) -> bool:
    """What is nobody's yet, who oversees bonuses sees."""
    if line.person_id is None:
        return bool(desk.rep.roles & rights.OVERSEERS)
    return await rights.may_see(desk.tx, desk.rep, line.person_id)


async def _judged(desk: Desk, contract_id: int) -> list[str]:
    """Each rule with what it met: why there is an amount, or why there is none."""
    rules = await deal_facts.rules_document(desk.tx)
    if not rules:
        return []
    found = await deal_facts.deal_documents(
        desk.tx, [contract_id], await desk.tx.payout_ledger.closed()
    )
    facts = documents.to_facts(deal_facts.joined(found.values()))
    return [
        texts.not_met([f"「{one.rule_id}」", *one.conditions])
        for one in steps(deal_facts.book_of(rules), facts)
        if one.conditions
    ]


async def _customers(tx: UnitOfWork, lines: list[StoredLine]) -> dict[int | None, str]:
    ids = {one.account_id for one in lines if one.account_id is not None}
    return {number: short_company((await tx.accounts.get(number)).name) for number in sorted(ids)}


def _before(first: date) -> date:
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)


def _subject(person: Person, month: str) -> str:
    return f"paystub:{person.id}:{month}"
