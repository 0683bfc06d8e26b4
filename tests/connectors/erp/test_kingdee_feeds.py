"""Customers and sales orders out of the emulated Kingdee."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.erp import ErpCustomer, Flaw, OrderStatus, flaw_of
from bot.errors import Rejected, Unavailable
from config.settings.erp import KingdeeCustomerSettings, KingdeeOrderSettings
from connectors.erp.kingdee import CustomerForm, KingdeeCustomers, KingdeeOrders, OrderForm
from connectors.sandbox.kingdee import CUSTOMERS, ORDERS
from connectors.sandbox.world import Fault
from tests.connectors.erp.test_kingdee import NOW, Bed, bed

__all__ = ["bed"]


def customers(bed: Bed, **changes: Any) -> KingdeeCustomers:
    """By the keys that stand in the configuration by default."""
    settings = KingdeeCustomerSettings(**changes)
    return KingdeeCustomers(bed.api(), CustomerForm(**settings.revealed()))


def orders(bed: Bed) -> KingdeeOrders:
    settings = KingdeeOrderSettings(contract="F_CONTRACT_NO")
    return KingdeeOrders(bed.api(), OrderForm(**settings.revealed()))


async def test_customers_come_with_their_code_and_whether_they_are_in_use(bed: Bed) -> None:
    bed.erp.know("K001", "杭州恒锐机电有限公司", credit_code="91330100799655058b", phone="0571-8")
    bed.erp.know("K002", "停用客户")
    bed.erp.books.change(CUSTOMERS, "K002", FForbidStatus="B")
    told = await customers(bed).customers(NOW)
    assert told.rows == (
        ErpCustomer("K001", "杭州恒锐机电有限公司", "91330100799655058B", "0571-8"),
        ErpCustomer("K002", "停用客户", active=False),
    )


async def test_an_order_is_one_with_all_its_lines(bed: Bed) -> None:
    bed.erp.know("K001", "恒锐机电")
    bed.erp.order(
        "XSDD1", "K001", [100_000.5, 250_000], delivery="2026-03-01", contract="ht-2026-018"
    )
    [order] = (await orders(bed).orders(NOW)).rows
    assert (order.number, order.customer_code, order.customer_name) == ("XSDD1", "K001", "恒锐机电")
    assert (order.amount_fen, order.lines_fen, order.line_count) == (35_000_050, 35_000_050, 2)
    assert (order.ordered_on, order.delivery_on) == (date(2026, 1, 28), date(2026, 3, 1))
    assert (order.status, order.contract_number) == (OrderStatus.CONFIRMED, "HT-2026-018")
    assert flaw_of(order) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"FDocumentStatus": "B"}, OrderStatus.DRAFT),
        ({"FDocumentStatus": "D"}, OrderStatus.DRAFT),
        ({"FCloseStatus": "B"}, OrderStatus.CLOSED),
        ({"FCancelStatus": "B"}, OrderStatus.CANCELLED),
        ({"FDocumentStatus": "B", "FCloseStatus": "B"}, OrderStatus.DRAFT),
    ],
)
async def test_the_marks_of_an_order_say_how_it_stands(
    bed: Bed, changes: dict[str, str], status: OrderStatus
) -> None:
    bed.erp.order("XSDD1", "K001", [1.0])
    bed.erp.books.change(ORDERS, "XSDD1", **changes)
    [order] = (await orders(bed).orders(NOW)).rows
    assert order.status is status


async def test_lines_that_do_not_add_up_are_told_as_they_are(bed: Bed) -> None:
    bed.erp.order("XSDD1", "K001", [100.0, 200.0], total=301.0)
    [order] = (await orders(bed).orders(NOW)).rows
    assert (order.amount_fen, order.lines_fen) == (30_100, 30_000)
    assert flaw_of(order) is Flaw.LINES_DIFFER


async def test_a_row_that_cannot_be_read_keeps_no_other_away_and_stays_with_its_reason(
    bed: Bed,
) -> None:
    bed.erp.order("XSDD1", "K001", [10.005])
    bed.erp.order("XSDD2", "K001", [10.0])
    told = await orders(bed).orders(NOW)
    assert [order.number for order in told.rows] == ["XSDD2"]
    [unread] = told.unread
    assert unread.ref == "XSDD1"
    assert "parts of a fen" in unread.reason
    assert "10.005" in unread.raw


async def test_a_key_that_is_not_there_is_named_and_silence_is_no_answer(bed: Bed) -> None:
    with pytest.raises(Rejected, match="字段不存在：F_NOT_THERE"):
        await customers(bed, phone="F_NOT_THERE").customers(NOW)
    bed.world.faults.append(Fault("erp", "ExecuteBillQuery", status=503))
    with pytest.raises(Unavailable):
        await orders(bed).orders(NOW)
