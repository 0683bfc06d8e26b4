"""Kingdee K/3 Cloud (金蝶云星空): receipts, customers and sales orders by ExecuteBillQuery.

Forms and keys differ from customer to customer, so every key is a setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder
from bot.domain.receivables import Receipt
from bot.errors import Rejected
from connectors.erp.kingdee_api import KingdeeApi
from connectors.erp.lines import customer_row, order_line, orders_of, receipt_line, sort_out

_AUDITED = "C"
_YES = "B"
"""Of Kingdee's marks that are A for no: forbidden, closed, cancelled."""


@dataclass(frozen=True, slots=True)
class BillForm:
    """One kind of bill, and under which keys it carries what a receipt line needs."""

    form: str
    number: str
    line: str
    contract: str
    amount: str
    currency: str
    received_on: str
    payer: str
    changed_at: str
    status: str

    @property
    def keys(self) -> list[str]:
        return [
            self.number, self.line, self.contract, self.amount, self.currency,
            self.received_on, self.payer, self.status,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CustomerForm:
    """Under which keys a customer's data stand."""

    form: str
    code: str
    name: str
    credit_code: str
    phone: str
    status: str
    forbidden: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class OrderForm:
    """Under which keys an order and its lines carry what we need. contract: "" where they name
    none."""

    form: str
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
    closed: str
    cancelled: str
    changed_at: str


class Kingdee:
    """Receipts of one Kingdee account; a `bot.ports.Erp`. refunds: None where they are negative
    receipts."""

    def __init__(
        self, api: KingdeeApi, receipts: BillForm, refunds: BillForm | None, clock: Clock
    ) -> None:
        self._api = api
        self._receipts = receipts
        self._refunds = refunds
        self._clock = clock

    @property
    def name(self) -> str:
        return self._api.account.name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """See `bot.ports.Erp`. A bill that is not, or no more, audited counts nothing."""
        found = await self._bills(self._receipts, since, sign=1)
        if self._refunds is not None:
            found += await self._bills(self._refunds, since, sign=-1)
        return found

    async def check(self) -> None:
        """Asks for a single row, for the doctor. Raises BotError."""
        form = self._receipts
        moment = self._clock.now().strftime("%Y-%m-%d %H:%M:%S")
        filtered = f"{form.changed_at}>='{moment}'"
        await self._api.page(form.form, form.keys, filtered, order="", start=0, limit=1)

    async def _bills(self, form: BillForm, since: datetime, *, sign: int) -> list[Receipt]:
        rows = await self._api.changed(
            form.form, form.keys, form.changed_at, since, order=f"{form.number},{form.line}"
        )
        return [self._receipt(form, row, sign) for row in rows]

    def _receipt(self, form: BillForm, row: Sequence[Any], sign: int) -> Receipt:
        number, line, contract, amount, currency, received_on, payer, status = row
        try:
            return receipt_line(
                number=number,
                line=f"{form.form}:{line}",
                contract=contract,
                amount=amount if status == _AUDITED else 0,
                currency=self._api.currency(currency),
                received_on=received_on,
                payer=payer,
                sign=sign,
            )
        except ValueError as error:
            raise Rejected(f"kingdee:{form.form}: {number}: {error}") from None


class KingdeeCustomers:
    """Customers of one Kingdee account; a `bot.ports.ErpCustomers`."""

    def __init__(self, api: KingdeeApi, form: CustomerForm) -> None:
        self._api = api
        self._form = form

    @property
    def name(self) -> str:
        return self._api.account.name

    async def customers(self, since: datetime) -> ErpAnswer[ErpCustomer]:
        """See the port. One that is not audited, or forbidden, is not in use."""
        form = self._form
        keys = [form.code, form.name, form.credit_code, form.phone, form.status, form.forbidden]
        rows = await self._api.changed(form.form, keys, form.changed_at, since, order=form.code)
        return sort_out(rows, self._customer, ref=lambda row: row[0])

    def _customer(self, row: Sequence[Any]) -> ErpCustomer:
        code, name, credit_code, phone, status, forbidden = row
        return customer_row(
            code=code,
            name=name,
            credit_code=credit_code,
            phone=phone,
            active=status == _AUDITED and forbidden != _YES,
        )


class KingdeeOrders:
    """Sales orders of one Kingdee account; a `bot.ports.ErpOrders`."""

    def __init__(self, api: KingdeeApi, form: OrderForm) -> None:
        self._api = api
        self._form = form

    @property
    def name(self) -> str:
        return self._api.account.name

    async def orders(self, since: datetime) -> ErpAnswer[ErpOrder]:
        """See the port. A change of any line changes the moment of its bill, so the query has
        every line of an order or none."""
        form = self._form
        names = [one.name for one in fields(form) if one.name not in ("form", "changed_at")]
        named = [name for name in names if getattr(form, name)]
        keys = [getattr(form, name) for name in named]
        rows = await self._api.changed(
            form.form, keys, form.changed_at, since, order=f"{form.number},{form.line}"
        )
        return orders_of([dict(zip(named, row, strict=True)) for row in rows], self._line)

    def _line(self, row: dict[str, Any]) -> ErpOrder:
        return order_line(
            row,
            currency=self._api.currency(row["currency"]),
            audited=row["status"] == _AUDITED,
            closed=row["closed"] == _YES,
            cancelled=row["cancelled"] == _YES,
        )
