"""«待匹配订单»: orders of customers whom nobody knows here; somebody says whose they are.

Where the order has a customer code, it is the code that is linked, so every other order of that
customer follows, those to come too.
"""

from __future__ import annotations

from bot.domain.erp import ErpCustomer
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card, Field, Option
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_customers, erp_orders
from handlers.texts import erp as texts
from storage.erp_customers import StoredCustomer
from storage.erp_orders import StoredOrder

CARD = "erporder-"
MATCH, CUSTOMER = "match", "customer"
MOST_LISTED = 20
MOST_OFFERED = 8

_MAY = frozenset({Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN})


async def list_open(desk: Desk, _: str) -> None:
    """The list, and a card for the first of it."""
    _refuse_others(desk)
    found, total = await desk.tx.erp_orders.unmatched(limit=MOST_LISTED)
    if not found:
        desk.say(texts.NO_ORDERS_WAIT)
        return
    lines = [f"- {texts.order_line(one.order)}" for one in found]
    desk.say_privately(texts.ORDERS_TITLE, texts.listed(lines, total))
    await _show_card(desk, found[0])


async def match(desk: Desk, words: str) -> None:
    """«匹配订单 XSDD000012 恒锐机电»."""
    _refuse_others(desk)
    number, _, whom = words.strip().partition(" ")
    if not number or not whom.strip():
        raise InvalidInput(texts.MATCH_ORDER_HOW)
    found = await desk.tx.erp_orders.open_numbered(number)
    if not found:
        raise NotFound(texts.no_such_order(number))
    account = await customers.named(desk, whom.strip())
    if account is None:
        return
    for stored in found:
        await _match(desk, stored, account)


async def press(desk: Desk) -> None:
    """«匹配» on an order's card; the next one follows."""
    _refuse_others(desk)
    action = desk.message.action
    assert action is not None
    stored = await desk.tx.erp_orders.get(int(action.card_id.removeprefix(CARD)))
    if stored is None or stored.whose.account_id is not None:
        raise Refused(texts.ORDER_MATCHED_BEFORE)
    offered = {str(one.id): one for one in await _offered(desk, stored)}
    chosen = offered.get(action.values.get(CUSTOMER, ""))
    if chosen is None:
        raise Refused(texts.WHOSE_ORDER)
    await _match(desk, stored, chosen)
    closed = texts.order_matched(stored.order, chosen.name)
    card = Card(action.card_id, texts.ORDERS_TITLE, closed=closed)
    await desk.change(card, subject=_subject(stored))
    found, _ = await desk.tx.erp_orders.unmatched(limit=1)
    if found:
        await _show_card(desk, found[0])


async def _match(desk: Desk, stored: StoredOrder, account: Account) -> None:
    tx, order = desk.tx, stored.order
    contract = None
    if order.contract_number:
        contract = await tx.contracts.find(order.contract_number)
    if contract is not None and contract.account_id != account.id:
        theirs = await tx.accounts.get(contract.account_id)
        raise Refused(texts.contract_of_other(order, theirs.name))
    await tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="match_order",
        subject=f"account:{account.id}",
        before=None,
        after={"order": f"{stored.system}:{order.number}"},
    )
    code = await _customer_of(desk, stored)
    if code is not None and code.account_id is None:
        linked = await erp_customers.link(
            tx, desk.office, code, account, by=desk.rep.id, at=desk.at
        )
        desk.add(linked)
    left = await tx.erp_orders.get(stored.id)
    if left is not None and left.whose.account_id is None:
        desk.add(await erp_orders.give(tx, desk.office, left, account.id, desk.at))
    desk.say(texts.order_matched(order, account.name))


async def _customer_of(desk: Desk, stored: StoredOrder) -> StoredCustomer | None:
    """The ERP's customer whose order it is; one that the ERP has not told of is put on record
    as the order has it. None for an order that names nobody."""
    code, name = stored.order.customer_code, stored.order.customer_name
    if not code:
        return None
    known = (await desk.tx.erp_customers.known(stored.system, [code])).get(code)
    told = ErpCustomer(code, name or code)
    return known or await desk.tx.erp_customers.put(stored.system, told, at=desk.at)


async def _offered(desk: Desk, stored: StoredOrder) -> list[Account]:
    """Those that are most like the order's customer; the rest goes by words."""
    name = stored.order.customer_name
    if not name:
        return []
    told = ErpCustomer(stored.order.customer_code, name)
    return [one.account for one in await erp_customers.alike(desk.tx, told, desk.at)][:MOST_OFFERED]


async def _show_card(desk: Desk, stored: StoredOrder) -> None:
    offered = await _offered(desk, stored)
    options = tuple(Option(str(one.id), one.name) for one in offered)
    card_id = f"{CARD}{stored.id}"
    known = await desk.tx.cards.get(card_id)
    card = Card(
        card_id=card_id,
        title=texts.ORDERS_TITLE,
        lines=(texts.order_line(stored.order), texts.WHOSE_ORDER),
        fields=(Field(CUSTOMER, "客户", options=options),) if options else (),
        buttons=(Button(MATCH, "匹配", style="primary"),) if options else (),
        revision=known.revision + 1 if known is not None else 1,
    )
    await desk.show_privately(card, subject=_subject(stored))


def _refuse_others(desk: Desk) -> None:
    if not desk.rep.roles & _MAY:
        raise NotAllowed(texts.ONLY_FINANCE_MATCHES)


def _subject(stored: StoredOrder) -> str:
    return f"erp-order:{stored.id}"
