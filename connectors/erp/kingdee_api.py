"""The signed Web API of Kingdee K/3 Cloud (金蝶云星空): queries and operations on its bills.

The official SDK switches the verification of certificates off and blocks, so the calls are
ours; tests hold both against the same emulator. The shape of answers and the meaning of MsgCode
are as Kingdee's pages for each form's Web API have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.receivables import HOME_CURRENCY
from bot.errors import AuthFailed, BotError, RateLimited, Rejected, Unavailable
from connectors.erp.kingdee_signature import Credentials, signed_headers
from connectors.http import Http, NotJson

PAGE_ROWS = 2000
MOST_PAGES = 500
OVERLAP = timedelta(hours=1)
"""Bills that were saved while the last query ran, and clocks that differ."""

_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class KingdeeAccount:
    """One account of Kingdee as configured. name: of the system in the configuration. base_url:
    with its /k3cloud. home_currency: the number of the renminbi there."""

    name: str
    base_url: str
    credentials: Credentials
    home_currency: str
    zone: ZoneInfo


class KingdeeApi:
    """Calls for one account. Every method raises BotError."""

    def __init__(self, account: KingdeeAccount, http: Http, clock: Clock) -> None:
        self.account = account
        self._http = http
        self._clock = clock

    async def changed(
        self, form: str, keys: Sequence[str], changed_at: str, since: datetime, *, order: str
    ) -> list[list[Any]]:
        """The values under `keys` of all that was saved since then, page by page. changed_at:
        the key of the moment of the last change."""
        moment = (since - OVERLAP).astimezone(self.account.zone).strftime("%Y-%m-%d %H:%M:%S")
        return await self.query(form, keys, f"{changed_at}>='{moment}'", order=order)

    async def query(
        self, form: str, keys: Sequence[str], filtered: str, *, order: str
    ) -> list[list[Any]]:
        """All rows that fit the filter."""
        found: list[list[Any]] = []
        for page in range(MOST_PAGES):
            start = page * PAGE_ROWS
            rows = await self.page(form, keys, filtered, order=order, start=start, limit=PAGE_ROWS)
            found += rows
            if len(rows) < PAGE_ROWS:
                return found
        raise Rejected(f"kingdee:{form}: more than {MOST_PAGES} pages where {filtered}")

    async def page(
        self, form: str, keys: Sequence[str], filtered: str, *, order: str, start: int, limit: int
    ) -> list[list[Any]]:
        query = {
            "FormId": form,
            "FieldKeys": ",".join(keys),
            "FilterString": filtered,
            "OrderString": order,
            "StartRow": start,
            "Limit": limit,
            "TopRowCount": 0,
            "SubSystemId": "",
        }
        rows = await self._call("ExecuteBillQuery", {"data": query})
        match rows:
            case [[{"Result": {"ResponseStatus": {"IsSuccess": False} as status}}]]:
                raise _failure(f"kingdee:{form}", status)
        if not isinstance(rows, list) or not all(
            isinstance(row, list) and len(row) == len(keys) for row in rows
        ):
            raise Unavailable(f"kingdee:{form}: an answer of another shape")
        return rows

    async def operate(self, operation: str, form: str, data: Mapping[str, Any]) -> None:
        """Save, Submit, Audit and their opposites: done, or an error with Kingdee's words."""
        what = f"kingdee:{form}: {operation}"
        answer = await self._call(operation, {"formid": form, "data": dict(data)})
        match answer:
            case {"Result": {"ResponseStatus": {"IsSuccess": True}}}:
                return
            case {"Result": {"ResponseStatus": {"IsSuccess": False} as status}}:
                raise _failure(what, status)
        raise Unavailable(f"{what}: an answer of another shape")

    def currency(self, told: object) -> str:
        """CNY, or as Kingdee calls another."""
        return HOME_CURRENCY if told == self.account.home_currency else str(told)

    async def _call(self, method: str, body: Mapping[str, Any]) -> Any:
        url = f"{self.account.base_url}/{_SERVICE}.{method}.common.kdsvc"
        stamp = str(int(self._clock.now().timestamp()))
        what = f"kingdee:{method}"
        try:
            status, answer = await self._http.request_json(
                "POST",
                url,
                json=dict(body),
                headers=signed_headers(self.account.credentials, urlsplit(url).path, stamp),
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


_BY_CODE: Mapping[int, type[BotError]] = {
    1: Unavailable,  # the session's context was lost
    2: AuthFailed,  # no permission
    6: Unavailable,  # the database failed
    7: AuthFailed,  # licence
    13: Unavailable,  # somebody has the bill open (网控)
    14: RateLimited,
    15: AuthFailed,  # administrators may not
}
"""MsgCode -> what it means for another try; all others are refusals of what was asked."""


def _failure(what: str, status: Mapping[str, Any]) -> BotError:
    errors = status.get("Errors")
    listed = errors if isinstance(errors, list) else []
    told = "; ".join(str(one.get("Message", "")) for one in listed if isinstance(one, Mapping))
    code = status.get("MsgCode")
    kind = _BY_CODE.get(code, Rejected) if isinstance(code, int) else Rejected
    return kind(f"{what}: {told[:200]}")
