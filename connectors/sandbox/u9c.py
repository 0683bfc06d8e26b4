"""An emulated Yonyou U9C: one token at a time, its common query, and operations on an entity.

An operation takes a list of rows and answers, within ResCode 0, a result for each as a text of
JSON.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from aiohttp import web

from .world import World

CREDENTIALS = {
    "clientid": "gendan",
    "clientsecret": "GendanDemoU9cSecret-worthless",
    "entCode": "01",
    "orgCode": "101",
    "userCode": "gendan",
}
ENTITY = "UFIDA.U9.Demo.ReceiptLine"
CUSTOMERS = "UFIDA.U9.CBO.SCM.Customer.Customer"
ORDER_LINES = "UFIDA.U9.SM.SO.SOLine"
FORECASTS = "UFIDA.U9.Cust.Demo.SaleForecast"
FORECAST_FIELDS = frozenset({
    "DocNo", "GdKey", "Customer.Code", "Amount", "ExpectedOn", "Level", "Evidence", "Deal",
    "LineState", "Status", "ModifiedOn", "Org.Code",
})  # fmt: skip

_CHINA = timezone(timedelta(hours=8))
_EXPIRED = {"ResCode": 402, "ResMsg": "token 已过期", "Success": False, "Data": None}
_OPEN, _APPROVED = "0", "2"


class U9cEmulator:
    """Serves /sandbox/u9c/U9C. rows: of the receipts' entity; entities: all of them.
    `ModifiedOn` is a moment. nested: whether `Currency.Code` comes as an object."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._token = ""
        self.rows: list[dict[str, Any]] = []
        self.entities: dict[str, list[dict[str, Any]]] = {
            ENTITY: self.rows, CUSTOMERS: [], ORDER_LINES: [], FORECASTS: [],
        }  # fmt: skip
        self.nested = False
        self.logins = 0

    def routes(self) -> list[web.RouteDef]:
        base = "/sandbox/u9c/U9C/webapi"
        operations = {
            "Create": self._create, "Modify": self._modify, "Approve": self._approve,
            "UnApprove": self._unapprove,
        }  # fmt: skip
        return [
            web.get(f"{base}/OAuth2/AuthLogin", self._log_in),
            web.post(f"{base}/CommonEntity/Query", self._query),
            *(
                web.post(f"{base}/SaleForecast/{name}", self._operation(name, act))
                for name, act in operations.items()
            ),
        ]

    @property
    def forecasts(self) -> list[dict[str, Any]]:
        return self.entities[FORECASTS]

    def expire(self) -> None:
        """As a restart of the server, or a login by somebody else, does."""
        self._token = secrets.token_hex(16)

    async def _log_in(self, request: web.Request) -> web.Response:
        if dict(request.query) != CREDENTIALS:
            told = {"ResCode": 401, "ResMsg": "应用或密钥不正确", "Success": False, "Data": None}
            return web.json_response(told)
        self.logins += 1
        self._token = secrets.token_hex(16)
        return web.json_response({"ResCode": 0, "Success": True, "Data": self._token})

    async def _query(self, request: web.Request) -> web.Response:
        fault = self._world.fault("erp", "CommonEntity/Query")
        if fault is not None:
            return web.Response(status=fault.status or 500, text="<html>fault</html>")
        if not self._is_known(request):
            return web.json_response(_EXPIRED)
        query = await request.json()
        rows = self.entities.get(query["EntityFullName"])
        if rows is None:
            told = {"ResCode": 1, "ResMsg": "实体不存在", "Success": False, "Data": None}
            return web.json_response(told)
        [asked] = query["Filters"][0]["Filters"]
        found = [row for row in rows if _fits(row, asked)]
        size = query["PageSize"]
        start = (query["PageIndex"] - 1) * size
        page = [self._shown(row, query["ReturnFields"]) for row in found[start : start + size]]
        return web.json_response({"ResCode": 0, "Success": True, "Data": page})

    def _operation(
        self, name: str, act: Callable[[dict[str, str]], str]
    ) -> Callable[[web.Request], Any]:
        """act: what is wrong with a row, "" when it was taken."""

        async def serve(request: web.Request) -> web.Response:
            fault = self._world.fault("erp", f"SaleForecast/{name}")
            if fault is not None and not fault.after:
                return web.Response(status=fault.status or 500, text="<html>fault</html>")
            if not self._is_known(request):
                return web.json_response(_EXPIRED)
            results = []
            for row in await request.json():
                wrong = act(_flat(row))
                results.append({"m_isSucess": not wrong, "m_errorMsg": wrong, "m_code": ""})
            if fault is not None:
                return web.Response(status=fault.status or 502, text="<html>fault</html>")
            told = {"ResCode": 0, "ResMsg": "", "Success": True, "Data": json.dumps(results)}
            return web.json_response(told)

        return serve

    def _create(self, row: dict[str, str]) -> str:
        wrong = self._wrong(row)
        if wrong or not {"GdKey", "Customer.Code", "Amount", "ExpectedOn", "Org.Code"} <= set(row):
            return wrong or "必填字段为空"
        number = f"YC{len(self.forecasts) + 1:05}"
        empty = dict.fromkeys(FORECAST_FIELDS, "")
        self.forecasts.append(
            {**empty, **row, "DocNo": number, "Status": _OPEN, "ModifiedOn": self._world.now()}
        )
        return ""

    def _modify(self, row: dict[str, str]) -> str:
        known = self._row(row)
        wrong = self._wrong(row)
        if known is None or wrong:
            return wrong or "单据不存在"
        if known["Status"] != _OPEN:
            return "已审核的单据不能修改，请先弃审"
        known |= {**row, "Status": _OPEN, "ModifiedOn": self._world.now()}
        return ""

    def _approve(self, row: dict[str, str]) -> str:
        known = self._row(row)
        if known is None or known["Status"] != _OPEN:
            return "只有开立状态的单据才能审核"
        known["Status"] = _APPROVED
        return ""

    def _unapprove(self, row: dict[str, str]) -> str:
        known = self._row(row)
        if known is None or known["Status"] != _APPROVED:
            return "只有已审核的单据才能弃审"
        known["Status"] = _OPEN
        return ""

    def _row(self, row: Mapping[str, str]) -> dict[str, Any] | None:
        return next((one for one in self.forecasts if one["DocNo"] == row.get("DocNo")), None)

    def _wrong(self, row: Mapping[str, str]) -> str:
        if set(row) - FORECAST_FIELDS:
            return f"字段不存在：{min(set(row) - FORECAST_FIELDS)}"
        codes = {one["Code"] for one in self.entities[CUSTOMERS]}
        code = row.get("Customer.Code")
        return f"客户 {code} 不存在" if code is not None and code not in codes else ""

    def _is_known(self, request: web.Request) -> bool:
        return bool(self._token) and request.headers.get("token") == self._token

    def _shown(self, row: dict[str, Any], names: list[str]) -> dict[str, Any]:
        if not self.nested:
            return {name: row[name] for name in names}
        shown: dict[str, Any] = {}
        for name in names:
            head, _, tail = name.partition(".")
            if tail:
                shown.setdefault(head, {})[tail] = row[name]
            else:
                shown[head] = row[name]
        return shown


def _fits(row: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    value = row[asked["Field"]]
    if asked["Operator"] == "ge":
        return bool(value >= datetime.fromisoformat(asked["Value"]).replace(tzinfo=_CHINA))
    if asked["Operator"] == "like":
        return str(value).startswith(asked["Value"].rstrip("%"))
    return bool(asked["Operator"] == "eq" and value == asked["Value"])


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    """{"Customer": {"Code": "K1"}} -> {"Customer.Code": "K1"}."""
    flat: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": text for inner, text in value.items()}
        else:
            flat[name] = value
    return flat
