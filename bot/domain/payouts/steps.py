"""The steps of a calculation, for whoever checks it by hand: for each deal every rule in force,
each condition with the value it met, and the exact amount before rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.approvals import STATE_WORDS
from bot.domain.payouts import reasons
from bot.domain.payouts.computing import group_cases
from bot.domain.payouts.conditions import CONTRACT, PAID, PAID_RATIO, Condition
from bot.domain.payouts.days import local_day
from bot.domain.payouts.evaluating import Earned, JudgedDeal, evaluate
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.money import percent, yuan
from bot.domain.payouts.rules import Mode, Rule
from bot.domain.payouts.screening import Case, screen
from bot.domain.payouts.versions import RuleBook
from bot.domain.payouts.words import APPROVAL, condition_words


@dataclass(frozen=True, slots=True)
class Step:
    """How one rule looked at one deal, explained. conditions: in words, with what was found and
    whether it holds. pays: whether the rule applies. exact: ten-thousandths of a fen before
    rounding, None when it pays nothing or only limits. text: the calculation in words."""

    deal: str
    rule_id: str
    rule_version: int
    conditions: tuple[str, ...]
    pays: bool
    exact: int | None
    text: str


def steps(book: RuleBook, facts: Facts) -> list[Step]:
    """By deal in signing order, then by rule; on all the payments of the facts, refunds and
    complaints left out (their lines say how they are reckoned)."""
    return [
        step
        for cases in group_cases(screen(facts).cases, book.rules)
        for step in _steps_of(cases, book, facts)
    ]


def _steps_of(cases: list[Case], book: RuleBook, facts: Facts) -> Iterator[Step]:
    newest = len(book.publications)
    standings = []
    for case in cases:
        paid = sum(payment.fen for payment in case.payments)
        rules = book.in_force(local_day(case.deal.signed_at), newest)
        standings.append(JudgedDeal(case.deal, case.deal.contract_fen, paid, paid, rules))
    evaluated = evaluate(standings, facts.policy.attribution)
    for standing, earned in zip(standings, evaluated, strict=True):
        for each in standing.rules:
            yield _step(each.rule, standing, earned)


def _step(rule: Rule, standing: JudgedDeal, earned: Earned) -> Step:
    conditions = tuple(_met(condition, standing) for condition in rule.when)
    amount = next((award.amount for award in earned.awards if award.rule is rule), None)
    pays = rule in earned.matched
    exact, text = None, "条件不满足或让位于同组规则，不发放"
    if amount is not None:
        exact, text = amount.exact, reasons.calculation(amount)
    elif pays and rule.mode is Mode.CAP:
        text = f"各项合计以 {yuan(rule.cap_fen)} 为限"
    return Step(standing.deal.id, rule.id, rule.version, conditions, pays, exact, text)


def _met(condition: Condition, standing: JudgedDeal) -> str:
    holds = condition.compiled()(standing.deal, standing.contract_fen, standing.paid_fen)
    answer = "满足" if holds else "不满足"
    return f"{condition_words(condition)}：实际 {_actual(condition.field, standing)}，{answer}"


def _actual(field: str, standing: JudgedDeal) -> str:
    if field == CONTRACT:
        return yuan(standing.contract_fen)
    if field == PAID:
        return yuan(standing.paid_fen)
    if field == PAID_RATIO:
        if standing.contract_fen == 0:
            return "无(合同额为 0)"
        floor = percent(standing.paid_fen * 10_000 // standing.contract_fen)
        return f"{yuan(standing.paid_fen)}/{yuan(standing.contract_fen)}(约 {floor})"
    value = standing.deal.fields.get(field)
    if field.startswith(APPROVAL):
        return STATE_WORDS.get(str(value), "没有记录")
    return str(value)
