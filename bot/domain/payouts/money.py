"""Whole fen: the one rounding, the one way to split, and how amounts and rates are written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

BP = 10_000
"""Basis points of one whole: 10,000 bp = 100 %."""

_YUAN = 100  # fen
_WAN = 10_000 * _YUAN


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, half away from zero. denominator: positive."""
    if numerator < 0:
        return -rounded(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts, in proportion to the weights, losing nothing: the spare units go
    to the largest fractions, equal ones to whoever is listed first.

    weights: not negative, at least one positive.
    """
    if len(weights) == 1:
        return [total]
    if total < 0:
        return [-part for part in largest_remainder(-total, weights)]
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    spare = total - sum(parts)
    by_fraction = sorted(range(len(weights)), key=lambda n: -(total * weights[n] % whole))
    for n in by_fraction[:spare]:
        parts[n] += 1
    return parts


def yuan(fen: int) -> str:
    """12345678 -> 123,456.78元"""
    if fen < 0:
        return "-" + yuan(-fen)
    return f"{fen // _YUAN:,}.{fen % _YUAN:02d}元"


@lru_cache(maxsize=1024)
def short_yuan(fen: int) -> str:
    """For rules: 10万元, 12.5万元, 800元, where that is exact."""
    if fen % _YUAN:
        return yuan(fen)
    if abs(fen) >= _WAN and fen % (_WAN // 100) == 0:
        return f"{_decimal(fen, _WAN)}万元"
    return f"{fen // _YUAN:,}元"


@lru_cache(maxsize=1024)
def percent(bp: int) -> str:
    """350 -> 3.5%"""
    return f"{_decimal(bp, 100)}%"


def _decimal(number: int, unit: int) -> str:
    """number / unit, exact to two places, without trailing zeros."""
    sign = "-" if number < 0 else ""
    whole, rest = divmod(abs(number), unit)
    places = f"{rest * 100 // unit:02d}".rstrip("0")
    return f"{sign}{whole:,}.{places}" if places else f"{sign}{whole:,}"
