"""Incentive rules as they are computed with: one `Rule` is one published version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.payouts.conditions import Condition
from bot.domain.payouts.expressions import Expression
from bot.domain.payouts.money import BP


class Base(StrEnum):
    """What a rate is applied to: the contract's amount, or the payments received."""

    CONTRACT = "contract_fen"
    PAID = "paid_fen"


class Mode(StrEnum):
    """How the tiers of a rule are applied."""

    FLAT = "flat"  # one rate
    MARGINAL = "marginal"  # each slice at the rate of its tier
    WHOLE = "whole"  # everything at the rate of the highest tier reached
    FIXED = "fixed"  # an amount
    CAP = "cap"  # pays nothing, limits what the deal's other rules pay together


class Scope(StrEnum):
    """What the base is added up over."""

    DEAL = "deal"
    REP_MONTH = "rep_month"  # the closer's deals signed in one calendar month


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate from an amount on. from_fen: the first fen of the tier."""

    from_fen: int
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Collab:
    """Somebody else's share in what a rule pays. `share_bp` of the amount goes to the person in the
    deal's field `to` when `when` holds."""

    when: Expression
    share_bp: int
    to: str


@dataclass(frozen=True, slots=True)
class Penalty:
    """For each upheld complaint: an amount, or a share of the rule's commission on the deal.
    The deal's commission never falls below `floor_fen` by it."""

    per_complaint_fen: int = 0
    per_complaint_bp: int = 0
    floor_fen: int = 0


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Of the rules of one group that match a deal only the lowest priority number pays."""

    group: str
    priority: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule.

    In force for deals signed in [effective_from, effective_to), local days; None: open.
    when: all must hold. tiers, rate_bp, amount_fen, cap_fen: as `mode` needs. fund_bp: share
    of a person's quarter that goes to the growth fund. supersedes: the older version that this
    one replaces for the same days from `published_at` on (None: from the beginning).
    legal_approval: who allowed a retroactive cut. position: place in the file, from 0.
    """

    id: str
    version: int
    effective_from: date
    effective_to: date | None
    mode: Mode
    base: Base = Base.CONTRACT
    scope: Scope = Scope.DEAL
    when: tuple[Condition, ...] = ()
    rate_bp: int = 0
    tiers: tuple[Tier, ...] = ()
    amount_fen: int = 0
    cap_fen: int = 0
    collab: Collab | None = None
    penalty: Penalty | None = None
    exclusive: Exclusive | None = None
    fund_bp: int = 0
    supersedes: int | None = None
    published_at: datetime | None = None
    legal_approval: str = ""
    position: int = 0

    def covers(self, day: date) -> bool:
        """Whether it is in force for a deal signed on that local day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def exact_bp(self, base_fen: int) -> int:
        """What the base earns, exactly, in ten-thousandths of a fen. base_fen: not negative."""
        if self.mode is Mode.FLAT:
            return base_fen * self.rate_bp
        if self.mode is Mode.FIXED:
            return self.amount_fen * BP
        if self.mode is Mode.WHOLE:
            return base_fen * self.tier_of(base_fen).rate_bp
        exact = rate_below = 0
        for tier in self.tiers:  # each tier changes the rate of everything above its beginning
            if tier.from_fen >= base_fen:
                break
            exact += (base_fen - tier.from_fen) * (tier.rate_bp - rate_below)
            rate_below = tier.rate_bp
        return exact

    def tier_of(self, base_fen: int) -> Tier:
        """The highest tier reached."""
        reached = self.tiers[0]
        for tier in self.tiers:
            if tier.from_fen <= base_fen:
                reached = tier
        return reached

    def slices(self, base_fen: int) -> list[tuple[int, Tier]]:
        """(fen of the base that lie in the tier, tier), lowest first; empty ones left out."""
        ends = [tier.from_fen for tier in self.tiers[1:]] + [base_fen]
        return [
            (min(end, base_fen) - tier.from_fen, tier)
            for tier, end in zip(self.tiers, ends, strict=True)
            if tier.from_fen < base_fen
        ]
