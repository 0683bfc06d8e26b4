"""`when`: one comparison with a field of the deal, decided without division."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.domain.payouts.facts import Deal, Scalar
from bot.domain.payouts.money import BP

PAID_RATIO = "paid_ratio_bp"
CONTRACT = "contract_fen"
PAID = "paid_fen"
NUMERIC = (CONTRACT, PAID, PAID_RATIO)

Test = Callable[[Deal, int, int], bool]
"""(deal, contract fen, paid fen) -> whether it holds."""

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
ORDERED = (">=", ">", "<=", "<")
OPS = (*COMPARE, "in")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison that a rule asks for. field: contract_fen, paid_fen, paid_ratio_bp, or any
    field of the deal. op: one of OPS. value: a tuple for `in`."""

    field: str
    op: str
    value: Scalar | tuple[Scalar, ...]

    def compiled(self) -> Test:
        """The condition as one function, so that a run reads no field names."""
        if self.op == "in":
            assert isinstance(self.value, tuple)
            if self.field not in NUMERIC:
                return _member_test(self.field, frozenset(self.value))
            tests = [Condition(self.field, "==", each).compiled() for each in self.value]
            return lambda deal, contract, paid: any(t(deal, contract, paid) for t in tests)
        compare, value = COMPARE[self.op], self.value
        if self.field == CONTRACT:
            return lambda deal, contract, paid: compare(contract, value)
        if self.field == PAID:
            return lambda deal, contract, paid: compare(paid, value)
        if self.field == PAID_RATIO:
            assert isinstance(value, int)
            return _ratio_test(compare, value)
        return _field_test(self.field, self.op, value)


def _ratio_test(compare: Callable[[int, int], bool], bp: int) -> Test:
    """A contract of 0 has no ratio, so it satisfies none."""
    return lambda deal, contract, paid: contract > 0 and compare(paid * BP, bp * contract)


def _member_test(field: str, values: frozenset[Scalar]) -> Test:
    return lambda deal, contract, paid: deal.fields.get(field) in values


def _field_test(field: str, op: str, value: object) -> Test:
    if op == "==":
        return lambda deal, contract, paid: deal.fields.get(field) == value
    return lambda deal, contract, paid: compared(deal.fields.get(field), op, value)


def compared(left: object, op: str, right: object) -> bool:
    """A missing field (None) equals only a missing one and is neither above nor below
    anything, as is a text beside a number."""
    if op in ORDERED and not (_same_kind(left, right)):
        return False
    return COMPARE[op](left, right)


def _same_kind(left: object, right: object) -> bool:
    return (isinstance(left, int) and isinstance(right, int)) or (
        isinstance(left, str) and isinstance(right, str)
    )
