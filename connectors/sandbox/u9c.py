"""An emulated Yonyou U9C: one token at a time, and its common query over receipts."""

from __future__ import annotations

import secrets
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

_CHINA = timezone(timedelta(hours=8))
_EXPIRED = {"ResCode": 402, "ResMsg": "token 已过期", "Success": False, "Data": None}


class U9cEmulator:
    """Serves /sandbox/u9c/U9C. rows: as the entity holds them; `ModifiedOn` is a moment.
    nested: whether `Currency.Code` comes as an object."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._token = ""
        self.rows: list[dict[str, Any]] = []
        self.nested = False
        self.logins = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sandbox/u9c/U9C/webapi/OAuth2/AuthLogin", self._log_in),
            web.post("/sandbox/u9c/U9C/webapi/CommonEntity/Query", self._query),
        ]

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
        if not self._token or request.headers.get("token") != self._token:
            return web.json_response(_EXPIRED)
        query = await request.json()
        if query["EntityFullName"] != ENTITY:
            told = {"ResCode": 1, "ResMsg": "实体不存在", "Success": False, "Data": None}
            return web.json_response(told)
        [since] = (one["Value"] for one in query["Filters"][0]["Filters"])
        moment = datetime.fromisoformat(since).replace(tzinfo=_CHINA)
        found = [row for row in self.rows if row["ModifiedOn"] >= moment]
        size = query["PageSize"]
        start = (query["PageIndex"] - 1) * size
        page = [self._shown(row, query["ReturnFields"]) for row in found[start : start + size]]
        return web.json_response({"ResCode": 0, "Success": True, "Data": page})

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
