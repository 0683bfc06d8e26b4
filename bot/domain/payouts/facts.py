"""What happened: deals, payments, refunds, complaints, runs. Plain data, as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Scalar = str | int | bool | None

OUR_CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Share:
    """One person's part of a split; None: the person is not named."""

    person: str | None
    weight: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A signed contract. fields: everything that conditions may ask for, the typed ones too."""

    id: str
    contract_fen: int
    signed_at: datetime
    closer: str | None
    split: tuple[Share, ...] = ()
    currency: str = OUR_CURRENCY
    fields: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received on a deal, in fen."""

    deal: str
    fen: int
    at: datetime
    currency: str = OUR_CURRENCY


@dataclass(frozen=True, slots=True)
class Refund:
    """Money paid back on a deal, in fen."""

    deal: str
    fen: int
    at: datetime
    currency: str = OUR_CURRENCY


@dataclass(frozen=True, slots=True)
class Complaint:
    """Only upheld ones cost anything."""

    deal: str
    upheld: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PayoutRun:
    """What lies before it, or at the same moment, is paid by it and never changed again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class QuarterClose:
    """A quarter is closed at a moment. quarter: 2026Q1."""

    quarter: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """Commission paid before the file begins; its deal earns nothing anew, and can be clawed
    back. paid_quarter: 2026Q1."""

    deal: str
    person: str | None
    commission_fen: int
    paid_quarter: str


@dataclass(frozen=True, slots=True)
class ClawbackDue:
    """A person owes this, to be deducted from wages."""

    person: str
    fen: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Payroll:
    """What of one person's month limits a deduction. month: (year, month). min_wage_fen: what must
    be left of the gross wage."""

    person: str
    month: tuple[int, int]
    gross_fen: int
    min_wage_fen: int


class Attribution(StrEnum):
    """Of a month's amount to its deals."""

    INCREMENTAL = "incremental"  # each deal gets the rise of the rounded cumulative amount
    PROPORTIONAL = "proportional"  # by contract amount


class Clawback(StrEnum):
    """What a refund takes back."""

    PROPORTIONAL = "proportional"  # of each line, the refunded part of the base
    REEVALUATE = "reevaluate"  # the difference to the rules on contract minus refunds


@dataclass(frozen=True, slots=True)
class PayoutPolicy:
    """What a company may choose of how bonuses are computed. deduct_limit_bp: how much of a month's
    gross wage may be deducted."""

    attribution: Attribution = Attribution.INCREMENTAL
    clawback: Clawback = Clawback.PROPORTIONAL
    deduct_limit_bp: int = 2000


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a computation is given, each kind in the order of the file."""

    deals: tuple[Deal, ...]
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    runs: tuple[PayoutRun, ...] = ()
    quarter_closes: tuple[QuarterClose, ...] = ()
    openings: tuple[Opening, ...] = ()
    clawbacks_due: tuple[ClawbackDue, ...] = ()
    payrolls: tuple[Payroll, ...] = ()
    policy: PayoutPolicy = field(default_factory=PayoutPolicy)
