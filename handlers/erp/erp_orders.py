"""Sales orders out of the ERPs: whose they are, and what they say in the customer's stream.

An order is matched by its customer's code, or by the contract that it names. Where the two are
of different customers nobody is taken, and the order waits in the list to match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time

from bot.domain import erp as rules
from bot.domain.erp import STANDING, ErpOrder
from bot.domain.receivables import Contract
from bot.messages import OutboundMessage
from handlers.desk import Office
from handlers.erp import erp_forecasts
from handlers.erp.erp_entries import enter
from handlers.texts import erp as texts
from storage.erp_customers import StoredCustomer
from storage.erp_orders import StoredOrder, Whose
from storage.unit_of_work import UnitOfWork


async def take(
    tx: UnitOfWork, office: Office, system: str, told: Iterable[ErpOrder], at: datetime
) -> list[OutboundMessage]:
    """Each once, whatever way and however often it is told. One that was never confirmed, or
    was cancelled before we knew it, is no news."""
    orders = {order.number: order for order in told}
    known = await tx.erp_orders.known(system, orders)
    fresh = [
        order
        for number, order in orders.items()
        if (known[number].order != order if number in known else order.status in STANDING)
    ]
    codes = await tx.erp_customers.known(system, {order.customer_code for order in fresh} - {""})
    concerned: set[int] = set()
    for order in fresh:
        before = known.get(order.number)
        code = codes.get(order.customer_code)
        whose = await _whose(tx, order, code.account_id if code else None, before)
        stored = await tx.erp_orders.put(system, order, whose, at=at)
        await _enter(tx, office, stored, before, at)
        concerned |= {one for one in (whose.account_id, before and before.whose.account_id) if one}
    return await erp_forecasts.follow_accounts(tx, office, concerned, at)


async def claim(
    tx: UnitOfWork, office: Office, customer: StoredCustomer, at: datetime
) -> tuple[int, list[OutboundMessage]]:
    """A customer of an ERP was linked to one of ours: its orders that were nobody's are that
    one's; how many."""
    waiting = await tx.erp_orders.open_of_code(customer.system, customer.told.code)
    return await _assign(tx, office, waiting, customer.account_id, at)


async def claim_contract(
    tx: UnitOfWork, office: Office, contract: Contract, at: datetime
) -> list[OutboundMessage]:
    """A contract came on record: orders that name it, and are nobody's or its customer's, are
    of it."""
    waiting = await tx.erp_orders.open_naming(contract.terms.number)
    concerned: set[int] = set()
    for stored in waiting:
        codes: Mapping[str, StoredCustomer] = {}
        if stored.order.customer_code:
            codes = await tx.erp_customers.known(stored.system, [stored.order.customer_code])
        code = codes.get(stored.order.customer_code)
        account_id = stored.whose.account_id or (code.account_id if code else None)
        whose = await _whose(tx, stored.order, account_id, stored)
        if whose == stored.whose:
            continue
        again = await tx.erp_orders.put(stored.system, stored.order, whose, at=at)
        if stored.whose.account_id is None:
            await _enter(tx, office, again, None, at)
        concerned.add(contract.account_id)
    return await erp_forecasts.follow_accounts(tx, office, concerned, at)


async def give(
    tx: UnitOfWork, office: Office, stored: StoredOrder, account_id: int, at: datetime
) -> list[OutboundMessage]:
    """Somebody has said whose an order is that names no customer."""
    _, messages = await _assign(tx, office, [stored], account_id, at)
    return messages


async def _assign(
    tx: UnitOfWork,
    office: Office,
    orders: Iterable[StoredOrder],
    account_id: int | None,
    at: datetime,
) -> tuple[int, list[OutboundMessage]]:
    concerned: set[int] = set()
    count = 0
    for stored in orders:
        whose = await _whose(tx, stored.order, account_id, stored)
        assigned = await tx.erp_orders.assign(stored.id, whose) if whose.account_id else None
        if assigned is not None:
            await _enter(tx, office, assigned, None, at)
            concerned |= {whose.account_id} if whose.account_id else set()
            count += 1
    return count, await erp_forecasts.follow_accounts(tx, office, concerned, at)


async def _whose(
    tx: UnitOfWork, order: ErpOrder, account_id: int | None, before: StoredOrder | None
) -> Whose:
    """account_id: of the order's customer code. What somebody has said before stays, where the
    ERP says nothing of it."""
    contract = None
    if order.contract_number:
        contract = await tx.contracts.find(order.contract_number)
    match = rules.match_order(account_id, contract)
    if match.contradicts:
        return before.whose if before is not None else Whose()
    owner = match.account_id or (before.whose.account_id if before else None)
    if owner is None:
        return Whose()
    if before is not None and before.whose.account_id == owner and before.whose.opportunity_id:
        return Whose(owner, match.contract_id, before.whose.opportunity_id)
    deal = rules.the_deal(await tx.opportunities.of_account(owner))
    return Whose(owner, match.contract_id, deal.id if deal else None)


async def _enter(
    tx: UnitOfWork,
    office: Office,
    stored: StoredOrder,
    before: StoredOrder | None,
    at: datetime,
) -> None:
    """Once per order and change, with whomever it is; and with whom it was."""
    order, whose = stored.order, stored.whose
    key = f"erp-order:{stored.system}:{order.number}:{stored.revision}"
    was = before.whose.account_id if before else None
    if was is not None and was != whose.account_id:
        text = texts.order_moved(order)
        await enter(tx, was, texts.ORDER_CHANGED, text, occurred_at=at, at=at, key=f"{key}:gone")
    if whose.account_id is None:
        return
    is_new = before is None or was != whose.account_id
    begun = min(office.calendar.moment(order.ordered_on, time.min), at)
    await enter(
        tx,
        whose.account_id,
        texts.ORDER if is_new else texts.ORDER_CHANGED,
        texts.order_entry(order) if is_new or before is None
        else texts.order_changes(before.order, order),
        occurred_at=begun if is_new else at,
        at=at,
        key=key,
        opportunity_id=whose.opportunity_id,
    )  # fmt: skip
