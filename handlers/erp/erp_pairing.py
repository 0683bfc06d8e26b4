"""Which deal a contract belongs to, where nobody can tell from the record: asked, and said."""

from __future__ import annotations

import re

from bot.domain.people import Role
from bot.domain.receivables import Contract
from bot.errors import InvalidInput, NotFound
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_forecasts, erp_sales
from handlers.texts import erp_sales as texts

_MAY_DECIDE = frozenset({Role.PLANNING, Role.SALES_DIRECTOR, Role.ADMIN})
_SAID = re.compile(r"^(?P<number>\S+?)\s*(?:是\s*(?P<key>GD-D\d{1,12})|(?P<none>没有商机))$", re.I)


async def ask(desk: Desk, contract: Contract) -> None:
    """A contract came on record: whoever recorded it is asked, where it matters and is unclear."""
    if not desk.office.forecast_erps:
        return
    pairing = await erp_sales.pairing_of(desk.tx, desk.office, contract.account_id)
    numbers = pairing.unclear.get(contract.id, ())
    if not numbers:
        return
    deals = await desk.tx.opportunities.list_some(numbers)
    listed = [(erp_sales.key_of_deal(one), deals[one].name) for one in numbers]
    desk.say(texts.which_deal(contract.terms.number, listed))


async def say(desk: Desk, words: str) -> None:
    """«ERP预测 HT-2026-018 是 GD-D5», «… 没有商机», by planning and whoever may log for the
    customer. Raises InvalidInput, NotAllowed, NotFound."""
    match = _SAID.match(words.strip())
    if match is None:
        raise InvalidInput(texts.PAIR_HOW)
    contract = await desk.tx.contracts.find(match["number"])
    if contract is None:
        raise NotFound(texts.no_such_contract(match["number"]))
    account = await desk.tx.accounts.get(contract.account_id)
    if not desk.rep.roles & _MAY_DECIDE:
        await customers.refuse_foreign(desk, account)
    key = (match["key"] or "").upper()
    deals = await desk.tx.opportunities.of_account(account.id)
    chosen = next((one.id for one in deals if erp_sales.key_of_deal(one.id) == key), None)
    if key and chosen is None:
        raise NotFound(texts.no_such_pair(contract.terms.number, key))
    await desk.tx.erp_forecasts.say_deal(contract.id, chosen, by=desk.rep.id, at=desk.at)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="pair_contract",
        subject=f"contract:{contract.id}",
        before={},
        after={"opportunity_id": chosen},
    )
    desk.add(await erp_forecasts.follow_accounts(desk.tx, desk.office, [account.id], desk.at))
    desk.say(texts.deal_said(contract.terms.number, key))
