"""The growth fund at quarter close: a share of what a person got in the quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.payouts.days import local_day, quarter_bounds
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.growth import shares_of
from bot.domain.payouts.lines import UNASSIGNED, Reason
from bot.domain.payouts.money import BP, percent, rounded
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.settling import Journal
from bot.domain.payouts.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Fund:
    """By person, over the quarters closed: what goes to the fund, and what is paid in cash."""

    fund_fen: Mapping[str, int]
    cash_fen: Mapping[str, int]


def close_quarters(
    quarters: Sequence[str], rules: Sequence[Rule], facts: Facts, *, timeline: Timeline,
    journal: Journal,
) -> Fund | None:  # fmt: skip
    """None when no quarter is closed or no rule feeds the fund.

    A quarter's total is of the lines that came about in it, whenever they are paid, and of what
    was paid in it before the file began. Below zero nothing goes to the fund. Rounded once per
    person and quarter.
    """
    if not quarters or not any(rule.fund_bp for rule in rules):
        return None
    fund: dict[str, int] = {}
    cash: dict[str, int] = {}
    for quarter in quarters:
        bp = _share_of(quarter, rules, journal)
        for person, total in _totals(quarter, facts, timeline, journal).items():
            saved = rounded(max(0, total) * bp, BP)
            fund[person] = fund.get(person, 0) + saved
            cash[person] = cash.get(person, 0) + total - saved
    return Fund(fund, cash)


def _share_of(quarter: str, rules: Sequence[Rule], journal: Journal) -> int:
    """The one share that the quarter's rules name; 0 and an open item if they differ."""
    begins, ends = quarter_bounds(quarter)
    first, last = local_day(begins), local_day(ends - timedelta(days=1))
    shares = shares_of(rules_in(rules, first, last))
    if len(shares) > 1:
        listed = "、".join(percent(bp) for bp in sorted(shares))
        why = f"{quarter} 的规则写了不同的成长基金比例({listed})，定下一个之前不划入基金"
        journal.review(Reason.FUND_SHARE_DIFFERS, None, why)
        return 0
    return next(iter(shares), 0)


def rules_in(rules: Iterable[Rule], first: date, last: date) -> list[Rule]:
    """Those in force on a day of [first, last]."""
    return [
        rule
        for rule in rules
        if rule.effective_from <= last and (rule.effective_to is None or rule.effective_to > first)
    ]


def _totals(quarter: str, facts: Facts, timeline: Timeline, journal: Journal) -> Mapping[str, int]:
    periods = timeline.quarter(quarter)
    totals: dict[str, int] = {}
    for opening in facts.openings:
        if opening.paid_quarter == quarter and opening.person:
            totals[opening.person] = totals.get(opening.person, 0) + opening.commission_fen
    for booked in journal.booked:
        line = booked.line
        if booked.period in periods and line.person != UNASSIGNED:
            totals[line.person] = totals.get(line.person, 0) + line.fen
    return totals
