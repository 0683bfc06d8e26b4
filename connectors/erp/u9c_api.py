"""The OpenAPI of Yonyou U9C (用友 U9 cloud): a token from AuthLogin, queries, and operations.

Login, header, codes, the shape of the query, and that an operation answers with one result for
each row, are as its OpenAPI pages tell.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.receivables import HOME_CURRENCY
from bot.errors import AuthFailed, Rejected, Unavailable
from connectors.http import Http

PAGE_ROWS = 200
MOST_PAGES = 5000
OVERLAP = timedelta(hours=1)

_EXPIRED = frozenset({402, 504})
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class U9cAccount:
    """One account of U9C as configured. name: of the system in the configuration. base_url: with
    its /U9C. enterprise, organisation, user: codes; client_id, client_secret: of the registered
    application."""

    name: str
    base_url: str
    enterprise: str
    organisation: str
    user: str
    client_id: str
    client_secret: str = field(repr=False)
    home_currency: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter of a query. operator: as U9C calls it."""

    field: str
    operator: str
    value: str


class _Expired(Exception):
    """The token is no longer good."""


class U9cApi:
    """Calls for one account. A new token ends the one before, so there is one at a time. Every
    method raises BotError."""

    def __init__(self, account: U9cAccount, http: Http) -> None:
        self.account = account
        self._http = http
        self._token = ""
        self._logging_in = asyncio.Lock()

    async def changed(
        self, entity: str, names: Sequence[str], since: datetime, *, at: Condition, first_page: int
    ) -> list[Mapping[str, Any]]:
        """All that was saved since then. at: the field of the moment of the last change, with
        the operator for "not before"; its value is filled in."""
        moment = (since - OVERLAP).astimezone(self.account.zone).strftime("%Y-%m-%d %H:%M:%S")
        filtered = Condition(at.field, at.operator, moment)
        return await self.query(entity, names, filtered, first_page=first_page)

    async def query(
        self, entity: str, names: Sequence[str], filtered: Condition, *, first_page: int
    ) -> list[Mapping[str, Any]]:
        """All rows that fit, page by page."""
        one = {"Field": filtered.field, "Operator": filtered.operator, "Value": filtered.value}
        found: list[Mapping[str, Any]] = []
        for page in range(first_page, first_page + MOST_PAGES):
            query = {
                "EntityFullName": entity,
                "ReturnFields": list(names),
                "PageIndex": page,
                "PageSize": PAGE_ROWS,
                "Orders": [],
                "Filters": [{"Logic": "and", "Filters": [one]}],
            }
            rows = _rows("CommonEntity/Query", await self._post("CommonEntity/Query", query))
            found += rows
            if len(rows) < PAGE_ROWS:
                return found
        raise Rejected(f"u9c:CommonEntity/Query: more than {MOST_PAGES} pages of {entity}")

    async def operate(self, api: str, row: Mapping[str, Any]) -> None:
        """A business operation on one row. ResCode 0 says that the call was understood; whether
        the row was taken stands in its own result."""
        [*results] = _rows(api, await self._post(api, [dict(row)]))
        if len(results) != 1:
            raise Unavailable(f"u9c:{api}: {len(results)} results for one row")
        result = results[0]
        taken = result.get("IsSucess", result.get("m_isSucess"))  # as U9C spells it
        if taken is not True:
            told = result.get("ErrorMsg") or result.get("m_errorMsg") or "no reason given"
            raise Rejected(f"u9c:{api}: {str(told)[:200]}")

    async def check(self) -> None:
        """Logs in."""
        await self._log_in("")

    def currency(self, told: object) -> str:
        """CNY, or as U9C calls another."""
        return HOME_CURRENCY if told == self.account.home_currency else str(told)

    async def _post(self, api: str, body: Any) -> Any:
        """With one new login where the token has expired."""
        token = self._token or await self._log_in("")
        try:
            return await self._call("POST", api, json=body, headers={"token": token})
        except _Expired:
            token = await self._log_in(token)
        try:
            return await self._call("POST", api, json=body, headers={"token": token})
        except _Expired:
            raise AuthFailed(f"u9c:{api}: a fresh token is refused") from None

    async def _log_in(self, expired: str) -> str:
        async with self._logging_in:
            if self._token == expired:
                account = self.account
                told = {
                    "clientid": account.client_id,
                    "clientsecret": account.client_secret,
                    "entCode": account.enterprise,
                    "orgCode": account.organisation,
                    "userCode": account.user,
                }
                token = await self._call("GET", "OAuth2/AuthLogin", params=told)
                if not isinstance(token, str) or not token:
                    raise AuthFailed("u9c:OAuth2/AuthLogin: no token")
                self._token = token
            return self._token

    async def _call(self, method: str, api: str, **options: Any) -> Any:
        """The `Data` of an answer."""
        what, url = f"u9c:{api}", f"{self.account.base_url}/webapi/{api}"
        status, answer = await self._http.request_json(
            method, url, timeout_s=_TIMEOUT_S, what=what, **options
        )
        if not isinstance(answer, Mapping):
            raise Unavailable(f"{what}: HTTP {status}, an answer of another shape")
        code = answer.get("ResCode")
        if status == 401 or (isinstance(code, int) and code in _EXPIRED):
            raise _Expired if method == "POST" else AuthFailed(f"{what}: code {code}")
        if status != 200:
            raise Unavailable(f"{what}: HTTP {status}")
        if code != 0 or answer.get("Success") is False:
            told = f"{what}: code {code} {str(answer.get('ResMsg') or '')[:200]}".rstrip()
            raise AuthFailed(told) if method == "GET" else Rejected(told)
        return answer.get("Data")


def at_path(row: Mapping[str, Any], path: str) -> Any:
    """A field by its path, `Currency.Code`, whether rows come nested or flat."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _rows(api: str, data: Any) -> list[Mapping[str, Any]]:
    """Some calls answer with the rows as a text of JSON."""
    try:
        rows = json.loads(data) if isinstance(data, str) else data
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Unavailable(f"u9c:{api}: an answer of another shape")
    return rows
