"""The whole computation: rules and facts in, lines and open items out."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.payouts.days import month_of
from bot.domain.payouts.deductions import deduct
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.fund import close_quarters
from bot.domain.payouts.lines import Result
from bot.domain.payouts.rules import Rule, Scope
from bot.domain.payouts.screening import Case, screen
from bot.domain.payouts.settling import Journal, settle
from bot.domain.payouts.timeline import Timeline
from bot.domain.payouts.versions import RuleBook


def compute(book: RuleBook, facts: Facts) -> Result:
    """Every line that the rules give for the facts, in order, with what must be settled.

    book: of rules that `checking.check_rules` has passed.
    """
    screened = screen(facts)
    quarters = list(dict.fromkeys(close.quarter for close in facts.quarter_closes))
    timeline = Timeline([run.at for run in facts.runs], quarters)
    journal = Journal()
    for review in screened.reviews:
        journal.review(review.reason, review.deal, review.why)
    for cases in group_cases(screened.cases, book.rules):
        settle(cases, book=book, timeline=timeline, policy=facts.policy, journal=journal)
    journal.booked.sort(key=lambda booked: booked.order)
    fund = close_quarters(quarters, book.rules, facts, timeline=timeline, journal=journal)
    deductions, carry = deduct(facts)
    return Result(
        lines=(*(booked.line for booked in journal.booked), *deductions),
        needs_review=tuple(journal.reviews.values()),
        fund_fen=fund.fund_fen if fund else None,
        cash_fen=fund.cash_fen if fund else None,
        carry_fen=carry,
    )


def group_cases(cases: Iterable[Case], rules: Iterable[Rule]) -> list[list[Case]]:
    """Deals that must be looked at together: those of one closer and month if a rule adds up
    over it, else each alone. A deal without a closer is in nobody's month."""
    if all(rule.scope is Scope.DEAL for rule in rules):
        return [[case] for case in cases]
    groups: dict[object, list[Case]] = {}
    for case in cases:
        deal = case.deal
        key = (deal.closer, month_of(deal.signed_at)) if deal.closer else case.order
        groups.setdefault(key, []).append(case)
    return list(groups.values())
