"""The U9C connector against its emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.erp import ErpCustomer, OrderStatus
from bot.errors import AuthFailed, Rejected, Unavailable
from config.settings.erp import U9cCustomerSettings, U9cOrderSettings
from connectors.erp.u9c import (
    CustomerEntity,
    OrderEntity,
    ReceiptEntity,
    U9c,
    U9cCustomers,
    U9cOrders,
)
from connectors.erp.u9c_api import U9cAccount, U9cApi
from connectors.http import Http
from connectors.sandbox import u9c as emulated
from connectors.sandbox.world import Fault, Hooks, World

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
FIELDS = ReceiptEntity(
    entity=emulated.ENTITY,
    number="DocNo",
    line="LineNo",
    contract="Contract",
    amount="Money",
    currency="Currency.Code",
    received_on="Date",
    payer="Customer.Name",
    changed_at="ModifiedOn",
    status="Status",
    audited="2",
    since_operator="ge",
    first_page=1,
)


@dataclass
class Bed:
    server: TestServer
    http: Http
    world: World = field(default_factory=lambda: World(Hooks(lambda: NOW)))
    erp: emulated.U9cEmulator = field(init=False)

    def api(self, **changes: Any) -> U9cApi:
        told = emulated.CREDENTIALS
        account = U9cAccount(
            name="main",
            base_url=str(self.server.make_url("/sandbox/u9c/U9C")),
            enterprise=told["entCode"],
            organisation=told["orgCode"],
            user=told["userCode"],
            client_id=told["clientid"],
            client_secret=told["clientsecret"],
            home_currency="C001",
            zone=ZoneInfo("Asia/Shanghai"),
        )
        return U9cApi(replace(account, **changes), self.http)

    def client(self, receipts: ReceiptEntity = FIELDS, **changes: Any) -> U9c:
        return U9c(self.api(**changes), receipts)

    def book(self, number: str, money: object, **changes: object) -> None:
        plain = {
            "DocNo": number, "LineNo": 10, "Contract": "HT-1", "Money": money,
            "Currency.Code": "C001", "Date": "2026-01-28T00:00:00", "Customer.Name": "恒锐机电",
            "ModifiedOn": NOW, "Status": "2",
        }  # fmt: skip
        self.erp.rows.append(plain | changes)


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    application = web.Application()
    async with aiohttp.ClientSession() as session:
        found = Bed(TestServer(application), Http(session))
        found.erp = emulated.U9cEmulator(found.world)
        application.add_routes(found.erp.routes())
        await found.server.start_server()
        yield found
        await found.server.close()


@pytest.mark.parametrize("nested", [False, True])
async def test_approved_receipts_are_read_page_by_page(bed: Bed, nested: bool) -> None:
    bed.erp.nested = nested
    for number in range(205):
        bed.book(f"R{number}", 105000.5 if number else -12)
    bed.book("draft", 1, Status=0)
    bed.book("old", 1, ModifiedOn=NOW - timedelta(hours=2))
    found = await bed.client().receipts(NOW)
    assert [one.number for one in found] == [*(f"R{number}" for number in range(205)), "draft"]
    assert found[-1].amount_fen == 0
    assert [one.amount_fen for one in found[:2]] == [-1200, 10_500_050]
    assert (found[0].currency, found[0].line, found[0].payer) == ("CNY", "10", "恒锐机电")


async def test_a_token_is_kept_and_fetched_anew_when_it_has_expired(bed: Bed) -> None:
    client = bed.client()
    await client.receipts(NOW)
    await client.receipts(NOW)
    assert bed.erp.logins == 1
    bed.erp.expire()
    await client.receipts(NOW)
    assert bed.erp.logins == 2


async def test_wrong_credentials_are_said_to_be_wrong_without_the_secret(bed: Bed) -> None:
    with pytest.raises(AuthFailed, match="应用或密钥不正确") as caught:
        await bed.client(client_secret="another-secret").check()
    assert "another-secret" not in str(caught.value)


async def test_what_the_erp_complains_of_is_told(bed: Bed) -> None:
    with pytest.raises(Rejected, match="实体不存在"):
        await bed.client(receipts=replace(FIELDS, entity="Nothing")).receipts(NOW)


async def test_an_erp_that_is_away_is_unavailable(bed: Bed) -> None:
    bed.world.faults.append(Fault("erp", "CommonEntity/Query", status=502))
    with pytest.raises(Unavailable):
        await bed.client().receipts(NOW)


async def test_a_line_without_its_amount_is_named(bed: Bed) -> None:
    bed.book("R7", None)
    with pytest.raises(Rejected, match="R7: amount"):
        await bed.client().receipts(NOW)


async def test_customers_and_orders_come_by_the_entities_of_the_configuration(bed: Bed) -> None:
    bed.erp.entities[emulated.CUSTOMERS].append(
        {"Code": "K1", "Name": "恒锐机电", "Tax": "91330100799655058B", "State": "1",
         "ModifiedOn": NOW}
    )  # fmt: skip
    known = U9cCustomerSettings(
        entity=emulated.CUSTOMERS, credit_code="Tax", status="State", effective="1"
    )
    told = await U9cCustomers(bed.api(), CustomerEntity(**known.revealed())).customers(NOW)
    assert told.rows == (ErpCustomer("K1", "恒锐机电", "91330100799655058B"),)
    for place, (money, state) in enumerate([(100.5, "3"), (200, "3"), (7, "9")]):
        bed.erp.entities[emulated.ORDER_LINES].append(
            {"SO.DocNo": "SO2" if state == "9" else "SO1", "DocLineNo": place,
             "SO.Buyer.Code": "K1", "SO.Buyer.Name": "恒锐机电",
             "SO.Total": 7 if state == "9" else 300.5, "Money": money,
             "SO.Currency.Code": "C001", "SO.Date": "2026-01-28", "SO.Status": state,
             "ModifiedOn": NOW}
        )  # fmt: skip
    lines = U9cOrderSettings(
        entity=emulated.ORDER_LINES, number="SO.DocNo", line="DocLineNo",
        customer="SO.Buyer.Code", customer_name="SO.Buyer.Name", amount="SO.Total",
        line_amount="Money", currency="SO.Currency.Code", ordered_on="SO.Date",
        status="SO.Status", audited="2", closed="3,4", cancelled="9", changed_at="ModifiedOn",
    )  # fmt: skip
    orders = await U9cOrders(bed.api(), OrderEntity(**lines.revealed())).orders(NOW)
    first, second = orders.rows
    assert (first.amount_fen, first.lines_fen, first.line_count) == (30_050, 30_050, 2)
    assert (first.status, second.status) == (OrderStatus.CLOSED, OrderStatus.CANCELLED)
    assert (first.customer_code, first.currency) == ("K1", "CNY")
