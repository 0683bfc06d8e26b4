"""Contracts told in chat: «恒锐机电合同签了，HT-2026-018，35万，预付30%，1月28日前付».

A card shows what was understood; once it is confirmed, the payment is looked for when it is
due. And «回款 恒锐机电».
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain import receivables as rules
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.domain.receivables import ContractTerms
from bot.errors import InvalidInput, NotFound, Refused
from bot.messages import Button, Card, Kind
from handlers.conversation import files, hearing
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_forecasts, erp_orders, erp_pairing
from handlers.payouts import following
from handlers.receivables import clause_reviews, receivables
from handlers.receivables import receivable_entries as entries
from handlers.texts import receivables as texts
from handlers.understanding.contracts import contract_number, read_contract
from storage.cards import ShownCard

CONFIRM = "confirm"
AMEND = "amend"
DROP = "drop"
SEES_ALL = frozenset({Role.FINANCE, Role.LEGAL, Role.SALES_DIRECTOR, Role.ADMIN})

_ORDER = re.compile(r"^(?:登记合同|合同登记)(?=[ :：,，]|$)")
_AMENDMENT = re.compile(r"^(?:改合同|修改合同|变更合同|合同变更)(?=[ :：,，]|$)")
_SIGNED = re.compile(r"合同[^。;；?？]{0,12}签|签[^。;；?？]{0,12}合同")


def is_told(desk: Desk) -> bool:
    """An order to record or change a contract, or news of a signed one with its number."""
    if desk.message.kind is not Kind.TEXT or desk.incoming.files:
        return False
    text = hearing.spoken_text(desk)
    told = bool(_SIGNED.search(text)) and contract_number(text) is not None
    return told or bool(_ORDER.match(text) or _AMENDMENT.match(text))


async def hear(desk: Desk) -> None:
    """What else a sentence says, such as a deal that was won, is recorded as ever."""
    text = hearing.spoken_text(desk)
    if _AMENDMENT.match(text):
        await _ask_to_amend(desk, _AMENDMENT.sub("", text))
        return
    if not _ORDER.match(text):
        await hearing.hear(desk)
        if read_contract(text, desk.at, desk.office.calendar).amount_fen is None:
            return
    await _ask(desk, _ORDER.sub("", text))


async def press(desk: Desk) -> None:
    """«确认登记», «确认变更», or no. Raises NotAllowed for whom the customer is none of theirs."""
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or known.state != "open":
        raise Refused(texts.CONTRACT_GONE)
    account = await desk.tx.accounts.get(int(known.data["account_id"]))
    await refuse_others(desk, account)
    terms = _from_json(known.data["terms"])
    card = _card(desk, account, terms, card_id=action.card_id)
    closed = texts.CONTRACT_DROPPED
    if action.action == CONFIRM:
        read = known.data.get("read")
        await _record(desk, account, terms, sha256=known.data.get("sha256", ""), read=read)
        closed = texts.CONTRACT_RECORDED
    elif action.action == AMEND:
        await _amend(desk, terms)
        closed = texts.CONTRACT_AMENDED
    closed_card = replace(card, buttons=(), closed=closed)
    await desk.change(closed_card, subject=known.subject, data=_what_became(known, action.action))


def _what_became(known: ShownCard, action: str) -> dict[str, Any]:
    """What stays with a closed card, so that a record taken back finds its contract."""
    return known.data if action == CONFIRM else {}


async def show_read(
    desk: Desk,
    account: Account,
    terms: ContractTerms,
    *,
    sha256: str,
    lines: tuple[str, ...],
    read: dict[str, Any],
) -> None:
    """The card for what a machine read on a file. lines: what to look at with care. read: what
    was read, to be kept with the contract. Raises NotAllowed, InvalidInput, Refused."""
    await refuse_others(desk, account)
    await _refuse_known(desk, terms.number)
    await _show_card(desk, account, terms, sha256=sha256, lines=lines, read=read)


def card_id_of(source_id: str) -> str:
    """The card that a delivery brought."""
    return f"contract-{hashlib.sha256(source_id.encode()).hexdigest()[:16]}"


async def drop(desk: Desk, shown: ShownCard) -> None:
    """A card that nobody pressed, whose sentence was taken back."""
    account = await desk.tx.accounts.get(int(shown.data["account_id"]))
    card = _card(desk, account, _from_json(shown.data["terms"]), card_id=shown.card_id)
    closed = replace(card, buttons=(), closed=texts.CONTRACT_DROPPED)
    await desk.change(closed, subject=shown.subject, only_in_place=True)


async def show(desk: Desk, words: str) -> None:
    """«回款 恒锐机电»: its contracts, what came in, and how each stands. Other words after 回款
    are no question."""
    if not words:
        desk.say(texts.WHOSE_RECEIVABLES)
        return
    if not desk.office.customers.index.find(words):
        await hearing.hear(desk)
        return
    account = await _named(desk, words)
    if account is None:
        return
    contracts = await desk.tx.contracts.of_account(account.id)
    if not contracts:
        raise NotFound(texts.no_contracts(account.name))
    lines: list[str] = []
    for contract, standing in await receivables.standings(desk.tx, desk.office, contracts, desk.at):
        since = standing.unknown_since
        state = texts.state(standing, since and since.astimezone(desk.office.zone))
        foreign = await desk.tx.erp.in_other_currencies(contract.id)
        others = [one.receipt for one in foreign]
        lines.append(texts.contract_line(contract.terms, standing, state, others))
        review = await desk.tx.clause_reviews.of_contract(contract.id)
        if review is not None:
            deadline = review.deadline_at.astimezone(desk.office.zone)
            lines.append(texts.review_line(review.outcome, deadline, review.note))
    customers.tell_alone(desk, texts.receivables_title(account.name), "\n".join(lines))


async def _ask(desk: Desk, text: str) -> None:
    said = read_contract(text, desk.at, desk.office.calendar)
    account = await customer_in(desk, text)
    missing = {"客户": account, "合同号": said.number, "金额": said.amount_fen}
    lacking = [name for name, found in missing.items() if found is None]
    if account is None or said.number is None or said.amount_fen is None:
        desk.say(texts.contract_lacks(lacking) if len(lacking) < 3 else texts.CONTRACT_HOW)
        return
    await refuse_others(desk, account)
    terms = ContractTerms(
        number=said.number,
        amount_fen=said.amount_fen,
        signed_on=said.signed_on or desk.office.calendar.day_of(desk.at),
        prepayment_fen=said.prepayment_fen,
        prepayment_due_on=said.prepayment_due_on,
        post_paid=said.post_paid,
    )
    await _refuse_known(desk, terms.number)
    await _show_card(desk, account, terms)


async def _ask_to_amend(desk: Desk, text: str) -> None:
    """What is not said stays as it was; a share is one of the amount as it then is."""
    number = contract_number(text)
    if number is None:
        raise InvalidInput(texts.AMENDMENT_HOW)
    known = await desk.tx.contracts.find(number)
    if known is None:
        raise NotFound(texts.no_such_contract(number))
    amount = known.terms.amount_fen
    said = read_contract(text, desk.at, desk.office.calendar, share_of_fen=amount)
    account = await desk.tx.accounts.get(known.account_id)
    await refuse_others(desk, account)
    was = known.terms
    prepayment = said.prepayment_fen or was.prepayment_fen
    terms = replace(
        was,
        amount_fen=said.amount_fen or was.amount_fen,
        signed_on=said.signed_on or was.signed_on,
        prepayment_fen=None if said.post_paid else prepayment,
        prepayment_due_on=None
        if said.post_paid
        else said.prepayment_due_on or was.prepayment_due_on,
        post_paid=said.post_paid or (was.post_paid and prepayment is None),
    )
    await _show_card(desk, account, terms, amends=True)


async def _show_card(
    desk: Desk,
    account: Account,
    terms: ContractTerms,
    *,
    amends: bool = False,
    sha256: str = "",
    lines: tuple[str, ...] = (texts.CONTRACT_QUESTION,),
    read: dict[str, Any] | None = None,
) -> None:
    """sha256: of the file that a machine read. Raises InvalidInput for terms that cannot be."""
    why = rules.refusal_of(terms)
    if why:
        raise InvalidInput(texts.refusal(why))
    card_id = card_id_of(desk.incoming.source_id)
    card = _card(desk, account, terms, card_id=card_id, amends=amends)
    data = {"account_id": account.id, "terms": _to_json(terms), "sha256": sha256}
    data |= {"read": read} if read else {}
    card = replace(card, lines=lines)
    await desk.show(card, subject=f"account:{account.id}", data=data)


async def _record(
    desk: Desk,
    account: Account,
    terms: ContractTerms,
    *,
    sha256: str,
    read: dict[str, Any] | None,
) -> None:
    """sha256: of the file that a machine read; it goes with the contract, as does what was read."""
    due = rules.due_on(terms, desk.office.calendar, days=_days(desk))
    check_at = rules.due_at(terms, desk.office.calendar, days=_days(desk))
    contract = await desk.tx.contracts.add(
        terms, account_id=account.id, recorded_by=desk.rep.id, at=desk.at, check_at=check_at
    )
    if contract is None:
        await _refuse_known(desk, terms.number)
        raise Refused(texts.CONTRACT_GONE)
    if sha256:
        await files.use_loose(desk, account.id, sha256)
    await entries.enter_contract(
        desk.tx,
        contract,
        desk.at,
        by=desk.rep.id,
        source=desk.incoming.source_id,
        sha256=sha256,
        read=read,
    )
    claimed = await desk.tx.erp.claim(terms.number, contract.id)
    await following.note_contract(desk.tx, contract, account)
    desk.add(await following.follow(desk.tx, desk.office, [contract.id], desk.at))
    for line in claimed:
        await entries.enter_receipt(
            desk.tx, desk.office, contract, line.receipt, system=line.system, at=desk.at
        )
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="record_contract",
        subject=f"contract:{contract.id}",
        before={},
        after={"account_id": account.id, **_to_json(terms), "read_from": sha256},
    )
    desk.say(texts.contract_recorded(terms.number, due, len(claimed)))
    desk.add(await erp_orders.claim_contract(desk.tx, desk.office, contract, desk.at))
    desk.add(await erp_forecasts.follow(desk.tx, desk.office, [contract.id], desk.at))
    await erp_pairing.ask(desk, contract)


async def _amend(desk: Desk, terms: ContractTerms) -> None:
    known = await desk.tx.contracts.find(terms.number)
    if known is None:
        raise Refused(texts.CONTRACT_GONE)
    contract = replace(known, terms=terms)
    received = (await desk.tx.contracts.received([contract.id]))[contract.id]
    check_at = rules.due_at(terms, desk.office.calendar, days=_days(desk))
    reached = rules.is_reached(terms, received)
    await desk.tx.contracts.change(contract.id, terms, check_at=None if reached else check_at)
    desk.add(await following.follow(desk.tx, desk.office, [contract.id], desk.at))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="amend_contract",
        subject=f"contract:{contract.id}",
        before=_to_json(known.terms),
        after=_to_json(terms),
    )
    await entries.enter_contract(
        desk.tx,
        contract,
        desk.at,
        by=desk.rep.id,
        source=desk.incoming.source_id,
        amends=True,
    )
    due = rules.due_on(terms, desk.office.calendar, days=_days(desk))
    desk.say(texts.contract_amended(terms.number, due))
    await clause_reviews.close_as_amended(desk, contract)
    desk.add(await erp_forecasts.follow(desk.tx, desk.office, [contract.id], desk.at))


async def _refuse_known(desk: Desk, number: str) -> None:
    known = await desk.tx.contracts.find(number)
    if known is not None:
        owner = await desk.tx.accounts.get(known.account_id)
        raise Refused(texts.contract_known(number, owner.name, known.terms.amount_fen))


async def refuse_others(desk: Desk, account: Account) -> None:
    if not desk.rep.roles & SEES_ALL:
        await customers.refuse_foreign(desk, account)


async def customer_in(desk: Desk, text: str) -> Account | None:
    """The one customer that a sentence surely names."""
    sure = [mention.sure for mention in desk.office.customers.index.find(text)]
    names = {one.name for one in sure if one is not None}
    return await desk.tx.accounts.find_by_name(names.pop()) if len(names) == 1 else None


async def _named(desk: Desk, words: str) -> Account | None:
    """Who sees all receivables need not lead the customer's owner."""
    if desk.rep.roles & SEES_ALL:
        account = await customer_in(desk, words)
        if account is not None:
            return account
    account = await customers.named(desk, words)
    if account is not None:
        await customers.refuse_to_show(desk, account)
    return account


