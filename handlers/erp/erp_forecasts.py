"""Forecast lines for the ERPs: kept in step with contracts and deals, and the queue that writes
them.

A line is a contract on record for which the ERP shows no confirmed order, or a deal at a level that
the policy names (`erp.forecast_to_level`) until its contract takes its place. A missing day or
amount blocks a line; what is paid, ordered, lost or lowered is withdrawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain import erp_sales as rules
from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.erp_sales import Blocked
from bot.domain.levels import LevelChange
from bot.domain.opportunities import Opportunity
from bot.domain.receivables import Contract
from bot.messages import Address, ForecastLine, OutboundMessage, Platform, Text
from handlers.desk import Office
from handlers.erp import erp_sales
from handlers.erp.erp_sales import Wanted
from handlers.texts import erp_sales as texts
from storage.erp_forecasts import SENT, ForecastRevision, ForecastWish, dedupe_key
from storage.unit_of_work import UnitOfWork


async def follow(
    tx: UnitOfWork, office: Office, contract_ids: Collection[int], at: datetime
) -> list[OutboundMessage]:
    """Something about these contracts has changed: the lines that are to be written now."""
    if not contract_ids or not office.forecast_erps:
        return []
    contracts = [await tx.contracts.get(number) for number in sorted(set(contract_ids))]
    return await follow_accounts(tx, office, {one.account_id for one in contracts}, at)


async def follow_accounts(
    tx: UnitOfWork, office: Office, account_ids: Collection[int], at: datetime
) -> list[OutboundMessage]:
    """Something about what these customers buy has changed."""
    messages: list[OutboundMessage] = []
    for system in office.forecast_erps if account_ids else ():
        messages += await refresh(
            tx, system, await erp_sales.judge(tx, office, system, account_ids), at
        )
    return messages


async def follow_withdrawn(
    tx: UnitOfWork, office: Office, contract: Contract, at: datetime
) -> list[OutboundMessage]:
    """The contract is off the record; its deal is a forecast again."""
    messages: list[OutboundMessage] = []
    for system in office.forecast_erps:
        wanted = await erp_sales.judge(tx, office, system, [contract.account_id])
        silent = wanted.silent | {erp_sales.key_of(contract)}
        messages += await refresh(tx, system, replace(wanted, silent=silent), at)
    return messages


async def on_level(
    tx: UnitOfWork, office: Office, deal: Opportunity, change: LevelChange
) -> list[OutboundMessage]:
    """A follower of `handlers.levels.changing`. The rep hears at once what the deal lacks to be
    told to planning."""
    told = rules.WRITTEN[office.policy.erp.forecast_to_level]
    if not office.forecast_erps or not told & {change.before, change.after}:
        return []
    messages: list[OutboundMessage] = []
    lacking: set[Blocked] = set()
    key = erp_sales.key_of_deal(deal.id)
    for system in office.forecast_erps:
        wanted = await erp_sales.judge(tx, office, system, [deal.account_id])
        messages += await refresh(tx, system, wanted, change.at)
        lacking |= {one.why for one in wanted.blocked if one.key == key}
    if change.after in told and change.before not in told:
        messages += await _tell_lacking(tx, office, deal, lacking, key=f"level:{change.id}")
    return messages


async def on_deal(
    tx: UnitOfWork, office: Office, before: Opportunity, after: Opportunity, at: datetime
) -> list[OutboundMessage]:
    """The deal, locked, has been saved otherwise than it was. Costs nothing unless its amount or
    its state changed."""
    same = before.amount_fen == after.amount_fen and before.state is after.state
    if same or not office.forecast_erps:
        return []
    return await follow_accounts(tx, office, [after.account_id], at)


async def _tell_lacking(
    tx: UnitOfWork, office: Office, deal: Opportunity, lacking: Collection[Blocked], *, key: str
) -> list[OutboundMessage]:
    """What its rep can mend, to the rep."""
    words = texts.deal_lacks(deal.account_name, lacking)
    to = office.address_of(await tx.people.get(deal.owner_id)) if words else None
    return [OutboundMessage(f"erp-lacks:{key}", to, Text(words))] if to is not None else []


async def judge_all(
    tx: UnitOfWork, office: Office, system: str, before: Mapping[str, ForecastRevision]
) -> Wanted:
    """What one ERP should hold of everybody. before: its lines by key; those of sales that are no
    more are silent too."""
    accounts = {one.account_id for one in await tx.contracts.list_all()}
    for level in rules.WRITTEN[office.policy.erp.forecast_to_level]:
        numbers = [change.opportunity_id for change in await tx.levels.at_level(level)]
        deals = await tx.opportunities.list_some(numbers)
        accounts |= {deal.account_id for deal in deals.values()}
    wanted = await erp_sales.judge(tx, office, system, accounts)
    known = frozenset(before) - {wish.key for wish in wanted.wishes}
    return replace(wanted, silent=wanted.silent | known)


async def refresh(
    tx: UnitOfWork, system: str, wanted: Wanted, at: datetime
) -> list[OutboundMessage]:
    """One message for each line that is to be otherwise than it was last asked for."""
    keys = {wish.key for wish in wanted.wishes} | wanted.silent
    latest = await tx.erp_forecasts.latest(system, keys)
    messages: list[OutboundMessage] = []
    for wish in wanted.wishes:
        stands = latest.get(wish.key)
        if stands is None or stands.wish.facts != wish.facts:
            messages.append(await ask(tx, system, wish, at))
    ended = [latest[key].wish for key in sorted(wanted.silent & latest.keys())]
    standing = [wish for wish in ended if not wish.facts.withdrawn]
    return messages + [await ask(tx, system, withdrawn(wish), at) for wish in standing]


async def ask(
    tx: UnitOfWork,
    system: str,
    wish: ForecastWish,
    at: datetime,
    *,
    by: int | None = None,
    overwrite: bool = False,
) -> OutboundMessage:
    """Append a revision, and the message that writes it; what still waits to be written of this
    line is dropped. overwrite: whatever stands there."""
    past = await tx.erp_forecasts.since_last_written(system, wish.key)
    revision = past[-1].revision + 1 if past else 1
    subject = f"forecast:{system}:{wish.key}"
    await tx.delivery.supersede(subject, at=at)
    await tx.erp_forecasts.append(system, wish, revision=revision, at=at, by=by)
    stood = bool(past) and past[0].state == SENT and not past[0].wish.facts.withdrawn
    line = ForecastLine(
        wish.key,
        wish.facts,
        ours=tuple(dict.fromkeys(one.wish.facts for one in past)),
        stood=stood,
        overwrite=overwrite,
    )
    to = Address(Platform.ERP, system, user_id=wish.key)
    return OutboundMessage(dedupe_key(system, wish.key, revision), to, line, subject=subject)


def withdrawn(wish: ForecastWish) -> ForecastWish:
    """The same line, taken back: nothing is expected of it."""
    facts = ForecastFacts(
        customer_code=wish.facts.customer_code,
        amount_fen=0,
        expected_on=wish.facts.expected_on,
        level=wish.facts.level,
        evidence=wish.facts.evidence,
        opportunity=wish.facts.opportunity,
        withdrawn=True,
    )
    return ForecastWish(
        wish.key, wish.account_id, facts, wish.contract_id, wish.opportunity_id
    )  # fmt: skip


async def all_latest(tx: UnitOfWork, office: Office) -> list[ForecastRevision]:
    """The newest revision of every line in every ERP."""
    found: list[ForecastRevision] = []
    for system in office.forecast_erps:
        found += (await tx.erp_forecasts.latest(system)).values()
    return found
