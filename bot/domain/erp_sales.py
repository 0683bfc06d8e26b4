"""Which expected sales an ERP is to hold: signed contracts, and deals that nobody has signed yet.

A sale is told once. A deal is told until its contract is; an order that the ERP holds takes its
own amount off what is forecast, as planning consumes a forecast by orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.levels import Level
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.receivables import Contract

WRITTEN: Mapping[int, frozenset[Level]] = {
    0: frozenset(),
    1: frozenset({Level.L1}),
    2: frozenset({Level.L1, Level.L2}),
}
"""Levels of deals that are told, by `erp.forecast_to_level`. An L2 whose customer was left in
silence (L2.5) is not one."""

_POSSIBLE = frozenset({OpportunityState.OPEN, OpportunityState.ON_HOLD, OpportunityState.WON})
"""A deal on hold or won is expected still; what is won and not signed is the surest of all."""


class Blocked(StrEnum):
    """Why a sale has no line though it should."""

    NO_CODE = "no_code"  # its customer has no code in that ERP
    NO_DAY = "no_day"  # a contract: no payment day was agreed
    NO_EXPECTED_DAY = "no_expected_day"  # a deal: nobody said when
    NO_AMOUNT = "no_amount"
    WHOSE_CONTRACT = "whose_contract"  # a contract may be its own or another deal's


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which contract is the sale of which deal. deal_of: contract -> its deal. unclear: contract ->
    the deals it may belong to, between which nobody guesses."""

    deal_of: Mapping[int, int]
    unclear: Mapping[int, tuple[int, ...]]

    @property
    def in_doubt(self) -> frozenset[int]:
        return frozenset(deal for deals in self.unclear.values() for deal in deals)


def pair(
    contracts: Iterable[Contract],
    deals: Iterable[Opportunity],
    *,
    orders: Mapping[int, Collection[str]],
    said: Mapping[int, int | None],
) -> Pairing:
    """Of one customer. orders: deal -> numbers of its purchase orders. said: contract -> the deal
    that somebody named, None for none of them.

    What was said counts first, then a purchase order of the contract's own number, then the same
    amount, then the only deal that is left. A deal that was opened after a contract came on record
    is not its, and no deal has two contracts but by word.
    """
    possible = {deal.id: deal for deal in deals if deal.state in _POSSIBLE}
    deal_of = {number: deal for number, deal in said.items() if deal is not None}
    listed = sorted((one for one in contracts if one.id not in said), key=lambda one: one.id)
    for one in listed:
        named = [deal for deal in possible if one.terms.number in orders.get(deal, ())]
        if one.id not in deal_of and len(named) == 1:
            deal_of[one.id] = named[0]
    for by_amount in (True, False):
        for one in listed:
            found = _left(one, possible.values(), deal_of.values(), by_amount=by_amount)
            if one.id not in deal_of and len(found) == 1:
                deal_of[one.id] = found[0]
    unclear = {one.id: _left(one, possible.values(), deal_of.values(), by_amount=False)
               for one in listed if one.id not in deal_of}  # fmt: skip
    return Pairing(deal_of, {number: tuple(of) for number, of in unclear.items() if of})


def _left(
    contract: Contract,
    deals: Iterable[Opportunity],
    taken: Collection[int],
    *,
    by_amount: bool,
) -> list[int]:
    recorded = contract.recorded_at
    return [
        deal.id
        for deal in deals
        if deal.id not in taken
        and (recorded is None or deal.created_at <= recorded)
        and (not by_amount or deal.amount_fen == contract.terms.amount_fen)
    ]


@dataclass(frozen=True, slots=True)
class Prospect:
    """A deal as it is forecast. ordered_fen: what orders of the ERP took of it. orders: numbers
    of its purchase orders. signed: a contract stands for it. in_doubt: one may."""

    deal: Opportunity
    level: Level | None
    expected_on: date | None
    customer_code: str | None
    ordered_fen: int = 0
    orders: Sequence[str] = ()
    signed: bool = False
    in_doubt: bool = False


def line_of(prospect: Prospect, *, to_level: int) -> ForecastFacts | Blocked | None:
    """What the ERP is to hold of a deal; None where it is no forecast, or no more. to_level: of the
    policy, see `WRITTEN`."""
    deal = prospect.deal
    level = prospect.level
    if level is None or level not in WRITTEN[to_level] or deal.state not in _POSSIBLE:
        return None
    if prospect.signed:
        return None
    if not deal.amount_fen:
        return Blocked.NO_AMOUNT
    left = deal.amount_fen - prospect.ordered_fen
    if left <= 0:
        return None
    if prospect.expected_on is None:
        return Blocked.NO_EXPECTED_DAY
    if prospect.customer_code is None:
        return Blocked.NO_CODE
    if prospect.in_doubt:
        return Blocked.WHOSE_CONTRACT
    return ForecastFacts(
        customer_code=prospect.customer_code,
        amount_fen=left,
        expected_on=prospect.expected_on,
        level=str(level),
        evidence="、".join(prospect.orders)[:80],
        opportunity=deal.name[:200],
    )
