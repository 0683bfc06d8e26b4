"""The facts of a contract in one sentence: number, amount, prepayment, its day, post-paid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from bot.domain.activities import Moment
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.amounts import find_amounts
from handlers.understanding.dates import find_moments
from handlers.understanding.normal import normalise
from handlers.understanding.spans import Found

_NUMBER = re.compile(
    r"(?<![a-z0-9])[a-z]{1,8}[-_]?\d{2,8}(?:[-_][a-z0-9]{1,12})*(?![a-z0-9])", re.I
)
_SHARE = re.compile(
    r"(?:预付|首付|定金|订金)(?:款|金)?(?:是|为)?\s*"
    r"(?:(?P<percent>\d{1,3}(?:\.\d{1,2})?)\s*%|(?P<tenths>[一二三四五六七八九])成)"
)
_PREPAID_BEFORE = re.compile(r"(?:预付|首付|定金|订金)(?:款|金)?(?:是|为|付)?\s*$")
_TO_PAY_AFTER = re.compile(r"\s*(?:之?前|以前)?(?:付|到账|到款|打款|汇)|\s*(?:之?前|以前)")
_TO_PAY_BEFORE = re.compile(r"(?:预付|首付|定金|订金|付款)[^,，。;；]{0,12}$")
_SIGNED_AFTER = re.compile(r"\s*(?:签|签订|签署|签的|签了)")
_SIGNED_BEFORE = re.compile(r"(?:签订|签署|签于|签约|签在)(?:日期)?(?:是|为|:|：)?\s*$")
_POST_PAID = re.compile(
    r"后付款?|货到付款|先货后款|月结|验收后付|到货后付|无预付|没有预付|不用预付"
)
_TENTHS = {word: number for number, word in enumerate("一二三四五六七八九", 1)}


@dataclass(frozen=True, slots=True)
class SaidContract:
    """What was said; None for what was not. prepayment_fen: also from a share of the amount."""

    number: str | None
    amount_fen: int | None
    signed_on: date | None
    prepayment_fen: int | None
    prepayment_due_on: date | None
    post_paid: bool


def contract_number(text: str) -> str | None:
    """HT-2026-018, in capitals."""
    found = _NUMBER.search(text)
    return found[0].upper() if found else None


def read_contract(
    text: str, now: datetime, calendar: WorkingCalendar, *, share_of_fen: int | None = None
) -> SaidContract:
    """All that the sentence says of a contract. share_of_fen: what a share is of, where the
    sentence names no amount."""
    number = _NUMBER.search(text)
    # The number's own digits are neither an amount nor a day.
    rest = normalise(_NUMBER.sub(lambda match: "，" * len(match[0]), text))
    moments = find_moments(rest, now, calendar)
    signed_on, due_on = _days(rest, moments)
    for moment in moments:  # 定金5万1月20日前到: the 1 is no part of the amount
        rest = rest[: moment.start] + "，" * (moment.end - moment.start) + rest[moment.end :]
    amount, prepayment = _amounts(rest, share_of_fen)
    return SaidContract(
        number=number[0].upper() if number else None,
        amount_fen=amount,
        signed_on=signed_on,
        prepayment_fen=prepayment,
        prepayment_due_on=due_on,
        post_paid=bool(_POST_PAID.search(rest)),
    )


def _amounts(text: str, share_of_fen: int | None) -> tuple[int | None, int | None]:
    """The contract's amount and its prepayment. A share that is no whole fen is rounded half
    up: nobody can pay less."""
    share = _SHARE.search(text)
    whole: int | None = None
    prepaid: int | None = None
    for amount in find_amounts(text):
        if share is not None and share.start() <= amount.start < share.end():
            continue
        if _PREPAID_BEFORE.search(text[: amount.start]):
            prepaid = prepaid or amount.value
        else:
            whole = whole or amount.value
    of_fen = whole or share_of_fen
    if share is not None and prepaid is None and of_fen is not None:
        part = (
            Fraction(share["percent"]) / 100
            if share["percent"]
            else Fraction(_TENTHS[share["tenths"]], 10)
        )
        prepaid = int(of_fen * part + Fraction(1, 2))
    return whole, prepaid


def _days(text: str, moments: Sequence[Found[Moment | None]]) -> tuple[date | None, date | None]:
    """The day of signing and the day by which to prepay."""
    signed_on = due_on = None
    for found in moments:
        if found.value is None:
            continue
        if _is_signing(text, found):
            signed_on = signed_on or found.value.day
        elif _is_payment(text, found):
            due_on = due_on or found.value.day
    return signed_on, due_on


def _is_signing(text: str, found: Found[Moment | None]) -> bool:
    return bool(_SIGNED_AFTER.match(text, found.end) or _SIGNED_BEFORE.search(text[: found.start]))


def _is_payment(text: str, found: Found[Moment | None]) -> bool:
    return bool(_TO_PAY_AFTER.match(text, found.end) or _TO_PAY_BEFORE.search(text[: found.start]))
