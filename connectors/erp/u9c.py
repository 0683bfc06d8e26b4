"""Yonyou U9C (用友 U9 cloud): receipts, customers and sales orders by CommonEntity/Query.

Which entity and which fields hold them differs from customer to customer, so those are settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder
from bot.domain.receivables import Receipt
from bot.errors import Rejected
from connectors.erp.lines import customer_row, order_line, orders_of, receipt_line, sort_out
from connectors.erp.u9c_api import Condition, U9cApi, at_path


@dataclass(frozen=True, slots=True)
class ReceiptEntity:
    """Where a receipt line stands: the entity's full name and the paths of its fields.
    status, audited: which field says that it is approved, and by which value."""

    entity: str
    number: str
    line: str
    contract: str
    amount: str
    currency: str
    received_on: str
    payer: str
    changed_at: str
    status: str
    audited: str
    since_operator: str
    first_page: int


@dataclass(frozen=True, slots=True)
class CustomerEntity:
    """Where a customer stands. credit_code, phone: "" where it has none. effective: the value
    under `status` of one that is in use."""

    entity: str
    code: str
    name: str
    credit_code: str
    phone: str
    status: str
    effective: str
    changed_at: str
    since_operator: str
    first_page: int


@dataclass(frozen=True, slots=True)
class OrderEntity:
    """Where a line of a sales order stands, with what its order says. contract, delivery_on: ""
    where there is none. audited, closed, cancelled: values under `status`, parted by commas."""

    entity: str
    number: str
    line: str
    customer: str
    customer_name: str
    contract: str
    amount: str
    line_amount: str
    currency: str
    ordered_on: str
    delivery_on: str
    status: str
    audited: str
    closed: str
    cancelled: str
    changed_at: str
    since_operator: str
    first_page: int


class U9c:
    """Receipts of one U9C account; a `bot.ports.Erp`."""

    def __init__(self, api: U9cApi, receipts: ReceiptEntity) -> None:
        self._api = api
        self._entity = receipts

    @property
    def name(self) -> str:
        return self._api.account.name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """See `bot.ports.Erp`. One that is not, or no more, approved counts nothing."""
        entity = self._entity
        names = [
            entity.number, entity.line, entity.contract, entity.amount, entity.currency,
            entity.received_on, entity.payer, entity.status,
        ]  # fmt: skip
        return [self._receipt(row) for row in await _changed(self._api, entity, names, since)]

    async def check(self) -> None:
        """Logs in, for the doctor. Raises BotError."""
        await self._api.check()

    def _receipt(self, row: Mapping[str, Any]) -> Receipt:
        entity = self._entity
        number = at_path(row, entity.number)
        is_audited = str(at_path(row, entity.status)) == entity.audited
        try:
            return receipt_line(
                number=number,
                line=at_path(row, entity.line),
                contract=at_path(row, entity.contract),
                amount=at_path(row, entity.amount) if is_audited else 0,
                currency=self._api.currency(at_path(row, entity.currency)),
                received_on=at_path(row, entity.received_on),
                payer=at_path(row, entity.payer),
            )
        except ValueError as error:
            raise Rejected(f"u9c:{entity.entity}: {number}: {error}") from None


class U9cCustomers:
    """Customers of one U9C account; a `bot.ports.ErpCustomers`."""

    def __init__(self, api: U9cApi, entity: CustomerEntity) -> None:
        self._api = api
        self._entity = entity

    @property
    def name(self) -> str:
        return self._api.account.name

    async def customers(self, since: datetime) -> ErpAnswer[ErpCustomer]:
        """See the port."""
        entity = self._entity
        names = [entity.code, entity.name, entity.credit_code, entity.phone, entity.status]
        rows = await _changed(self._api, entity, [name for name in names if name], since)
        return sort_out(rows, self._customer, ref=lambda row: at_path(row, entity.code))

    def _customer(self, row: Mapping[str, Any]) -> ErpCustomer:
        entity = self._entity
        return customer_row(
            code=at_path(row, entity.code),
            name=at_path(row, entity.name),
            credit_code=at_path(row, entity.credit_code) if entity.credit_code else "",
            phone=at_path(row, entity.phone) if entity.phone else "",
            active=str(at_path(row, entity.status)) == entity.effective,
        )


class U9cOrders:
    """Sales orders of one U9C account; a `bot.ports.ErpOrders`."""

    def __init__(self, api: U9cApi, entity: OrderEntity) -> None:
        self._api = api
        self._entity = entity

    @property
    def name(self) -> str:
        return self._api.account.name

    async def orders(self, since: datetime) -> ErpAnswer[ErpOrder]:
        """See the port. What has changed is told line by line, so `changed_at` must be a field
        of the order and not of its line."""
        paths = {
            name: getattr(self._entity, name)
            for name in (
                "number", "line", "customer", "customer_name", "contract", "amount",
                "line_amount", "currency", "ordered_on", "delivery_on", "status",
            )
        }  # fmt: skip
        named = {name: path for name, path in paths.items() if path}
        rows = await _changed(self._api, self._entity, list(named.values()), since)
        flat = [{name: at_path(row, path) for name, path in named.items()} for row in rows]
        return orders_of(flat, self._line)

    def _line(self, row: Mapping[str, Any]) -> ErpOrder:
        entity, status = self._entity, str(row["status"])
        closed = status in _values(entity.closed)
        return order_line(
            row,
            currency=self._api.currency(row["currency"]),
            audited=closed or status in _values(entity.audited),
            closed=closed,
            cancelled=status in _values(entity.cancelled),
        )


async def _changed(
    api: U9cApi,
    entity: ReceiptEntity | CustomerEntity | OrderEntity,
    names: Sequence[str],
    since: datetime,
) -> list[Mapping[str, Any]]:
    at = Condition(entity.changed_at, entity.since_operator, "")
    return await api.changed(entity.entity, names, since, at=at, first_page=entity.first_page)


def _values(listed: str) -> set[str]:
    return {value.strip() for value in listed.split(",") if value.strip()}
