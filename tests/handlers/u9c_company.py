"""The same company beside an emulated U9C."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import ErpCustomers, ErpOrders
from config.settings.erp import U9cCustomerSettings, U9cForecastSettings, U9cOrderSettings
from connectors.erp.forecasts import Ledger
from connectors.erp.u9c import CustomerEntity, OrderEntity, U9cCustomers, U9cOrders
from connectors.erp.u9c_api import U9cAccount, U9cApi
from connectors.erp.u9c_forecasts import ForecastEntity, U9cForecasts
from connectors.http import Http
from connectors.sandbox import u9c as emulated
from connectors.sandbox.world import Hooks, World
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.erp_company import SYSTEM, AnyErpCompany, Held
from tests.handlers.light_company import CALENDAR

HOME_CURRENCY = "C001"
CUSTOMERS = U9cCustomerSettings(entity=emulated.CUSTOMERS, status="State", effective="1")
ORDERS = U9cOrderSettings(
    entity=emulated.ORDER_LINES, number="SO.DocNo", line="DocLineNo", customer="SO.Buyer.Code",
    customer_name="SO.Buyer.Name", contract="SO.Contract", amount="SO.Total",
    line_amount="Money", currency="SO.Currency.Code", ordered_on="SO.Date", status="SO.Status",
    audited="2", closed="3,4", cancelled="9", changed_at="ModifiedOn",
)  # fmt: skip
FORECASTS = U9cForecastSettings(
    entity=emulated.FORECASTS, create="SaleForecast/Create", modify="SaleForecast/Modify",
    submit="SaleForecast/Approve", reopen="SaleForecast/UnApprove", number="DocNo",
    key="GdKey", customer="Customer.Code",
    amount="Amount", expected_on="ExpectedOn", level="Level", evidence="Evidence",
    opportunity="Deal", state="LineState", status="Status", open_status="0",
    fixed={"Org.Code": "101"},
)  # fmt: skip


@dataclass
class U9cBooks:
    """What people enter in the emulated U9C."""

    emulator: emulated.U9cEmulator
    world: World

    def know(self, code: str, name: str) -> object:
        self._put(emulated.CUSTOMERS, "Code", Code=code, Name=name, State="1")
        return None

    def order(
        self, number: str, customer: str, amounts: Sequence[float], *, contract: str = ""
    ) -> None:
        known = self.emulator.entities[emulated.CUSTOMERS]
        name = next(row["Name"] for row in known if row["Code"] == customer)
        for line, amount in enumerate(amounts, 1):
            self._put(
                emulated.ORDER_LINES, "SO.DocNo",
                **{
                    "SO.DocNo": number, "DocLineNo": line, "SO.Buyer.Code": customer,
                    "SO.Buyer.Name": name, "SO.Contract": contract, "SO.Total": sum(amounts),
                    "Money": amount, "SO.Currency.Code": HOME_CURRENCY,
                    "SO.Date": f"{self.world.now():%Y-%m-%d}", "SO.Status": "2",
                },
            )  # fmt: skip

    def cancel(self, number: str) -> None:
        for row in self.emulator.entities[emulated.ORDER_LINES]:
            if row["SO.DocNo"] == number:
                row |= {"SO.Status": "9", "ModifiedOn": self.world.now()}

    def _put(self, entity: str, number: str, **row: Any) -> None:
        rows = self.emulator.entities[entity]
        same = [one for one in rows if one[number] == row[number]]
        same = [one for one in same if one.get("DocLineNo") == row.get("DocLineNo")]
        for one in same:
            rows.remove(one)
        rows.append({**row, "ModifiedOn": self.world.now()})


@dataclass
class U9cCompany(AnyErpCompany):
    """With U9C."""

    erp: U9cBooks
    api: U9cApi = field(kw_only=True)
    reading, saving = "CommonEntity/Query", "SaleForecast/Create"

    def customers(self) -> ErpCustomers:
        return U9cCustomers(self.api, CustomerEntity(**CUSTOMERS.revealed()))

    def orders(self) -> ErpOrders:
        return U9cOrders(self.api, OrderEntity(**ORDERS.revealed()))

    def ledger(self) -> Ledger:
        values = FORECASTS.revealed()
        entity = ForecastEntity(**{**values, "fixed": tuple(values["fixed"].items())})
        return U9cForecasts(self.api, entity)

    def rows(self) -> list[dict[str, Any]]:
        return self.erp.emulator.forecasts

    def held(self) -> dict[str, Held]:
        return {
            row["GdKey"]: Held(
                row["DocNo"], row["Customer.Code"], row["Amount"], row["ExpectedOn"],
                row["Level"], row["Evidence"], row["Deal"], row["LineState"],
            )
            for row in self.rows()
        }  # fmt: skip

    def change_there(self, key: str, amount: float) -> None:
        self._row(key)["Amount"] = f"{amount:.2f}"

    def remove_there(self, key: str) -> None:
        self.rows().remove(self._row(key))

    def fill(self, lines: int) -> None:
        for number in range(lines):
            self.rows().append({
                **dict.fromkeys(emulated.FORECAST_FIELDS, ""), "DocNo": f"X{number}",
                "GdKey": f"GD-X{number}", "Amount": "1", "ExpectedOn": "2026-03-01",
                "LineState": "有效", "Status": "2",
            })  # fmt: skip

    def _row(self, key: str) -> dict[str, Any]:
        return next(row for row in self.rows() if row["GdKey"] == key)


@asynccontextmanager
async def u9c_company(database: Database) -> AsyncIterator[U9cCompany]:
    application = web.Application()
    chat = Chat(database)
    world = World(Hooks(lambda: chat.now))
    emulator = emulated.U9cEmulator(world)
    application.add_routes(emulator.routes())
    server = TestServer(application)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        told = emulated.CREDENTIALS
        account = U9cAccount(
            name=SYSTEM,
            base_url=str(server.make_url("/sandbox/u9c/U9C")),
            enterprise=told["entCode"],
            organisation=told["orgCode"],
            user=told["userCode"],
            client_id=told["clientid"],
            client_secret=told["clientsecret"],
            home_currency=HOME_CURRENCY,
            zone=CALENDAR.zone,
        )
        books = U9cBooks(emulator, world)
        company = U9cCompany(chat, books, world, api=U9cApi(account, Http(session)))
        try:
            yield await company.open()
        finally:
            await server.close()
