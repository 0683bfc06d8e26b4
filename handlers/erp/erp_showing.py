"""What of the ERPs stands on a customer's card: its codes, its orders, and since when those are
unknown."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.opportunities import Account
from handlers.desk import Desk
from handlers.erp.erp_asking import SILENT_AFTER
from handlers.texts import erp as texts
from storage.erp import ORDERS

SHOWN = 3

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


async def lines(desk: Desk, account: Account) -> list[str]:
    """The newest orders; before them what silence hides."""
    found, total = await desk.tx.erp_orders.of_account(account.id, limit=SHOWN)
    shown = [texts.order_of_customer(one.order) for one in found]
    if total > len(found):
        shown.append(texts.orders_more(total))
    codes = {one.system for one in await desk.tx.erp_customers.of_account(account.id)}
    known = await desk.tx.erp.known_until(ORDERS)
    silent = []
    for system in desk.office.order_erps:
        since = known.get(system)
        if system in codes and desk.at - (since or _LONG_AGO) >= SILENT_AFTER:
            local = since and since.astimezone(desk.office.zone)
            silent.append(texts.orders_unknown_since(system, local))
    return [*silent, *shown]


async def facts(desk: Desk, account: Account) -> list[tuple[str, str]]:
    """The customer's codes in the ERPs."""
    found = await desk.tx.erp_customers.of_account(account.id)
    return [("ERP编码", texts.codes([one.told for one in found]))] if found else []
