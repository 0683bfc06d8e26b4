"""Receipts that name no contract of ours: finance sees them and says which they pay."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.people import Role
from bot.domain.receivables import Contract
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card, Field, Option
from handlers.desk import Desk
from handlers.erp import erp_forecasts
from handlers.payouts import following
from handlers.receivables import receivable_entries as entries
from handlers.receivables import receivables
from handlers.texts import receivables as texts
from handlers.understanding.contracts import contract_number
from storage.erp import StoredReceipt

MATCH = "match"
CONTRACT = "contract"
MOST_LISTED = 20
MOST_OFFERED = 10

_MAY_MATCH = frozenset({Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN})


async def list_open(desk: Desk, _: str) -> None:
    """«待匹配回款»: the list, and a card for the first of it."""
    _refuse_others(desk)
    found, total = await desk.tx.erp.unmatched(limit=MOST_LISTED)
    if not found:
        desk.say(texts.NOTHING_UNMATCHED)
        return
    lines = [texts.unmatched_line(one.receipt) for one in found]
    desk.say_privately(texts.UNMATCHED_TITLE, texts.unmatched(lines, total))
    await _show_card(desk, found[0])


async def match(desk: Desk, words: str) -> None:
    """«匹配 SKD000012 HT-2026-018»."""
    _refuse_others(desk)
    receipt_number, _, rest = words.strip().partition(" ")
    number = contract_number(rest)
    if not receipt_number or number is None:
        raise InvalidInput(texts.MATCH_HOW)
    contract = await desk.tx.contracts.find(number)
    if contract is None:
        raise NotFound(texts.no_such_contract(number))
    lines = await desk.tx.erp.open_lines(receipt_number)
    if not lines:
        raise NotFound(texts.no_such_receipt(receipt_number))
    for line in lines:
        await _match(desk, line, contract)


async def press(desk: Desk) -> None:
    """«匹配» on a receipt's card; the next open one follows."""
    _refuse_others(desk)
    action = desk.message.action
    assert action is not None
    stored = await desk.tx.erp.get(int(action.card_id.removeprefix("receipt-")))
    if stored is None or stored.contract_id is not None:
        raise Refused(texts.MATCHED_BEFORE)
    chosen = action.values.get(CONTRACT, "")
    offered = {str(one.id): one for one in await _offered(desk, stored)}
    if chosen not in offered:
        raise Refused(texts.WHICH_CONTRACT)
    contract = offered[chosen]
    await _match(desk, stored, contract)
    card = replace(await _card(desk, stored), buttons=(), fields=())
    closed = texts.matched(stored.receipt, contract.terms.number)
    await desk.change(replace(card, closed=closed), subject=_subject(stored))
    found, _ = await desk.tx.erp.unmatched(limit=1)
    if found:
        await _show_card(desk, found[0])


async def _match(desk: Desk, stored: StoredReceipt, contract: Contract) -> None:
    before = await desk.tx.contracts.received([contract.id])
    if await desk.tx.erp.match(stored.id, contract.id) is None:
        raise Refused(texts.MATCHED_BEFORE)
    desk.add(await following.follow(desk.tx, desk.office, [contract.id], desk.at))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="match_receipt",
        subject=f"contract:{contract.id}",
        before={},
        after={"receipt": f"{stored.system}:{stored.receipt.number}:{stored.receipt.line}"},
    )
    await entries.enter_receipt(
        desk.tx, desk.office, contract, stored.receipt, system=stored.system, at=desk.at
    )
    desk.say(texts.matched(stored.receipt, contract.terms.number))
    desk.add(await receivables.after_change(desk.tx, desk.office, before, desk.at))
    desk.add(await erp_forecasts.follow(desk.tx, desk.office, [contract.id], desk.at))
    desk.add(await receivables.check_due(desk.tx, desk.office, desk.at))


async def _offered(desk: Desk, stored: StoredReceipt) -> list[Contract]:
    """The payer's contracts first, then the newest; the rest goes by words."""
    found: dict[int, Contract] = {}
    for mention in desk.office.customers.index.find(stored.receipt.payer):
        for candidate in mention.candidates:
            if candidate.key is not None:
                of_payer = await desk.tx.contracts.of_account(candidate.key)
                found |= {one.id: one for one in of_payer}
    found |= {one.id: one for one in await desk.tx.contracts.latest(limit=MOST_OFFERED)}
    return list(found.values())[:MOST_OFFERED]


async def _show_card(desk: Desk, stored: StoredReceipt) -> None:
    card = await _card(desk, stored)
    known = await desk.tx.cards.get(card.card_id)
    revision = known.revision + 1 if known is not None else card.revision
    await desk.show_privately(replace(card, revision=revision), subject=_subject(stored))


async def _card(desk: Desk, stored: StoredReceipt) -> Card:
    offered = await _offered(desk, stored)
    options = tuple(Option(str(one.id), one.terms.number) for one in offered)
    return Card(
        card_id=f"receipt-{stored.id}",
        title=texts.UNMATCHED_TITLE,
        lines=(texts.unmatched_line(stored.receipt).removeprefix("- "), texts.WHICH_CONTRACT),
        fields=(Field(CONTRACT, "合同", options=options),) if options else (),
        buttons=(Button(MATCH, "匹配", style="primary"),),
    )


def _refuse_others(desk: Desk) -> None:
    if not desk.rep.roles & _MAY_MATCH:
        raise NotAllowed(texts.ONLY_FINANCE)


def _subject(stored: StoredReceipt) -> str:
    return f"receipt:{stored.id}"
