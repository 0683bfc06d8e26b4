"""Which lines an ERP should hold of some customers: their contracts, and their deals until then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.domain import erp_sales as rules
from bot.domain import receivables as payment
from bot.domain.erp_forecasts import KEY_PREFIX, ForecastFacts
from bot.domain.erp_sales import Blocked, Pairing, Prospect
from bot.domain.levels import Evidence, EvidenceKind, LevelChange
from bot.domain.opportunities import Opportunity
from bot.domain.receivables import Contract
from handlers.desk import Office
from handlers.texts import erp as erp_texts
from handlers.texts import erp_sales as texts
from storage.erp_forecasts import ForecastWish
from storage.forecasts import Outlook
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Stopped:
    """What should be a line and cannot. label: as people know it."""

    key: str
    label: str
    why: Blocked


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one ERP should hold of some customers. silent: keys of sales of theirs that are no
    forecast, or not any more; those of what is blocked are among them."""

    wishes: tuple[ForecastWish, ...]
    silent: frozenset[str]
    blocked: tuple[Stopped, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is on record of some customers."""

    contracts: Collection[Contract]
    deals: Mapping[int, Collection[Opportunity]]
    levels: Mapping[int, LevelChange]
    outlooks: Mapping[int, Outlook]
    orders: Mapping[int, tuple[str, ...]]
    ordered: Mapping[int, int]
    pairing: Pairing


async def judge(
    tx: UnitOfWork, office: Office, system: str, account_ids: Collection[int]
) -> Wanted:
    known = await _read(tx, office, account_ids)
    codes = await tx.erp_customers.codes_of(system, account_ids)
    received = await tx.contracts.received(one.id for one in known.contracts)
    ordered = await tx.erp_orders.ordered_contracts([one.id for one in known.contracts])
    done = ordered | {one.id for one in known.contracts if received[one.id] >= one.terms.amount_fen}
    wishes: list[ForecastWish] = []
    blocked: list[Stopped] = []
    signed: set[int] = set()
    for contract in known.contracts:
        told = _of_contract(office, known, contract, codes.get(contract.account_id))
        deal_id = known.pairing.deal_of.get(contract.id)
        if contract.id not in done and isinstance(told, Blocked):
            blocked.append(Stopped(key_of(contract), contract.terms.number, told))
            continue
        signed |= {deal_id} if deal_id is not None else set()
        if contract.id not in done and isinstance(told, ForecastFacts):
            wishes.append(
                ForecastWish(key_of(contract), contract.account_id, told, contract.id, deal_id)
            )
    for deal in (deal for of in known.deals.values() for deal in of):
        prospect = _prospect(known, deal, codes.get(deal.account_id), is_signed=deal.id in signed)
        line = rules.line_of(prospect, to_level=office.policy.erp.forecast_to_level)
        key = key_of_deal(deal.id)
        if isinstance(line, Blocked):
            blocked.append(Stopped(key, texts.deal_label(key, deal.account_name), line))
        elif line is not None:
            wishes.append(ForecastWish(key, deal.account_id, line, opportunity_id=deal.id))
    keys = {key_of(one) for one in known.contracts}
    keys |= {key_of_deal(deal.id) for of in known.deals.values() for deal in of}
    return Wanted(tuple(wishes), frozenset(keys - {one.key for one in wishes}), tuple(blocked))


async def pairing_of(tx: UnitOfWork, office: Office, account_id: int) -> Pairing:
    """Which contracts of a customer belong to which of its deals."""
    return (await _read(tx, office, [account_id])).pairing


def key_of(contract: Contract) -> str:
    return f"{KEY_PREFIX}C{contract.id}"


def key_of_deal(opportunity_id: int) -> str:
    return f"{KEY_PREFIX}D{opportunity_id}"


async def _read(tx: UnitOfWork, office: Office, account_ids: Collection[int]) -> _Known:
    contracts = await tx.contracts.of_accounts(account_ids)
    deals = await tx.opportunities.of_accounts(account_ids)
    by_id = {deal.id: deal for of in deals.values() for deal in of}
    levels = await tx.levels.current(by_id)
    levelled = [number for number, change in levels.items() if change.after is not None]
    evidence = await tx.levels.evidence_of_many(levelled)
    orders = {number: _purchase_orders(of) for number, of in evidence.items()}
    consumed = await tx.erp_orders.of_deals(levelled)
    ordered = {
        number: sum(fen for day, fen in of
                    if day >= office.calendar.day_of(by_id[number].created_at))
        for number, of in consumed.items()
    }  # fmt: skip
    said = await tx.erp_forecasts.said_deals(one.id for one in contracts)
    return _Known(
        contracts,
        deals,
        levels,
        await tx.forecasts.outlooks(levelled),
        orders,
        ordered,
        _paired(contracts, deals, orders, said),
    )


def _paired(
    contracts: Iterable[Contract],
    deals: Mapping[int, Collection[Opportunity]],
    orders: Mapping[int, tuple[str, ...]],
    said: Mapping[int, int | None],
) -> Pairing:
    of_account: dict[int, list[Contract]] = {}
    for contract in contracts:
        of_account.setdefault(contract.account_id, []).append(contract)
    deal_of: dict[int, int] = {}
    unclear: dict[int, tuple[int, ...]] = {}
    for account_id, listed in of_account.items():
        ours = {one.id: said[one.id] for one in listed if one.id in said}
        found = rules.pair(listed, deals.get(account_id, ()), orders=orders, said=ours)
        deal_of |= found.deal_of
        unclear |= found.unclear
    return Pairing(deal_of, unclear)


def _purchase_orders(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    numbers = (
        one.number
        for one in evidence
        if one.kind is EvidenceKind.PURCHASE_ORDER and one.withdrawn_at is None
    )
    return tuple(dict.fromkeys(numbers))


def _of_contract(
    office: Office, known: _Known, contract: Contract, code: str | None
) -> ForecastFacts | Blocked:
    days = office.policy.receivables.due_days
    expected_on = payment.due_on(contract.terms, office.calendar, days=days)
    if expected_on is None:
        return Blocked.NO_DAY
    if code is None:
        return Blocked.NO_CODE
    deal_id = known.pairing.deal_of.get(contract.id)
    names = {deal.id: deal.name for deal in known.deals.get(contract.account_id, ())}
    return ForecastFacts(
        customer_code=code,
        amount_fen=contract.terms.amount_fen,
        expected_on=expected_on,
        level=erp_texts.LEVEL_CONTRACT,
        evidence=contract.terms.number,
        opportunity=names.get(deal_id, "") if deal_id is not None else "",
    )


def _prospect(known: _Known, deal: Opportunity, code: str | None, *, is_signed: bool) -> Prospect:
    change = known.levels.get(deal.id)
    outlook = known.outlooks.get(deal.id)
    return Prospect(
        deal=deal,
        level=change.after if change is not None else None,
        expected_on=outlook.expected_on if outlook is not None else None,
        customer_code=code,
        ordered_fen=known.ordered.get(deal.id, 0),
        orders=known.orders.get(deal.id, ()),
        signed=is_signed,
        in_doubt=deal.id in known.pairing.in_doubt,
    )
