"""Sums of money as chat and pages write them: 1,234.50元, +1,234.50元, −150.00元, 12.8万元.

A minus is the sign −, as wide as the plus. What is sealed (sentences of payouts, evidence packs)
keeps the hyphen it was sealed with, since packs are compared letter by letter; `typeset` is for
showing it.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bot.domain.payouts import money

_HYPHEN = re.compile(r"(?<![\w.-])-(?=\d[\d,]*(?:\.\d+)?[万亿]?元)")


def typeset(words: str) -> str:
    return _HYPHEN.sub("−", words)


def yuan(fen: int) -> str:
    return typeset(money.yuan(fen))


def signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


def amount_words(fen: int) -> str:
    """12.8万元 where that is exact, else 1,234.50元."""
    amount = Decimal(fen) / 100
    if abs(amount) >= 10_000 and amount % 100 == 0:
        return typeset(f"{(amount / 10_000).normalize():f}万元")
    return typeset(f"{amount:,.2f}元" if amount % 1 else f"{amount:,.0f}元")
