"""What rules award for deals as they stand: conditions, exclusive groups, amounts, months,
collaboration, splits, caps. Nothing here knows of time, refunds or what was booked before.

The records are named tuples: a month makes a million of them, in a third of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.domain.payouts.facts import Attribution, Deal
from bot.domain.payouts.lines import UNASSIGNED, Kind
from bot.domain.payouts.money import BP, largest_remainder, rounded
from bot.domain.payouts.rules import Base, Mode, Rule, Scope
from bot.domain.payouts.versions import CompiledRule


class JudgedDeal(NamedTuple):
    """A deal as it is to be judged. rules: in force for it, in file order.

    paid_fen: payments received, for conditions. kept_fen: those minus refunds, for amounts,
    where refunds are to be judged too; else the same.
    """

    deal: Deal
    contract_fen: int
    paid_fen: int
    kept_fen: int
    rules: tuple[CompiledRule, ...]

    def base_for(self, rule: Rule) -> int:
        return self.contract_fen if rule.base is Base.CONTRACT else self.kept_fen


class Amount(NamedTuple):
    """What one rule pays for one deal, before anybody shares it. exact: in ten-thousandths of
    a fen, before rounding; of the month where it is one.

    month_base_fen: for a rule over a month, the base up to and including this deal
    (incremental) or of the whole month (proportional).
    """

    rule: Rule
    base_fen: int
    fen: int
    exact: int
    month_base_fen: int | None = None


class Award(NamedTuple):
    """One person's part of an amount. kind: commission or collab. cut_fen: taken by a cap."""

    rule: Rule
    amount: Amount
    kind: Kind
    person: str
    fen: int
    cut_fen: int = 0

    def joined(self, other: Award) -> Award:
        """Both parts of somebody who is named twice in a split."""
        return self._replace(fen=self.fen + other.fen, cut_fen=self.cut_fen + other.cut_fen)


@dataclass(frozen=True, slots=True)
class Earned:
    """What one deal earns, and by which rules. matched: the rules that hold for the deal, those
    that lost in their group left out."""

    awards: list[Award] = field(default_factory=list)
    matched: list[Rule] = field(default_factory=list)


def evaluate(standings: Sequence[JudgedDeal], attribution: Attribution) -> list[Earned]:
    """One answer for each standing.

    standings: of one closer and month if any rule adds up over it, in signing order.
    """
    matched = [_matched(standing) for standing in standings]
    months = _months(standings, matched, attribution)
    earned = []
    for n, (standing, rules) in enumerate(zip(standings, matched, strict=True)):
        awards: list[Award] = []
        for rule in rules:
            if rule.mode is not Mode.CAP:
                amount = months.get((n, rule.position)) or _of_deal(rule, standing)
                awards += _shared(amount, standing.deal)
        earned.append(Earned(_capped(awards, rules), rules))
    return earned


def _matched(standing: JudgedDeal) -> list[Rule]:
    deal, contract, paid = standing.deal, standing.contract_fen, standing.paid_fen
    holding = [each.rule for each in standing.rules if each.matches(deal, contract, paid)]
    if not any(rule.exclusive for rule in holding):
        return holding
    best: dict[str, Rule] = {}
    for rule in holding:
        group = rule.exclusive
        if group and (group.group not in best or _beats(rule, best[group.group])):
            best[group.group] = rule
    return [
        rule for rule in holding if rule.exclusive is None or best[rule.exclusive.group] is rule
    ]


def _beats(rule: Rule, other: Rule) -> bool:
    assert rule.exclusive is not None
    assert other.exclusive is not None
    return rule.exclusive.priority < other.exclusive.priority


def _of_deal(rule: Rule, standing: JudgedDeal) -> Amount:
    base = standing.base_for(rule)
    exact = rule.exact_bp(base)
    return Amount(rule, base, rounded(exact, BP), exact)


def _months(
    standings: Sequence[JudgedDeal], matched: Sequence[list[Rule]], attribution: Attribution
) -> dict[tuple[int, int], Amount]:
    """(index of the standing, position of the rule) -> what the month's amount gives it.
    Deals without a closer are nobody's month."""
    members: dict[int, list[int]] = {}
    rules: dict[int, Rule] = {}
    for n, found in enumerate(matched):
        for rule in found:
            if rule.scope is Scope.REP_MONTH and rule.mode is not Mode.CAP:
                rules[rule.position] = rule
                members.setdefault(rule.position, []).append(n)
    amounts: dict[tuple[int, int], Amount] = {}
    for position, indexes in members.items():
        within = [standings[n] for n in indexes]
        attribute = _rises if attribution is Attribution.INCREMENTAL else _portions
        for n, amount in zip(indexes, attribute(rules[position], within), strict=True):
            amounts[n, position] = amount
    return amounts


def _rises(rule: Rule, standings: Sequence[JudgedDeal]) -> list[Amount]:
    """Each deal gets the rise of the rounded cumulative amount."""
    amounts = []
    cumulative = before = 0
    for standing in standings:
        base = standing.base_for(rule)
        cumulative += base
        exact = rule.exact_bp(cumulative)
        total = rounded(exact, BP)
        amounts.append(Amount(rule, base, total - before, exact, cumulative))
        before = total
    return amounts


def _portions(rule: Rule, standings: Sequence[JudgedDeal]) -> list[Amount]:
    """The month's rounded amount by contract amount, losing no fen."""
    bases = [standing.base_for(rule) for standing in standings]
    exact = rule.exact_bp(sum(bases))
    total = rounded(exact, BP)
    weights = [standing.contract_fen for standing in standings]
    parts = largest_remainder(total, weights if any(weights) else [1] * len(weights))
    return [
        Amount(rule, base, part, exact, sum(bases)) for base, part in zip(bases, parts, strict=True)
    ]


def _shared(amount: Amount, deal: Deal) -> list[Award]:
    rest, collab = amount.fen, amount.rule.collab
    to_provider: list[Award] = []
    if collab is not None and collab.when.holds(deal):
        rest, share = largest_remainder(amount.fen, (BP - collab.share_bp, collab.share_bp))
        provider = deal.fields.get(collab.to)
        person = provider if isinstance(provider, str) and provider.strip() else UNASSIGNED
        to_provider = [Award(amount.rule, amount, Kind.COLLAB, person, share)]
    if not deal.split:
        return [
            Award(amount.rule, amount, Kind.COMMISSION, deal.closer or UNASSIGNED, rest),
            *to_provider,
        ]
    parts = largest_remainder(rest, [share.weight for share in deal.split])
    return [
        Award(amount.rule, amount, Kind.COMMISSION, share.person or UNASSIGNED, part)
        for share, part in zip(deal.split, parts, strict=True)
    ] + to_provider


def _capped(awards: list[Award], matched: Sequence[Rule]) -> list[Award]:
    """The excess over the lowest cap comes off the last lines first."""
    caps = [rule.cap_fen for rule in matched if rule.mode is Mode.CAP]
    if not caps:
        return awards
    excess = sum(award.fen for award in awards) - min(caps)
    kept = list(awards)
    for n in range(len(kept) - 1, -1, -1):
        if excess <= 0:
            break
        cut = min(excess, max(kept[n].fen, 0))
        kept[n] = kept[n]._replace(fen=kept[n].fen - cut, cut_fen=cut)
        excess -= cut
    return kept
