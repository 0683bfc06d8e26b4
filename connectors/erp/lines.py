"""One receipt line out of an ERP's values, whichever ERP: refuses what cannot be one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from bot.domain.receivables import Receipt

_LARGEST_FEN = 10**15
_LONGEST = {"number": 80, "line": 40, "contract": 60, "currency": 12}


def receipt_line(
    *,
    number: object,
    line: object,
    contract: object,
    amount: object,
    currency: str,
    received_on: object,
    payer: object,
    sign: int = 1,
) -> Receipt:
    """sign: -1 where the ERP lists reversals with positive amounts. Raises ValueError."""
    told = {"number": number, "line": line, "contract": contract, "currency": currency}
    texts = {name: _text(name, value) for name, value in told.items()}
    if not texts["number"] or not texts["currency"]:
        raise ValueError("number and currency must not be empty")
    return Receipt(
        number=texts["number"],
        line=texts["line"],
        contract_number=texts["contract"].upper(),
        amount_fen=sign * fen(amount),
        currency=texts["currency"],
        received_on=_day(received_on),
        payer=str(payer or "").strip()[:120],
    )


def fen(amount: object) -> int:
    """Hundredths of an amount such as "105000.00". Raises ValueError for parts of a fen."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        raise ValueError(f"amount: {amount!r}")
    try:
        hundredths = Decimal(str(amount).strip()) * 100
    except InvalidOperation:
        raise ValueError(f"amount: {amount!r}") from None
    if not hundredths.is_finite() or abs(hundredths) > _LARGEST_FEN:
        raise ValueError(f"amount: {amount!r}")
    if hundredths != hundredths.to_integral_value():
        raise ValueError(f"amount: {amount!r} has parts of a fen")
    return int(hundredths)


def _text(name: str, value: object) -> str:
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise ValueError(f"{name}: {value!r}")
    text = "" if value is None else str(value).strip()
    if len(text) > _LONGEST[name]:
        raise ValueError(f"{name}: longer than {_LONGEST[name]} characters")
    return text


def _day(value: object) -> date:
    """ISO, with or without a time behind it: ERPs add a midnight of their own."""
    if not isinstance(value, str):
        raise ValueError(f"received_on: {value!r}")
    return date.fromisoformat(value.strip()[:10])
