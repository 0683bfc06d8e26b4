"""What an ERP tells of customers and orders, and what of an order may be believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.receivables import HOME_CURRENCY, Contract

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ErpCustomer:
    """A customer as an ERP has it; `code` names it within its system. credit_code: in one
    spelling, valid or not, "" if none. active: neither disabled nor unaudited there."""

    code: str
    name: str
    credit_code: str = ""
    phone: str = ""
    active: bool = True


class OrderStatus(StrEnum):
    """DRAFT: not, or no more, audited. CLOSED: done with, by hand or by delivery."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


STANDING = frozenset({OrderStatus.CONFIRMED, OrderStatus.CLOSED})


@dataclass(frozen=True, slots=True)
class ErpOrder:
    """A sales order as an ERP has it; `number` names it within its system.

    amount_fen: the order's total with tax, in `currency`'s hundredths. lines_fen: what its
    `line_count` lines add up to. delivery_on: the latest day of its lines, None if none is said.
    contract_number: as the ERP has it, "" for none.
    """

    number: str
    customer_code: str
    customer_name: str
    amount_fen: int
    lines_fen: int
    line_count: int
    currency: str
    ordered_on: date
    status: OrderStatus
    delivery_on: date | None = None
    contract_number: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that an ERP told and nobody could understand. ref: its number or code, as far as it
    has one. raw: as told, JSON."""

    ref: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class ErpAnswer(Generic[Row]):
    """All that an ERP told since some moment; what could not be read stands apart."""

    rows: tuple[Row, ...]
    unread: tuple[Unread, ...] = ()


class Flaw(StrEnum):
    """Why an order proves no sale."""

    NOT_AUDITED = "not_audited"
    CANCELLED = "cancelled"
    FOREIGN = "foreign"  # in another currency, so no amount of ours
    NOT_POSITIVE = "not_positive"
    LINES_DIFFER = "lines_differ"  # the lines do not add up to the total


def flaw_of(order: ErpOrder) -> Flaw | None:
    """None for an order that a forecast may rest on as evidence."""
    if order.status is OrderStatus.CANCELLED:
        return Flaw.CANCELLED
    if order.status is OrderStatus.DRAFT:
        return Flaw.NOT_AUDITED
    if order.currency != HOME_CURRENCY:
        return Flaw.FOREIGN
    if order.amount_fen <= 0:
        return Flaw.NOT_POSITIVE
    return Flaw.LINES_DIFFER if order.amount_fen != order.lines_fen else None


@dataclass(frozen=True, slots=True)
class OrderMatch:
    """Whose order it is. contradicts: its customer and its contract are two customers of ours,
    so nobody's until somebody says."""

    account_id: int | None = None
    contract_id: int | None = None
    contradicts: bool = False


def match_order(account_id: int | None, contract: Contract | None) -> OrderMatch:
    """account_id: of the customer that has the order's customer code. contract: on record under
    the number that the order names."""
    if contract is None:
        return OrderMatch(account_id)
    if account_id is None or account_id == contract.account_id:
        return OrderMatch(contract.account_id, contract.id)
    return OrderMatch(contradicts=True)


_OF_AN_ORDER = frozenset({OpportunityState.OPEN, OpportunityState.ON_HOLD, OpportunityState.WON})


def the_deal(deals: Iterable[Opportunity]) -> Opportunity | None:
    """The opportunity that an order or a contract of a customer belongs to, where there is only
    one that it can: nobody guesses between two."""
    possible = [deal for deal in deals if deal.state in _OF_AN_ORDER]
    return possible[0] if len(possible) == 1 else None
