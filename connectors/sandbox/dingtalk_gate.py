"""The way into DingTalk's server APIs: tokens, scopes, limits, faults, and both answer styles.

The new API (/v1.0/…) takes the token in a header and fails with an HTTP status; the old
one takes it in the query and fails inside a 200 answer (protocol notes, top, 3.1, 9.1).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from .dingtalk_errors import (
    ApiError,
    NewError,
    OldError,
    PageError,
    from_fault,
    invalid,
    scope_missing,
)
from .world import App, Fault, World

PREFIX = "/sandbox/dingtalk"

Body = dict[str, Any]
Handler = Callable[[Body], Body | Awaitable[Body]]
RequestHandler = Callable[[web.Request], Awaitable[Body]]

# The scope each call needs, as the developer console names it.
SCOPES: dict[str, str] = {
    "v1.0/robot/oToMessages/batchSend": "qyapi_robot_sendmsg",
    "v1.0/robot/oToMessages/readStatus": "qyapi_robot_sendmsg",
    "v1.0/robot/otoMessages/batchRecall": "qyapi_robot_sendmsg",
    "v1.0/robot/groupMessages/send": "qyapi_robot_sendmsg",
    "v1.0/robot/groupMessages/query": "qyapi_robot_sendmsg",
    "v1.0/robot/groupMessages/recall": "qyapi_robot_sendmsg",
    "v1.0/robot/messageFiles/download": "qyapi_robot_sendmsg",
    "v1.0/card/instances": "Card.Instance.Write",
    "v1.0/card/instances/createAndDeliver": "Card.Instance.Write",
    "v1.0/card/instances/deliver": "Card.Instance.Write",
    "topapi/v2/department/listsub": "qyapi_get_department_list",
    "topapi/v2/department/listsubid": "qyapi_get_department_list",
    "topapi/v2/department/get": "qyapi_get_department_list",
    "topapi/v2/department/listparentbyuser": "qyapi_get_department_list",
    "topapi/v2/user/list": "qyapi_get_department_member",
    "topapi/user/listsimple": "qyapi_get_department_member",
    "topapi/user/listid": "qyapi_get_member",
    "topapi/v2/user/get": "qyapi_get_member",
    "topapi/user/getbyunionid": "qyapi_get_member",
    "topapi/v2/user/getbymobile": "qyapi_get_member_by_mobile",
    "topapi/extcontact/list": "qyapi_ext_read",
    "topapi/extcontact/get": "qyapi_ext_read",
    "topapi/extcontact/listlabelgroups": "qyapi_ext_read",
    "topapi/extcontact/create": "qyapi_ext_write",
    "topapi/extcontact/delete": "qyapi_ext_write",
    "v1.0/workflow/processInstances": "Workflow.Instance.Read",
    "v1.0/workflow/processes/instanceIds/query": "Workflow.Instance.Read",
}

# Scopes that open no call but fields of a person.
FIELD_SCOPES = frozenset({"fieldMobile", "fieldEmail"})

# Login, directory and failed callbacks are free; everything else counts in the month.
_FREE = (
    "v1.0/oauth2/",
    "gettoken",
    "auth/scopes",
    "call_back/",
    "topapi/v2/department/",
    "topapi/v2/user/",
    "topapi/user/",
    "topapi/extcontact/",
)


@dataclass(slots=True)
class Gate:
    """What stands before every call. The attributes are the knobs a test may turn.

    granted: scopes of the application. qps: calls of one API allowed in one second, None
    for no limit (20 on the standard edition). month_quota: calls allowed in a calendar
    month (UTC), None for no limit (5 000 on the standard edition). strings: the old API
    answers numbers and booleans as strings, as its documentation shows them. wrap_88: its
    topapi calls wrap authentication errors into 88 + sub_code.
    """

    world: World
    token_life_s: int = 7200
    granted: set[str] = field(default_factory=lambda: {*SCOPES.values(), *FIELD_SCOPES})
    qps: int | None = None
    month_quota: int | None = None
    strings: bool = False
    wrap_88: bool = False
    _tokens: dict[str, datetime] = field(default_factory=dict)
    _recent: dict[str, list[datetime]] = field(default_factory=dict)
    _month_calls: dict[str, int] = field(default_factory=dict)

    def app(self) -> App:
        return self.world.app("dingtalk")

    def routes(self) -> list[web.RouteDef]:
        return [
            self.new("POST", "v1.0/oauth2/accessToken", self._access_token, token=False),
            self.new("POST", "v1.0/oauth2/{corp_id}/token", self._corp_token, token=False),
            self.old("GET", "gettoken", self._gettoken, token=False),
        ]

    def new(self, method: str, path: str, handle: Handler, *, token: bool = True) -> web.RouteDef:
        """A call of the new API; the handler gets body, query and path merged into one."""

        async def work(request: web.Request) -> Body:
            arguments = await self.arguments(request)
            return await _awaited(handle(arguments))

        return self.new_raw(method, path, work, token=token)

    def new_raw(
        self, method: str, path: str, work: RequestHandler, *, token: bool = True
    ) -> web.RouteDef:
        """The same for a handler that looks at the request itself."""

        async def answer(request: web.Request) -> web.Response:
            check = self._check_header_token if token else None
            return await self._serve(request, work, check, new=True)

        return web.route(method, f"{PREFIX}/{path}", answer)

    def old(self, method: str, path: str, handle: Handler, *, token: bool = True) -> web.RouteDef:
        """A call of the old API; what the handler answers is completed with errcode 0."""

        async def work(request: web.Request) -> Body:
            arguments = await _arguments(request, OldError(40035, "不合法的参数"))
            return await _awaited(handle(arguments))

        return self.old_raw(method, path, work, token=token)

    def old_raw(
        self, method: str, path: str, work: RequestHandler, *, token: bool = True
    ) -> web.RouteDef:
        """The same for a handler that reads the request itself."""

        async def answer(request: web.Request) -> web.Response:
            check = self._check_query_token if token else None
            return await self._serve(request, work, check, new=False)

        return web.route(method, f"{PREFIX}/{path}", answer)

    async def arguments(self, request: web.Request) -> Body:
        """Body, query and path of a call of the new API, merged into one."""
        return await _arguments(request, invalid("invalidParameter", "not JSON"))

    def revoke_tokens(self) -> None:
        """Let every token be unknown from now on, as after a reset of the secret."""
        self._tokens.clear()

    def month_calls(self) -> int:
        """Counted calls of the current month."""
        return self._month_calls.get(self._month(), 0)

    async def _serve(
        self,
        request: web.Request,
        work: RequestHandler,
        check: Callable[[web.Request, str], None] | None,
        *,
        new: bool,
    ) -> web.Response:
        api = _api(request)
        self.world.count(f"dingtalk:{api}")
        fault = self._fault(api)
        try:
            if fault is not None and not fault.after:
                await _play(request, fault, new=new)
            if check is not None:
                check(request, api)
            result = await work(request)
            if fault is not None and fault.after:
                await _play(request, fault, new=new)
        except ApiError as error:
            return self._failed(error, api)
        if new:
            return web.json_response(result)
        return self._old_answer({"errcode": 0, "errmsg": "ok", **result})

    def _fault(self, api: str) -> Fault | None:
        """A fault may name the whole path or only its last segment."""
        found = self.world.fault("dingtalk", api)
        return found or self.world.fault("dingtalk", api.rsplit("/", 1)[-1])

    def _failed(self, error: ApiError, api: str) -> web.Response:
        if not isinstance(error, OldError):
            return error.response()
        if self.wrap_88 and api.startswith("topapi/") and error.is_about_access():
            error = error.wrapped()
        return self._old_answer(error.body, error.status)

    def _old_answer(self, body: Body, status: int = 200) -> web.Response:
        body = {"request_id": secrets.token_hex(6), **body}
        return web.json_response(_as_strings(body) if self.strings else body, status=status)

    def _check_header_token(self, request: web.Request, api: str) -> None:
        token = request.headers.get("x-acs-dingtalk-access-token", "")
        if self._tokens.get(token, self.world.now()) <= self.world.now():
            raise invalid("InvalidAuthentication", "不合法的access_token")
        scope = SCOPES.get(api)
        if scope and scope not in self.granted:
            raise scope_missing(scope)
        if self._is_too_fast(api):
            raise NewError(403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
        if self._is_over_month(api):
            raise NewError(403, "Forbidden.AccessDenied.ApiCountLimitForOrg")

    def _check_query_token(self, request: web.Request, api: str) -> None:
        token = request.query.get("access_token", "")
        if not token:
            raise OldError(41001, "缺少access_token")
        if self._tokens.get(token, self.world.now()) <= self.world.now():
            raise OldError(42001 if token in self._tokens else 40014)
        scope = SCOPES.get(api)
        if scope and scope not in self.granted:
            raise OldError(60011, f"没有调用该接口的权限，需要权限：{scope}")
        if self._is_too_fast(api):
            raise OldError(90018)
        if self._is_over_month(api):
            raise OldError(90020)

    def _is_too_fast(self, api: str) -> bool:
        if self.qps is None:
            return False
        since = self.world.now() - timedelta(seconds=1)
        recent = [at for at in self._recent.get(api, []) if at > since]
        too_fast = len(recent) >= self.qps
        self._recent[api] = recent if too_fast else [*recent, self.world.now()]
        return too_fast

    def _is_over_month(self, api: str) -> bool:
        """Refused calls are not counted."""
        if api.startswith(_FREE):
            return False
        if self.month_quota is not None and self.month_calls() >= self.month_quota:
            return True
        self._month_calls[self._month()] = self.month_calls() + 1
        return False

    def _month(self) -> str:
        return f"{self.world.now():%Y-%m}"

    def _access_token(self, arguments: Body) -> Body:
        self._check_secret(arguments.get("appKey"), arguments.get("appSecret"))
        return {"accessToken": self._token(), "expireIn": self.token_life_s}

    def _corp_token(self, arguments: Body) -> Body:
        if arguments.get("grant_type") != "client_credentials":
            raise invalid("invalid.grantType")
        if arguments["corp_id"] != self.app().corp_id:
            raise NewError(401, "unauthorized.client")
        self._check_secret(
            arguments.get("client_id"), arguments.get("client_secret"), code="invalid.client"
        )
        return {"access_token": self._token(), "expires_in": self.token_life_s}

    def _gettoken(self, arguments: Body) -> Body:
        app = self.app()
        if (arguments.get("appkey"), arguments.get("appsecret")) != (app.app_key, app.app_secret):
            raise OldError(40089, "不合法的corpid或corpsecret")
        return {"access_token": self._token(), "expires_in": self.token_life_s}

    def _check_secret(self, key: Any, secret: Any, code: str = "invalidClientIdOrSecret") -> None:
        if (key, secret) != (self.app().app_key, self.app().app_secret):
            raise invalid(code, "无效的clientId或者clientSecret")

    def _token(self) -> str:
        """Asking again while a token is valid answers the same one and extends it."""
        now = self.world.now()
        valid = [token for token, until in self._tokens.items() if until > now]
        token = valid[-1] if valid else secrets.token_hex(16)
        self._tokens[token] = now + timedelta(seconds=self.token_life_s)
        return token


def unknown_path() -> web.RouteDef:
    """The last route: what both hosts say to a path that is not theirs."""

    async def answer(request: web.Request) -> web.Response:
        if _api(request).startswith("v1.0/"):
            return NewError(404, "InvalidAction.NotFound", "Specified api is not found").response()
        return OldError(22, "不合法ApiName").response()

    return web.route("*", f"{PREFIX}/{{tail:.*}}", answer)


async def _awaited(result: Body | Awaitable[Body]) -> Body:
    return result if isinstance(result, dict) else await result


def _api(request: web.Request) -> str:
    return request.path.removeprefix(f"{PREFIX}/")


async def _play(request: web.Request, fault: Fault, *, new: bool) -> None:
    await asyncio.sleep(fault.delay)
    if fault.drop:
        if request.transport is not None:
            request.transport.abort()
        raise PageError(web.Response())
    error = from_fault(fault, new=new)
    if error is not None:
        raise error


async def _arguments(request: web.Request, refusal: ApiError) -> Body:
    """Body (JSON or form), query and path parameters of one call."""
    found: Body = {**request.query, **request.match_info}
    raw = await request.read()
    if not raw:
        return found
    if request.content_type == "application/x-www-form-urlencoded":
        return found | dict(await request.post())
    try:
        body = json.loads(raw)
    except ValueError:
        raise refusal from None
    if not isinstance(body, dict):
        raise refusal
    return found | body


def _as_strings(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_strings(inner) for key, inner in value.items()}
        case list():
            return [_as_strings(inner) for inner in value]
        case bool():
            return str(value).lower()
        case int():
            return str(value)
    return value
