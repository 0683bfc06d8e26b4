"""What somebody tells of an ERP in JSON or CSV: receipts, customers, orders, one row a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder, OrderStatus
from bot.domain.receivables import Receipt
from bot.messages import ErpNews
from connectors.erp.lines import customer_row, order_line, orders_of, receipt_line, sort_out

MOST_LINES = 5000
RECEIPT_COLUMNS = ("number", "line", "contract", "amount", "currency", "received_on")
CUSTOMER_COLUMNS = ("code", "name")
ORDER_COLUMNS = (
    "number", "customer", "customer_name", "amount", "currency", "ordered_on", "status"
)  # fmt: skip

Made = TypeVar("Made")


def read_news(body: bytes) -> ErpNews:
    """JSON with `receipts`, `customers`, `orders`, and `complete_until` where all receipts up to
    then were told; or receipts as CSV. Raises ValueError, naming the line."""
    text = body.decode("utf-8-sig")
    if not text.lstrip().startswith("{"):
        return _limited(ErpNews(receipts=tuple(read_csv(text))))
    told = _object(text)
    rows = {name: told.get(name, []) for name in ("receipts", "customers", "orders")}
    for name, listed in rows.items():
        if not isinstance(listed, list):
            raise ValueError(f"{name}: a list is expected")
    if sum(map(len, rows.values())) > MOST_LINES:
        raise ValueError(f"more than {MOST_LINES} lines")
    until = told.get("complete_until")
    return ErpNews(
        receipts=tuple(_lines(rows["receipts"], _receipt)),
        complete_until=None if until is None else _moment(until),
        customers=tuple(_lines(rows["customers"], _customer)),
        orders=_all_read(orders_of(_lines(rows["orders"], dict), _order)),
    )


def read_csv(text: str) -> list[Receipt]:
    """Receipts. Raises ValueError, naming the line."""
    return _lines(_table(text, RECEIPT_COLUMNS), _receipt)


def read_customers_csv(text: str) -> ErpAnswer[ErpCustomer]:
    """Raises ValueError for what is no such table."""
    rows = _table(text, CUSTOMER_COLUMNS)
    return sort_out(rows, _customer, ref=lambda row: row.get("code"))


def read_orders_csv(text: str) -> ErpAnswer[ErpOrder]:
    """One row a line of an order. Raises ValueError for what is no such table."""
    return orders_of(_table(text, ORDER_COLUMNS), _order)


def _table(text: str, needed: Iterable[str]) -> list[dict[str, str]]:
    try:
        table = csv.DictReader(io.StringIO(text))
        rows = list(table)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    lacking = [name for name in needed if name not in (table.fieldnames or ())]
    if lacking:
        raise ValueError(f"no column {', '.join(lacking)}")
    return rows


def _object(text: str) -> dict[str, Any]:
    """An amount must not pass through a float. `text` begins with a brace."""
    try:
        told: dict[str, Any] = json.loads(text, parse_float=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return told


def _limited(news: ErpNews) -> ErpNews:
    if len(news.receipts) > MOST_LINES:
        raise ValueError(f"more than {MOST_LINES} lines")
    return news


def _lines(rows: Iterable[Any], read: Callable[[Mapping[str, Any]], Made]) -> list[Made]:
    found: list[Made] = []
    for count, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise ValueError(f"line {count}: an object is expected")
        try:
            found.append(read(row))
        except ValueError as error:
            raise ValueError(f"line {count}: {error}") from None
    return found


def _all_read(told: ErpAnswer[ErpOrder]) -> tuple[ErpOrder, ...]:
    for unread in told.unread:
        raise ValueError(f"order {unread.ref}: {unread.reason}")
    return told.rows


def _receipt(row: Mapping[str, Any]) -> Receipt:
    return receipt_line(
        number=row.get("number"),
        line=row.get("line"),
        contract=row.get("contract"),
        amount=row.get("amount"),
        currency=str(row.get("currency") or ""),
        received_on=row.get("received_on"),
        payer=row.get("payer"),
    )


def _customer(row: Mapping[str, Any]) -> ErpCustomer:
    active = str(row.get("active", "")).strip().lower()
    return customer_row(
        code=row.get("code"),
        name=row.get("name"),
        credit_code=row.get("credit_code"),
        phone=row.get("phone"),
        active=active not in ("false", "0", "no"),
    )


def _order(row: Mapping[str, Any]) -> ErpOrder:
    """line_amount: where no lines are told, the order is its only line."""
    status = OrderStatus(str(row.get("status") or "").strip().lower())
    line = row.get("line_amount")
    whole = {**row, "line_amount": row.get("amount") if line in (None, "") else line}
    return order_line(
        whole,
        currency=str(row.get("currency") or ""),
        audited=status is not OrderStatus.DRAFT,
        closed=status is OrderStatus.CLOSED,
        cancelled=status is OrderStatus.CANCELLED,
    )


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("complete_until: an offset is wanted, as in 2026-01-28T15:00:00+08:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("complete_until: beyond the calendar") from None
