"""Clawbacks that are due, deducted from wages: never more than a share of the gross wage, never
below the minimum wage; the rest is carried to the next month."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.payouts import reasons
from bot.domain.payouts.days import month_of
from bot.domain.payouts.facts import ClawbackDue, Facts, Payroll
from bot.domain.payouts.lines import Kind, Line
from bot.domain.payouts.money import BP


def deduct(facts: Facts) -> tuple[list[Line], Mapping[str, int] | None]:
    """The deductions, month by month, and by person what is carried; None where nothing is due.

    A wage bears what fell due up to the end of its month.
    """
    if not facts.clawbacks_due:
        return [], None
    owed: dict[str, int] = {}
    waiting = sorted(facts.clawbacks_due, key=lambda due: due.at)
    lines: list[Line] = []
    for payroll in sorted(facts.payrolls, key=lambda payroll: payroll.month):
        while waiting and month_of(waiting[0].at) <= payroll.month:
            _owe(owed, waiting.pop(0))
        line = _deduction(payroll, owed.get(payroll.person, 0), facts.policy.deduct_limit_bp)
        if line is not None:
            owed[payroll.person] += line.fen
            lines.append(line)
    for due in waiting:
        _owe(owed, due)
    return lines, owed


def limit_of(payroll: Payroll, limit_bp: int) -> int:
    """The most that may be deducted from this wage, in fen."""
    by_share = payroll.gross_fen * limit_bp // BP
    return max(0, min(by_share, payroll.gross_fen - payroll.min_wage_fen))


def _owe(owed: dict[str, int], due: ClawbackDue) -> None:
    owed[due.person] = owed.get(due.person, 0) + due.fen


def _deduction(payroll: Payroll, owed: int, limit_bp: int) -> Line | None:
    limit = limit_of(payroll, limit_bp)
    fen = min(owed, limit)
    if fen == 0:
        return None
    month = f"{payroll.month[0]}-{payroll.month[1]:02d}"
    why = reasons.deducted(month, owed=owed, limit=limit, fen=fen)
    return Line(None, payroll.person, Kind.DEDUCTION, -fen, None, None, None, why)
