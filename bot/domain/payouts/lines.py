"""What a computation gives: lines of fen, and what a person must settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

UNASSIGNED = "__unassigned__"
"""The recipient of money of which it is not known whose it is."""


class Kind(StrEnum):
    """What a line of a payout is for."""

    COMMISSION = "commission"
    COLLAB = "collab"
    PENALTY = "penalty"  # upheld complaints
    CLAWBACK = "clawback"  # refunds
    ADJUSTMENT = "adjustment"  # a correction of what an earlier run has paid
    DEDUCTION = "deduction"  # from wages, of a clawback that is due


class Line(NamedTuple):
    """One amount for one person. Never edited, only followed by others.

    deal, rule_id, rule_version: None where there is none. run: local day of the payout run
    that it falls in, None while there is none. why: the calculation in one Chinese sentence.
    """

    deal: str | None
    person: str
    kind: Kind
    fen: int
    rule_id: str | None
    rule_version: int | None
    run: date | None
    why: str


class Reason(StrEnum):
    """Why something waits for a person. A missing person is `<field>_missing` instead."""

    UNKNOWN_DEAL = "unknown_deal"
    FOREIGN_CURRENCY = "foreign_currency"
    NEGATIVE_CONTRACT = "negative_contract"
    CLOSER_MISSING = "closer_missing"
    SPLIT_WEIGHTS_ZERO = "split_weights_zero"
    SPLIT_WEIGHT_NEGATIVE = "split_weight_negative"
    SPLIT_PERSON_MISSING = "split_person_missing"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    REFUND_EXCEEDS_PAID = "refund_exceeds_paid"
    OPENING_WITHOUT_DEAL = "opening_without_deal"
    RETROACTIVE_CUT = "retroactive_cut"
    FUND_SHARE_DIFFERS = "fund_share_differs"


@dataclass(frozen=True, slots=True)
class Review:
    """An open item. deal: None when it is about none. why: Chinese, what was done meanwhile."""

    reason: str
    deal: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a computation of payouts comes to. fund_fen, cash_fen: by person, of the
    quarters closed. carry_fen: by person, what wages could not bear yet. None where nothing of the
    kind was asked."""

    lines: tuple[Line, ...]
    needs_review: tuple[Review, ...] = ()
    fund_fen: Mapping[str, int] | None = None
    cash_fen: Mapping[str, int] | None = None
    carry_fen: Mapping[str, int] | None = None
    by_person: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        totals: dict[str, int] = {}
        for line in self.lines:
            totals[line.person] = totals.get(line.person, 0) + line.fen
        object.__setattr__(self, "by_person", totals)
