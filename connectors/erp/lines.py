"""Receipts, customers and orders out of an ERP's values, whichever ERP: what cannot be one is
refused, with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, TypeVar

from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder, OrderStatus, Unread
from bot.domain.identifiers import one_credit_code
from bot.domain.receivables import Receipt

Row = TypeVar("Row")
Made = TypeVar("Made")

_LARGEST_FEN = 10**15
_LONGEST = {
    "number": 80, "line": 40, "contract": 60, "currency": 12, "code": 80, "customer": 80,
}  # fmt: skip
_LONGEST_NAME = 200
_LONGEST_RAW = 4000


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
        received_on=day(received_on),
        payer=str(payer or "").strip()[:120],
    )


def customer_row(
    *, code: object, name: object, credit_code: object, phone: object, active: bool
) -> ErpCustomer:
    """Raises ValueError."""
    known, called = _text("code", code), _name(name)
    if not known or not called:
        raise ValueError("code and name must not be empty")
    return ErpCustomer(
        code=known,
        name=called,
        credit_code=one_credit_code(str(credit_code or ""))[:40],
        phone=str(phone or "").strip()[:40],
        active=active,
    )


def order_line(
    row: Mapping[str, Any], *, currency: str, audited: bool, closed: bool, cancelled: bool
) -> ErpOrder:
    """An order with one line of it. row: number, customer, customer_name, contract, amount,
    line_amount, ordered_on, delivery_on. Raises ValueError."""
    status = OrderStatus.CONFIRMED if audited else OrderStatus.DRAFT
    if cancelled:
        status = OrderStatus.CANCELLED
    elif closed and audited:
        status = OrderStatus.CLOSED
    number = _text("number", row.get("number"))
    money = _text("currency", currency)
    if not number or not money:
        raise ValueError("number and currency must not be empty")
    return ErpOrder(
        number=number,
        customer_code=_text("customer", row.get("customer")),
        customer_name=_name(row.get("customer_name")),
        amount_fen=fen(row.get("amount")),
        lines_fen=fen(row.get("line_amount")),
        line_count=1,
        currency=money,
        ordered_on=day(row.get("ordered_on")),
        status=status,
        delivery_on=day(row["delivery_on"]) if row.get("delivery_on") else None,
        contract_number=_text("contract", row.get("contract")).upper(),
    )


def orders_of(
    rows: Sequence[Mapping[str, Any]], read: Callable[[Any], ErpOrder]
) -> ErpAnswer[ErpOrder]:
    """Lines that come as rows, made orders. An order with a line that cannot be read is not
    read at all."""

    def number(row: Mapping[str, Any]) -> str:
        return str(row.get("number"))

    bills = [list(lines) for _, lines in groupby(sorted(rows, key=number), key=number)]
    return sort_out(
        bills,
        lambda lines: whole_order([read(line) for line in lines]),
        ref=lambda lines: lines[0].get("number"),
    )


def whole_order(lines: Sequence[ErpOrder]) -> ErpOrder:
    """The lines of one order together. What they say of the whole must be one and the same.
    Raises ValueError."""
    days = [line.delivery_on for line in lines if line.delivery_on is not None]
    contracts = {line.contract_number for line in lines} - {""}
    wholes = {replace(line, lines_fen=0, delivery_on=None, contract_number="") for line in lines}
    if len(wholes) != 1:
        raise ValueError("its lines contradict each other about the order")
    return replace(
        lines[0],
        lines_fen=sum(line.lines_fen for line in lines),
        line_count=len(lines),
        delivery_on=max(days, default=None),
        contract_number=contracts.pop() if len(contracts) == 1 else "",
    )


def sort_out(
    rows: Iterable[Row], read: Callable[[Row], Made], *, ref: Callable[[Row], object]
) -> ErpAnswer[Made]:
    """What can be read, and the rest with its reason: one wrong row keeps no other away."""
    made: list[Made] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            made.append(read(row))
        except (ValueError, TypeError, KeyError) as error:
            raw = json.dumps(row, ensure_ascii=False, default=str)[:_LONGEST_RAW]
            unread.append(Unread(str(ref(row))[:80], str(error)[:200], raw))
    return ErpAnswer(tuple(made), tuple(unread))


def fen(amount: object) -> int:
    """Hundredths of an amount such as "105000.00". Raises ValueError for parts of a fen."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        raise ValueError(f"amount: {amount!r}")
    try:
        hundredths = Decimal(str(amount).strip()) * 100
    except ArithmeticError:  # no number, or one beyond all exponents
        raise ValueError(f"amount: {amount!r}") from None
    if not hundredths.is_finite() or abs(hundredths) > _LARGEST_FEN:
        raise ValueError(f"amount: {amount!r}")
    if hundredths != hundredths.to_integral_value():
        raise ValueError(f"amount: {amount!r} has parts of a fen")
    return int(hundredths)


def yuan(amount_fen: int) -> str:
    """105000.00, as ERPs take an amount."""
    return f"{Decimal(amount_fen) / 100:.2f}"


def day(value: object) -> date:
    """ISO, with or without a time behind it: ERPs add a midnight of their own. Raises
    ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"a day: {value!r}")
    return date.fromisoformat(value.strip()[:10])


def _name(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"name: {value!r}")
    return " ".join((value or "").split())[:_LONGEST_NAME]


def _text(name: str, value: object) -> str:
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise ValueError(f"{name}: {value!r}")
    text = "" if value is None else str(value).strip()
    if len(text) > _LONGEST[name]:
        raise ValueError(f"{name}: longer than {_LONGEST[name]} characters")
    return text
