"""An emulated Kingdee K/3 Cloud: its signatures, its bill query, its operations, and a few bills.

`POST /sandbox/kingdee/receipts {contract, amount, payer?, number?, currency?}` books one, as the
company's accountant would; a negative amount is a reversal. `POST /sandbox/kingdee/orders
{number, customer, amount, delivery?, contract?}` enters and audits a sales order;
`GET /sandbox/kingdee/forecasts` shows what forecasts stand there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .kingdee_bills import CHINA, Books, Form, Refusal, Row
from .world import World

ACCOUNT_ID = "20260101demo"
USER = "gendan"
APP_ID = "demoapp_" + base64.b64encode(b"Gendan-demo-24-bytes-key").decode()
APP_SECRET = "GendanDemoKingdeeSecret-worthless"
NOTICE_SECRET = "GendanDemoNoticeSecret-worthless"
HOME_CURRENCY = "PRE001"

RECEIPTS, CUSTOMERS = "AR_RECEIVEBILL", "BD_Customer"
ORDERS, FORECASTS = "SAL_SaleOrder", "ora_SaleForecast"

_MASK = b"0054f397c6234378b09ca7d3"
_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
_OPERATIONS = ("Submit", "Audit", "UnAudit", "CancelAssign")


def forms() -> list[Form]:
    """The forms of the demo account; the forecasts' is the company's own, made in its designer."""
    common = {"FDocumentStatus", "FModifyDate"}
    return [
        Form(
            RECEIPTS,
            id="FID",
            number="FBillNo",
            keys=frozenset(
                common
                | {"FID", "FBillNo", "FRECEIVEBILLENTRY_FEntryID", "FSALEORDERNUMBER"}
                | {"FRECTOTALAMOUNTFOR", "FCURRENCYID.FNumber", "FDATE", "FCONTACTUNIT.FName"}
            ),
        ),
        Form(
            CUSTOMERS,
            id="FCUSTID",
            number="FNumber",
            keys=frozenset(
                common | {"FCUSTID", "FNumber", "FName", "FSOCIALCRECODE", "FTEL", "FForbidStatus"}
            ),
        ),
        Form(
            ORDERS,
            id="FID",
            number="FBillNo",
            keys=frozenset(
                common
                | {"FID", "FBillNo", "FSaleOrderEntry_FEntryID", "FCustId.FNumber"}
                | {"FCustId.FName", "F_CONTRACT_NO", "FBillAllAmount", "FAllAmount", "FDate"}
                | {"FSettleCurrId.FNumber", "FDeliveryDate", "FCloseStatus", "FCancelStatus"}
            ),
        ),
        Form(
            FORECASTS,
            id="FID",
            number="FBillNo",
            keys=frozenset(
                common
                | {"FID", "FBillNo", "F_GD_KEY", "F_GD_CUST.FNumber", "F_GD_AMOUNT", "F_GD_DATE"}
                | {"F_GD_LEVEL", "F_GD_EVIDENCE", "F_GD_DEAL", "F_GD_STATE", "F_GD_ORG.FNumber"}
            ),
            writable=frozenset(
                {"F_GD_KEY", "F_GD_CUST", "F_GD_AMOUNT", "F_GD_DATE", "F_GD_LEVEL"}
                | {"F_GD_EVIDENCE", "F_GD_DEAL", "F_GD_STATE", "F_GD_ORG"}
            ),
            references={"F_GD_CUST": CUSTOMERS, "F_GD_ORG": "ORG_Organizations"},
            required=frozenset({"F_GD_KEY", "F_GD_CUST", "F_GD_AMOUNT", "F_GD_DATE", "F_GD_ORG"}),
        ),
    ]


class KingdeeEmulator:
    """Serves /sandbox/kingdee/k3cloud. Faults are played for the platform "erp", by the name of
    the call."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.books = Books(forms(), world.now)

    def routes(self) -> list[web.RouteDef]:
        calls = {
            "ExecuteBillQuery": lambda body: self.books.query(body["data"]),
            "Save": lambda body: _done(self.books.save(body["formid"], body["data"])),
            **{name: self._operation(name) for name in _OPERATIONS},
        }
        served = [
            web.post(
                f"/sandbox/kingdee/k3cloud/{_SERVICE}.{name}.common.kdsvc", self._door(name, act)
            )
            for name, act in calls.items()
        ]
        return [
            *served,
            web.post("/sandbox/kingdee/receipts", self._book),
            web.post("/sandbox/kingdee/orders", self._order),
            web.get("/sandbox/kingdee/forecasts", self._forecasts),
        ]

    def book(
        self,
        contract: str,
        amount: str,
        *,
        payer: str = "",
        number: str = "",
        currency: str = HOME_CURRENCY,
    ) -> Row:
        """Enter and audit a receipt now; a known number is changed."""
        now = self._world.now()
        number = number or f"SKD{now:%y%m%d%H%M%S}{self._world.next_id()}"
        self.books.remove(RECEIPTS, number)
        return self.books.add(
            RECEIPTS,
            FBillNo=number,
            FRECEIVEBILLENTRY_FEntryID=1,
            FSALEORDERNUMBER=contract,
            FRECTOTALAMOUNTFOR=amount,
            FDATE=f"{now.astimezone(CHINA):%Y-%m-%d}",
            FDocumentStatus="C",
            **{"FCURRENCYID.FNumber": currency, "FCONTACTUNIT.FName": payer},
        )

    def unaudit(self, number: str) -> None:
        """反审核: the receipt counts no more."""
        self.books.change(RECEIPTS, number, FDocumentStatus="D")

    def know(self, code: str, name: str, *, credit_code: str = "", phone: str = "") -> Row:
        """Enter and audit a customer now; a known code is changed."""
        self.books.remove(CUSTOMERS, code)
        return self.books.add(
            CUSTOMERS,
            FNumber=code,
            FName=name,
            FSOCIALCRECODE=credit_code,
            FTEL=phone,
            FDocumentStatus="C",
            FForbidStatus="A",
        )

    def order(
        self,
        number: str,
        customer: str,
        amounts: Sequence[float],
        *,
        delivery: str = "",
        contract: str = "",
        total: float | None = None,
        currency: str = HOME_CURRENCY,
    ) -> None:
        """Enter and audit a sales order with one line for each amount; a known number is
        changed. total: what its head says, where that is not the sum."""
        self.books.remove(ORDERS, number)
        known = self.books.forms[CUSTOMERS].row(customer)
        for entry, amount in enumerate(amounts, 1):
            self.books.add(
                ORDERS,
                FBillNo=number,
                FSaleOrderEntry_FEntryID=entry,
                F_CONTRACT_NO=contract,
                FBillAllAmount=sum(amounts) if total is None else total,
                FAllAmount=amount,
                FDate=f"{self._world.now().astimezone(CHINA):%Y-%m-%d}",
                FDeliveryDate=delivery,
                FDocumentStatus="C",
                FCloseStatus="A",
                FCancelStatus="A",
                **{
                    "FCustId.FNumber": customer,
                    "FCustId.FName": known["FName"] if known else "",
                    "FSettleCurrId.FNumber": currency,
                },
            )

    def cancel(self, number: str) -> None:
        """作废 a sales order."""
        self.books.change(ORDERS, number, FCancelStatus="B")

    def _operation(self, name: str) -> Callable[[Any], Any]:
        return lambda body: _done(self.books.operate(name, body["formid"], body["data"]))

    async def _book(self, request: web.Request) -> web.Response:
        body = await request.json()
        given = {key: str(body[key]) for key in ("payer", "number", "currency") if key in body}
        bill = self.book(str(body.get("contract", "")), str(body["amount"]), **given)
        return web.json_response({"number": bill["FBillNo"]})

    async def _order(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.order(
            str(body["number"]),
            str(body["customer"]),
            [float(body["amount"])],
            delivery=str(body.get("delivery", "")),
            contract=str(body.get("contract", "")),
        )
        return web.json_response({"number": body["number"]})

    async def _forecasts(self, _request: web.Request) -> web.Response:
        shown = [
            {key: value for key, value in row.items() if key != "FModifyDate"}
            for row in self.books.forms[FORECASTS].rows
        ]
        return web.json_response(shown)

    def _door(self, name: str, act: Callable[[Any], Any]) -> Callable[[web.Request], Any]:
        """One call of the Web API, behind its signatures."""

        async def serve(request: web.Request) -> web.Response:
            fault = self._world.fault("erp", name)
            if fault is not None and not fault.after:
                return web.Response(status=fault.status or 500, text="<html>fault</html>")
            complaint = self._refusal(request)
            if complaint:
                return web.Response(text=f"response_error:{complaint}")
            try:
                answer = act(await request.json())
            except Refusal as refusal:
                answer = _failed(refusal)
                answer = [[answer]] if name == "ExecuteBillQuery" else answer
            if fault is not None:
                return web.Response(status=fault.status or 502, text="<html>fault</html>")
            return web.json_response(answer)

        return serve

    def _refusal(self, request: web.Request) -> str:
        """Both signatures, the application and the account."""
        heads = request.headers
        stamp = heads.get("x-api-timestamp", "")
        if heads.get("X-Kd-Appkey") != APP_ID or not stamp.isdigit():
            return "应用不存在"
        whom = base64.b64decode(heads.get("X-Kd-Appdata", "")).decode()
        if not whom.startswith(f"{ACCOUNT_ID},{USER},"):
            return "账套或用户不正确"
        path = quote(request.path, safe="/").replace("/", "%2F")
        nonce = heads.get("x-api-nonce", "")
        call = f"POST\n{path}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{stamp}\n"
        raw = base64.b64decode(APP_ID.partition("_")[2])
        key = base64.b64encode(bytes(a ^ b for a, b in zip(raw, _MASK, strict=True))).decode()
        expected = {
            "X-Kd-Signature": _signature(APP_SECRET, APP_ID + whom),
            "X-Api-Signature": _signature(key, call),
        }
        wrong = [n for n, s in expected.items() if not hmac.compare_digest(heads.get(n, ""), s)]
        return "签名不正确" if wrong else ""


def _signature(key: str, text: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def _done(row: Row) -> dict[str, Any]:
    entity = {"Id": row["FID"], "Number": row["FBillNo"], "DIndex": 0}
    status = {
        "IsSuccess": True, "Errors": [], "SuccessEntitys": [entity], "SuccessMessages": [],
        "MsgCode": 0,
    }  # fmt: skip
    return {
        "Result": {
            "ResponseStatus": status,
            "Id": row["FID"],
            "Number": row["FBillNo"],
            "NeedReturnData": [{}],
        }
    }


def _failed(refusal: Refusal) -> Any:
    error = {"FieldName": refusal.name, "Message": str(refusal), "DIndex": 0}
    status = {
        "ErrorCode": 500, "IsSuccess": False, "Errors": [error], "SuccessEntitys": [],
        "SuccessMessages": [], "MsgCode": refusal.code,
    }  # fmt: skip
    return {"Result": {"ResponseStatus": status}}
