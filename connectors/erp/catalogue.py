"""The configured ERPs: who is asked for what, and who is written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.ports import ErpCustomers, ErpForecasts, ErpOrders
from connectors.erp.csv_folder import CsvFolder
from connectors.erp.forecasts import ForecastWriter
from connectors.erp.kingdee import (
    BillForm,
    CustomerForm,
    Kingdee,
    KingdeeCustomers,
    KingdeeOrders,
    OrderForm,
)
from connectors.erp.kingdee_api import KingdeeAccount, KingdeeApi
from connectors.erp.kingdee_forecasts import ForecastForm, KingdeeForecasts
from connectors.erp.kingdee_signature import Credentials
from connectors.erp.u9c import (
    CustomerEntity,
    OrderEntity,
    ReceiptEntity,
    U9c,
    U9cCustomers,
    U9cOrders,
)
from connectors.erp.u9c_api import U9cAccount, U9cApi
from connectors.erp.u9c_forecasts import ForecastEntity, U9cForecasts
from connectors.http import Http

AskedErp = Kingdee | U9c | CsvFolder

Given = Mapping[str, Any]
"""One section `[erp.<name>]` as plain values, those within it as well."""


@dataclass(slots=True)
class Erps:
    """What they do for us; those that only tell by their door stand in none."""

    receipts: list[AskedErp] = field(default_factory=list)
    customers: list[ErpCustomers] = field(default_factory=list)
    orders: list[ErpOrders] = field(default_factory=list)
    forecasts: list[ErpForecasts] = field(default_factory=list)


def connect(systems: Mapping[str, Given], http: Http, clock: Clock, zone: ZoneInfo) -> Erps:
    """zone: of the times that they tell."""
    found = Erps()
    for name, given in systems.items():
        if given["kind"] == "kingdee":
            _add_kingdee(found, given, KingdeeApi(_kingdee(name, given, zone), http, clock), clock)
        elif given["kind"] == "u9c":
            _add_u9c(found, given, U9cApi(_u9c(name, given, zone), http))
        elif given["kind"] == "folder":
            folder = CsvFolder(name, given["folder"])
            found.receipts.append(folder)
            found.customers.append(folder)
            found.orders.append(folder)
    return found


def _add_kingdee(found: Erps, given: Given, api: KingdeeApi, clock: Clock) -> None:
    receipts, refunds = BillForm(**given["receipts"]), given["refunds"]
    found.receipts.append(Kingdee(api, receipts, BillForm(**refunds) if refunds else None, clock))
    if given["customers"]:
        found.customers.append(KingdeeCustomers(api, CustomerForm(**given["customers"])))
    if given["orders"]:
        found.orders.append(KingdeeOrders(api, OrderForm(**given["orders"])))
    if given["forecasts"]:
        form = ForecastForm(**_fixed(given["forecasts"]))
        found.forecasts.append(ForecastWriter(KingdeeForecasts(api, form)))


def _add_u9c(found: Erps, given: Given, api: U9cApi) -> None:
    if given["entity"]:
        found.receipts.append(U9c(api, ReceiptEntity(**given["entity"])))
    if given["customer_entity"]:
        found.customers.append(U9cCustomers(api, CustomerEntity(**given["customer_entity"])))
    if given["order_entity"]:
        found.orders.append(U9cOrders(api, OrderEntity(**given["order_entity"])))
    if given["forecast_entity"]:
        entity = ForecastEntity(**_fixed(given["forecast_entity"]))
        found.forecasts.append(ForecastWriter(U9cForecasts(api, entity)))


def _fixed(values: Given) -> dict[str, Any]:
    return {**values, "fixed": tuple(values["fixed"].items())}


def _u9c(name: str, given: Given, zone: ZoneInfo) -> U9cAccount:
    return U9cAccount(
        name=name,
        base_url=given["base_url"],
        enterprise=given["enterprise"],
        organisation=given["organisation_code"],
        user=given["user"],
        client_id=given["app_id"],
        client_secret=given["app_secret"],
        home_currency=given["home_currency"],
        zone=zone,
    )


def _kingdee(name: str, given: Given, zone: ZoneInfo) -> KingdeeAccount:
    account = ("account_id", "user", "app_id", "app_secret", "language", "organisation")
    return KingdeeAccount(
        name=name,
        base_url=given["base_url"],
        credentials=Credentials(*(given[key] for key in account)),
        home_currency=given["home_currency"],
        zone=zone,
    )