def _card(
    desk: Desk, account: Account, terms: ContractTerms, *, card_id: str, amends: bool = False
) -> Card:
    confirm = Button(AMEND, "确认变更") if amends else Button(CONFIRM, "确认登记")
    due = rules.due_on(terms, desk.office.calendar, days=_days(desk))
    return Card(
        card_id=card_id,
        title=texts.AMENDMENT_TITLE if amends else texts.CONTRACT_TITLE,
        lines=(texts.CONTRACT_QUESTION,),
        facts=tuple(texts.contract_facts(account.name, terms, due)),
        buttons=(replace(confirm, style="primary"), Button(DROP, "取消")),
    )


def _days(desk: Desk) -> int:
    return desk.office.policy.receivables.due_days


def _to_json(terms: ContractTerms) -> dict[str, Any]:
    due = terms.prepayment_due_on
    return {
        "number": terms.number,
        "amount_fen": terms.amount_fen,
        "signed_on": terms.signed_on.isoformat(),
        "prepayment_fen": terms.prepayment_fen,
        "prepayment_due_on": due.isoformat() if due else None,
        "post_paid": terms.post_paid,
    }


def _from_json(told: Mapping[str, Any]) -> ContractTerms:
    due = told["prepayment_due_on"]
    return ContractTerms(
        number=told["number"],
        amount_fen=told["amount_fen"],
        signed_on=date.fromisoformat(told["signed_on"]),
        prepayment_fen=told["prepayment_fen"],
        prepayment_due_on=date.fromisoformat(due) if due else None,
        post_paid=told["post_paid"],
    )
