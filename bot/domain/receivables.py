"""Whether a signed contract's prepayment has come in, and what its clause review came to.

Due on the prepayment date, else seven calendar days after signing; expected is the prepayment,
else anything above nothing; received are the bank lines less reversals. What the ERP has not
told is unknown, never unpaid. In words: docs/erp.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import WorkingCalendar

HOME_CURRENCY = "CNY"

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """What was agreed. amount_fen: of the whole contract. prepayment_fen: None where no amount
    was agreed. prepayment_due_on: None where no day was. post_paid: delivery before payment."""

    number: str
    amount_fen: int
    signed_on: date
    prepayment_fen: int | None = None
    prepayment_due_on: date | None = None
    post_paid: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract on record, of one customer. recorded_at: UTC."""

    id: int
    account_id: int
    terms: ContractTerms
    recorded_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of a receipt as an ERP tells it; `number` and `line` name it within its system.

    contract_number: as the ERP has it, "" for none. amount_fen: in `currency`'s hundredths,
    negative for a reversal. currency: CNY, or as the ERP calls another. payer: in the bank's
    words.
    """

    number: str
    line: str
    contract_number: str
    amount_fen: int
    currency: str
    received_on: date
    payer: str = ""


class Payment(StrEnum):
    """How a contract's prepayment stands."""

    POST_PAID = "post_paid"  # nothing is awaited before delivery
    REACHED = "reached"
    AWAITED = "awaited"  # not due yet
    MISSING = "missing"  # due, and the ERP was read since: it is not there
    UNKNOWN = "unknown"  # due, and the ERP was not read since


class Outcome(StrEnum):
    """What ended a clause review."""

    PAID = "paid"
    WAIT = "wait"  # until a day, then it is looked at again
    AMEND = "amend"
    STOP_DELIVERY = "stop_delivery"


@dataclass(frozen=True, slots=True)
class PrepaymentStanding:
    """How a contract's prepayment stands at a moment, with what that rests on. due_on: the last day
    to pay, on a working day; None when nothing is awaited. unknown_since: up to when the ERP's
    receipts are known; None also when never."""

    payment: Payment
    due_on: date | None
    received_fen: int
    unknown_since: datetime | None = None


def due_on(terms: ContractTerms, calendar: WorkingCalendar, *, days: int) -> date | None:
    """The last day to pay, moved from a day off to the next working day (Civil Code, 203).
    days: calendar days after signing, where no prepayment day was agreed."""
    if terms.post_paid:
        return None
    if terms.prepayment_due_on is not None:
        return calendar.workday_from(terms.prepayment_due_on)
    return calendar.period_end(terms.signed_on, days)


def due_at(terms: ContractTerms, calendar: WorkingCalendar, *, days: int) -> datetime | None:
    """The moment the last day to pay is over, UTC."""
    last = due_on(terms, calendar, days=days)
    return None if last is None else calendar.midnight(last + _DAY)


def expected_fen(terms: ContractTerms) -> int:
    """The least that must have come in."""
    return terms.prepayment_fen if terms.prepayment_fen is not None else 1


def is_reached(terms: ContractTerms, received_fen: int) -> bool:
    return received_fen >= expected_fen(terms)


def stand(
    terms: ContractTerms,
    received_fen: int,
    *,
    at: datetime,
    known_until: datetime | None,
    calendar: WorkingCalendar,
    days: int,
) -> PrepaymentStanding:
    """known_until: every receipt up to then has been told to us; None: nobody tells us."""
    last = due_on(terms, calendar, days=days)
    if last is None:
        return PrepaymentStanding(Payment.POST_PAID, None, received_fen)
    if is_reached(terms, received_fen):
        return PrepaymentStanding(Payment.REACHED, last, received_fen)
    over_at = calendar.midnight(last + _DAY)
    if at < over_at:
        return PrepaymentStanding(Payment.AWAITED, last, received_fen)
    if known_until is None or known_until < over_at:
        return PrepaymentStanding(Payment.UNKNOWN, last, received_fen, known_until)
    return PrepaymentStanding(Payment.MISSING, last, received_fen)


def refusal_of(terms: ContractTerms) -> str:
    """Why these terms cannot be, as a key for the words; "" when they can."""
    if terms.amount_fen <= 0:
        return "amount"
    if terms.prepayment_fen is not None and not 0 < terms.prepayment_fen <= terms.amount_fen:
        return "prepayment"
    if terms.post_paid and terms.prepayment_fen is not None:
        return "post_paid"
    if terms.prepayment_due_on is not None and terms.prepayment_due_on < terms.signed_on:
        return "due"
    return ""
