"""An emulated Kingdee K/3 Cloud: its signatures, its bill query, and a few receipts to be found.

`POST /sandbox/kingdee/receipts {contract, amount, payer?, number?, currency?}` books one, as
the company's accountant would; a negative amount is a reversal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .world import World

ACCOUNT_ID = "20260101demo"
USER = "gendan"
APP_ID = "demoapp_" + base64.b64encode(b"Gendan-demo-24-bytes-key").decode()
APP_SECRET = "GendanDemoKingdeeSecret-worthless"
NOTICE_SECRET = "GendanDemoNoticeSecret-worthless"
HOME_CURRENCY = "PRE001"

_MASK = b"0054f397c6234378b09ca7d3"
_CHINA = timezone(timedelta(hours=8))
_SINCE = re.compile(r"FModifyDate>='(?P<moment>[\d :-]+)'")
_QUERY = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"
_KEYS = {
    "FBillNo": "number", "FRECEIVEBILLENTRY_FEntryID": "line", "FSALEORDERNUMBER": "contract",
    "FRECTOTALAMOUNTFOR": "amount", "FCURRENCYID.FNumber": "currency", "FDATE": "day",
    "FCONTACTUNIT.FName": "payer", "FDocumentStatus": "status",
}  # fmt: skip


@dataclass(slots=True)
class Bill:
    """A line of a receipt. amount: yuan, as the ERP shows it. status: C audited, D taken
    back to be audited anew."""

    number: str
    line: int
    contract: str
    amount: str
    currency: str
    day: str
    payer: str
    changed_at: datetime
    status: str = "C"


class KingdeeEmulator:
    """Serves /sandbox/kingdee/k3cloud. Faults are played for the platform "erp"."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.bills: list[Bill] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"/sandbox/kingdee/k3cloud/{_QUERY}", self._query),
            web.post("/sandbox/kingdee/receipts", self._book),
        ]

    def book(
        self,
        contract: str,
        amount: str,
        *,
        payer: str = "",
        number: str = "",
        currency: str = HOME_CURRENCY,
    ) -> Bill:
        """Enter and audit a receipt now; a known number is changed."""
        now = self._world.now()
        bill = Bill(
            number=number or f"SKD{now:%y%m%d%H%M%S}{self._world.next_id()}",
            line=1,
            contract=contract,
            amount=amount,
            currency=currency,
            day=f"{now.astimezone(_CHINA):%Y-%m-%dT00:00:00}",
            payer=payer,
            changed_at=now,
        )
        self.bills = [known for known in self.bills if known.number != bill.number]
        self.bills.append(bill)
        return bill

    def unaudit(self, number: str) -> None:
        """反审核: the receipt counts no more."""
        for bill in self.bills:
            if bill.number == number:
                bill.status, bill.changed_at = "D", self._world.now()

    async def _book(self, request: web.Request) -> web.Response:
        body = await request.json()
        given = {key: str(body[key]) for key in ("payer", "number", "currency") if key in body}
        bill = self.book(str(body.get("contract", "")), str(body["amount"]), **given)
        return web.json_response({"number": bill.number})

    async def _query(self, request: web.Request) -> web.Response:
        fault = self._world.fault("erp", "ExecuteBillQuery")
        if fault is not None:
            return web.Response(status=fault.status or 500, text="<html>fault</html>")
        complaint = self._refusal(request)
        if complaint:
            return web.Response(text=f"response_error:{complaint}")
        query = (await request.json())["data"]
        keys = str(query["FieldKeys"]).split(",")
        since = _SINCE.fullmatch(str(query["FilterString"]))
        if query["FormId"] != "AR_RECEIVEBILL" or since is None or set(keys) - set(_KEYS):
            return web.json_response(_failed("字段不存在"))
        moment = datetime.fromisoformat(since["moment"]).replace(tzinfo=_CHINA)
        found = [bill for bill in self.bills if bill.changed_at >= moment]
        found.sort(key=lambda bill: (bill.number, bill.line))
        start, limit = int(query["StartRow"]), min(int(query["Limit"]), 10_000)
        rows = [[getattr(bill, _KEYS[key]) for key in keys] for bill in found]
        return web.json_response(rows[start : start + limit])

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


def _failed(message: str) -> list[Any]:
    status = {"IsSuccess": False, "ErrorCode": 500, "Errors": [{"Message": message}]}
    return [[{"Result": {"ResponseStatus": status}}]]
