"""Yonyou U9C (用友 U9 cloud): receipts by CommonEntity/Query, with a token from AuthLogin.

Login, header, codes and the shape of the query are as its OpenAPI pages tell. Which entity and
which fields hold a receipt differs from customer to customer, so those are settings.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.receivables import HOME_CURRENCY, Receipt
from bot.errors import AuthFailed, Rejected, Unavailable
from connectors.erp.lines import receipt_line
from connectors.http import Http

PAGE_ROWS = 200
MOST_PAGES = 5000
OVERLAP = timedelta(hours=1)

_EXPIRED = frozenset({402, 504})
_TIMEOUT_S = 60.0


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
class U9cApp:
    """name: of the system in the configuration. base_url: with its /U9C. enterprise,
    organisation, user: codes; client_id, client_secret: of the registered application."""

    name: str
    base_url: str
    enterprise: str
    organisation: str
    user: str
    client_id: str
    client_secret: str = field(repr=False)
    receipts: ReceiptEntity
    home_currency: str
    zone: ZoneInfo


class _Expired(Exception):
    """The token is no longer good."""


class U9c:
    """`bot.ports.Erp`. A new token ends the one before, so there is one at a time."""

    def __init__(self, app: U9cApp, http: Http) -> None:
        self._app = app
        self._http = http
        self._token = ""
        self._logging_in = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._app.name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """See `bot.ports.Erp`. One that is not, or no more, approved counts nothing."""
        found: list[Receipt] = []
        first = self._app.receipts.first_page
        for page in range(first, first + MOST_PAGES):
            rows = await self._page(since, page)
            found += [self._receipt(row) for row in rows]
            if len(rows) < PAGE_ROWS:
                return found
        raise Rejected(f"u9c:CommonEntity/Query: more than {MOST_PAGES} pages since {since}")

    async def check(self) -> None:
        """Logs in, for the doctor. Raises BotError."""
        await self._log_in("")

    async def _page(self, since: datetime, page: int) -> list[Mapping[str, Any]]:
        entity = self._app.receipts
        moment = (since - OVERLAP).astimezone(self._app.zone).strftime("%Y-%m-%d %H:%M:%S")
        query = {
            "EntityFullName": entity.entity,
            "ReturnFields": [
                entity.number, entity.line, entity.contract, entity.amount, entity.currency,
                entity.received_on, entity.payer, entity.status,
            ],
            "PageIndex": page,
            "PageSize": PAGE_ROWS,
            "Orders": [],
            "Filters": [
                {
                    "Logic": "and",
                    "Filters": [
                        {
                            "Field": entity.changed_at,
                            "Operator": entity.since_operator,
                            "Value": moment,
                        }
                    ],
                }
            ],
        }  # fmt: skip
        return _rows(await self._post("CommonEntity/Query", query))

    async def _post(self, api: str, body: Mapping[str, Any]) -> Any:
        """With one new login where the token has expired."""
        token = self._token or await self._log_in("")
        try:
            return await self._call("POST", api, json=dict(body), headers={"token": token})
        except _Expired:
            token = await self._log_in(token)
        try:
            return await self._call("POST", api, json=dict(body), headers={"token": token})
        except _Expired:
            raise AuthFailed(f"u9c:{api}: a fresh token is refused") from None

    async def _log_in(self, expired: str) -> str:
        async with self._logging_in:
            if self._token == expired:
                app = self._app
                told = {
                    "clientid": app.client_id,
                    "clientsecret": app.client_secret,
                    "entCode": app.enterprise,
                    "orgCode": app.organisation,
                    "userCode": app.user,
                }
                token = await self._call("GET", "OAuth2/AuthLogin", params=told)
                if not isinstance(token, str) or not token:
                    raise AuthFailed("u9c:OAuth2/AuthLogin: no token")
                self._token = token
            return self._token

    async def _call(self, method: str, api: str, **options: Any) -> Any:
        """The `Data` of an answer."""
        what, url = f"u9c:{api}", f"{self._app.base_url}/webapi/{api}"
        status, answer = await self._http.request_json(
            method, url, timeout_s=_TIMEOUT_S, what=what, **options
        )
        if not isinstance(answer, Mapping):
            raise Unavailable(f"{what}: HTTP {status}, an answer of another shape")
        code = answer.get("ResCode")
        if status == 401 or code in _EXPIRED:
            raise _Expired if method == "POST" else AuthFailed(f"{what}: code {code}")
        if status != 200:
            raise Unavailable(f"{what}: HTTP {status}")
        if code != 0 or answer.get("Success") is False:
            told = f"{what}: code {code} {str(answer.get('ResMsg') or '')[:200]}".rstrip()
            raise AuthFailed(told) if method == "GET" else Rejected(told)
        return answer.get("Data")

    def _receipt(self, row: Mapping[str, Any]) -> Receipt:
        entity = self._app.receipts
        number, currency = _at(row, entity.number), _at(row, entity.currency)
        is_audited = str(_at(row, entity.status)) == entity.audited
        try:
            return receipt_line(
                number=number,
                line=_at(row, entity.line),
                contract=_at(row, entity.contract),
                amount=_at(row, entity.amount) if is_audited else 0,
                currency=HOME_CURRENCY if currency == self._app.home_currency else str(currency),
                received_on=_at(row, entity.received_on),
                payer=_at(row, entity.payer),
            )
        except ValueError as error:
            raise Rejected(f"u9c:{entity.entity}: {number}: {error}") from None


def _rows(data: Any) -> list[Mapping[str, Any]]:
    """Some calls answer with the rows as a text of JSON."""
    try:
        rows = json.loads(data) if isinstance(data, str) else data
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Unavailable("u9c:CommonEntity/Query: an answer of another shape")
    return rows


def _at(row: Mapping[str, Any], path: str) -> Any:
    """A field by its path, `Currency.Code`, whether rows come nested or flat."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
