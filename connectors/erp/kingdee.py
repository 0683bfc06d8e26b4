"""Kingdee K/3 Cloud (金蝶云星空): receipts by ExecuteBillQuery, over its signed Web API.

The official SDK switches the verification of certificates off and blocks, so the calls are
ours; tests hold both against the same emulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.receivables import HOME_CURRENCY, Receipt
from bot.errors import AuthFailed, Rejected, Unavailable
from connectors.erp.kingdee_signature import Credentials, signed_headers
from connectors.erp.lines import receipt_line
from connectors.http import Http, NotJson

PAGE_ROWS = 2000
MOST_PAGES = 500
OVERLAP = timedelta(hours=1)
"""Bills that were saved while the last query ran, and clocks that differ."""

_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
_TIMEOUT_S = 60.0
_AUDITED = "C"


@dataclass(frozen=True, slots=True)
class BillForm:
    """One kind of bill, and under which keys it carries what a receipt line needs. Kingdee's
    forms differ from customer to customer, so every key is a setting."""

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
class KingdeeApp:
    """name: of the system in the configuration. base_url: with its /k3cloud. home_currency: the
    number of the renminbi there. refunds: None where refunds are negative receipts."""

    name: str
    base_url: str
    credentials: Credentials
    receipts: BillForm
    refunds: BillForm | None
    home_currency: str
    zone: ZoneInfo


class Kingdee:
    """`bot.ports.Erp`."""

    def __init__(self, app: KingdeeApp, http: Http, clock: Clock) -> None:
        self._app = app
        self._http = http
        self._clock = clock

    @property
    def name(self) -> str:
        return self._app.name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """See `bot.ports.Erp`. A bill that is not, or no more, audited counts nothing."""
        found = await self._bills(self._app.receipts, since, sign=1)
        if self._app.refunds is not None:
            found += await self._bills(self._app.refunds, since, sign=-1)
        return found

    async def check(self) -> None:
        """Asks for a single row, for the doctor. Raises BotError."""
        await self._page(self._app.receipts, self._clock.now(), start=0, limit=1)

    async def _bills(self, form: BillForm, since: datetime, *, sign: int) -> list[Receipt]:
        found: list[Receipt] = []
        for page in range(MOST_PAGES):
            rows = await self._page(form, since, start=page * PAGE_ROWS, limit=PAGE_ROWS)
            found += [self._receipt(form, row, sign) for row in rows]
            if len(rows) < PAGE_ROWS:
                return found
        raise Rejected(f"kingdee:{form.form}: more than {MOST_PAGES} pages since {since}")

    async def _page(
        self, form: BillForm, since: datetime, *, start: int, limit: int
    ) -> list[list[Any]]:
        moment = (since - OVERLAP).astimezone(self._app.zone).strftime("%Y-%m-%d %H:%M:%S")
        query = {
            "FormId": form.form,
            "FieldKeys": ",".join(form.keys),
            "FilterString": f"{form.changed_at}>='{moment}'",
            "OrderString": f"{form.number},{form.line}",
            "StartRow": start,
            "Limit": limit,
            "TopRowCount": 0,
            "SubSystemId": "",
        }
        rows = await self._call("ExecuteBillQuery", {"data": query})
        told = _complaint(rows)
        if told:
            raise Rejected(f"kingdee:{form.form}: {told}")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise Unavailable(f"kingdee:{form.form}: an answer of another shape")
        return rows

    def _receipt(self, form: BillForm, row: Sequence[Any], sign: int) -> Receipt:
        number, line, contract, amount, currency, received_on, payer, status = row
        known = HOME_CURRENCY if currency == self._app.home_currency else str(currency)
        try:
            return receipt_line(
                number=number,
                line=f"{form.form}:{line}",
                contract=contract,
                amount=amount if status == _AUDITED else 0,
                currency=known,
                received_on=received_on,
                payer=payer,
                sign=sign,
            )
        except ValueError as error:
            raise Rejected(f"kingdee:{form.form}: {number}: {error}") from None

    async def _call(self, method: str, body: Mapping[str, Any]) -> Any:
        url = f"{self._app.base_url}/{_SERVICE}.{method}.common.kdsvc"
        stamp = str(int(self._clock.now().timestamp()))
        what = f"kingdee:{method}"
        try:
            status, answer = await self._http.request_json(
                "POST",
                url,
                json=dict(body),
                headers=signed_headers(self._app.credentials, urlsplit(url).path, stamp),
                timeout_s=_TIMEOUT_S,
                what=what,
            )
        except NotJson as error:
            # Refusals come as a bare text with this mark, whatever the content type says.
            if error.snippet.startswith("response_error:"):
                raise AuthFailed(f"{what}: {error.snippet[15:200].strip()}") from None
            raise
        if status in (401, 403):
            raise AuthFailed(f"{what}: HTTP {status}")
        if status != 200:
            raise Unavailable(f"{what}: HTTP {status}")
        return answer


def _complaint(rows: Any) -> str:
    """What a failed query says; its answer is a table with one cell that holds the status."""
    match rows:
        case [[{"Result": {"ResponseStatus": {"IsSuccess": False, "Errors": list(errors)}}}]]:
            return "; ".join(str(one.get("Message", "")) for one in errors)[:200]
        case _:
            return ""
