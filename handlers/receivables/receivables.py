"""Receipts come in from the ERPs; contracts whose prepayment is missing go to review.

What the ERPs have not told yet is unknown, never unpaid (docs/erp.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain import receivables as rules
from bot.domain.receivables import HOME_CURRENCY, Contract, PrepaymentStanding, Receipt
from bot.messages import ErpNews, OutboundMessage
from handlers.desk import Desk, Office
from handlers.erp import erp_customers, erp_forecasts, erp_orders
from handlers.payouts import following
from handlers.receivables import clause_reviews
from handlers.receivables import receivable_entries as entries
from storage.unit_of_work import UnitOfWork


async def receive(desk: Desk) -> None:
    """A notification of an ERP. Customers first: orders are matched by them."""
    news, system = desk.message.news, desk.message.app
    assert news is not None
    await erp_customers.take(desk.tx, system, news.customers, desk.at)
    desk.add(await erp_orders.take(desk.tx, desk.office, system, news.orders, desk.at))
    desk.add(await take(desk.tx, desk.office, system, news, desk.at))


async def take(
    tx: UnitOfWork, office: Office, system: str, news: ErpNews, at: datetime
) -> list[OutboundMessage]:
    """Each line once, whatever way and however often it is told."""
    contracts = await tx.erp.contract_ids({one.contract_number for one in news.receipts})
    known = await tx.erp.known(system, {one.number for one in news.receipts})
    changed: list[tuple[Receipt, int | None]] = []
    concerned: set[int] = set()
    for receipt in news.receipts:
        stored = known.get((receipt.number, receipt.line))
        # A withdrawn line that was never on record is no news either.
        known_so = stored.receipt == receipt if stored is not None else receipt.amount_fen == 0
        if known_so:
            continue
        is_ours = receipt.currency == HOME_CURRENCY
        pays = contracts.get(receipt.contract_number) if is_ours else None
        paid_before = stored.contract_id if stored is not None else None
        changed.append((receipt, pays))
        concerned |= {one for one in (pays, paid_before) if one is not None}
    before = await tx.contracts.received(concerned)
    await tx.erp.put(system, changed, at=at)
    for receipt, pays in changed:
        if pays is not None:
            contract = await tx.contracts.get(pays)
            await entries.enter_receipt(tx, office, contract, receipt, system=system, at=at)
    paid = concerned | await _named_in_other_currencies(tx, changed)
    messages = await following.follow(tx, office, paid, at)
    messages += await after_change(tx, office, before, at)
    messages += await erp_forecasts.follow(tx, office, concerned, at)
    if news.complete_until is not None:
        await tx.erp.move_bookmark(system, min(news.complete_until, at))
    return messages + await check_due(tx, office, at)


async def _named_in_other_currencies(
    tx: UnitOfWork, changed: list[tuple[Receipt, int | None]]
) -> set[int]:
    """Contracts of receipts in a foreign currency: such a receipt pays none of them, and whoever
    settles bonuses has to know of it."""
    foreign = {one.contract_number for one, _ in changed if one.currency != HOME_CURRENCY}
    return set((await tx.erp.contract_ids(foreign)).values())


async def after_change(
    tx: UnitOfWork, office: Office, before: dict[int, int], at: datetime
) -> list[OutboundMessage]:
    """A payment that has become enough closes the review; one that no longer is, is looked at
    again. before: contract id -> fen received until now."""
    messages: list[OutboundMessage] = []
    now = await tx.contracts.received(before)
    for contract_id, was_fen in before.items():
        contract = await tx.contracts.get(contract_id)
        was, reached = (
            rules.is_reached(contract.terms, fen) for fen in (was_fen, now[contract_id])
        )
        if reached and not was:
            await tx.contracts.look_again(contract_id, None)
            messages += await clause_reviews.close_as_paid(
                tx, office, contract, now[contract_id], at
            )
        elif was and not reached:
            await tx.contracts.look_again(contract_id, due_at(office, contract))
    return messages


async def check_due(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    """Opens a review for each contract whose payment had to come by now and, as far as every
    ERP has told, did not."""
    until = await known_until(tx, office)
    if until is None:
        return []
    due = await tx.contracts.to_check(min(until, at))
    received = await tx.contracts.received(contract.id for contract in due)
    messages: list[OutboundMessage] = []
    for contract in due:
        await tx.contracts.look_again(contract.id, None)
        if not rules.is_reached(contract.terms, received[contract.id]):
            messages += await clause_reviews.open_for(
                tx, office, contract, received[contract.id], at
            )
    return messages


async def known_until(tx: UnitOfWork, office: Office) -> datetime | None:
    """Up to when all ERPs have told of every receipt; None while one never did, or there is
    none."""
    told = await tx.erp.known_until()
    if not office.erps or any(name not in told for name in office.erps):
        return None
    return min(told[name] for name in office.erps)


async def standings(
    tx: UnitOfWork, office: Office, contracts: Iterable[Contract], at: datetime
) -> list[tuple[Contract, PrepaymentStanding]]:
    known = await known_until(tx, office)
    listed = list(contracts)
    received = await tx.contracts.received(contract.id for contract in listed)
    return [
        (
            contract,
            rules.stand(
                contract.terms,
                received[contract.id],
                at=at,
                known_until=known,
                calendar=office.calendar,
                days=office.policy.receivables.due_days,
            ),
        )
        for contract in listed
    ]


def due_at(office: Office, contract: Contract) -> datetime | None:
    days = office.policy.receivables.due_days
    return rules.due_at(contract.terms, office.calendar, days=days)
