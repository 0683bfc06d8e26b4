"""The front of the emulated server API: faults, token, permission, then the call itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .wecom_archive import SECRET as ARCHIVE_SECRET
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import App, Fault

_BODY_LIMIT = 25 << 20


@dataclass(frozen=True, slots=True)
class Call:
    """One call past the checks. body: the JSON object posted, {} where there is none."""

    app: App
    query: Mapping[str, str]
    body: dict[str, Any]
    request: web.Request


Answer = dict[str, Any] | web.StreamResponse
Handler = Callable[[WecomState, Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Api:
    """How one path is called. scope: whose token it wants ("app", "contacts", "archive", "any"), or
    "open" for none. form: the body is a multipart form, which the handler reads itself."""

    method: str
    handle: Handler
    scope: str = "any"
    form: bool = False


class Front:
    """Everything below /cgi-bin/. An error is HTTP 200 with an errcode; a wrong path is an
    empty 404."""

    def __init__(self, state: WecomState, apis: Mapping[str, Api]) -> None:
        self._state = state
        self._apis = apis

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["api"]
        api = self._apis.get(path)
        if api is None:
            return web.Response(status=404)
        world = self._state.world
        world.count(f"wecom:{path}")
        fault = world.fault("wecom", path)
        if fault is None:
            return await self._answer(path, api, request)
        await asyncio.sleep(fault.delay)
        if fault.after or not _fails(fault):
            answer = await self._answer(path, api, request)
            if not _fails(fault):
                return answer
        return self._fail(fault, request)

    def _fail(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.status is not None:
            return web.Response(status=fault.status)
        code = fault.errcode if isinstance(fault.errcode, int) else -1
        return self._refuse(WecomError(code), request)

    async def _answer(self, path: str, api: Api, request: web.Request) -> web.StreamResponse:
        try:
            app = self._admit(path, api, request)
            if request.method != api.method:
                raise WecomError(43001 if api.method == "GET" else 43002)
            request = request.clone(client_max_size=_BODY_LIMIT)
            body = {} if api.form or api.method == "GET" else await _json_object(request)
            answer = await api.handle(self._state, Call(app, request.query, body, request))
        except WecomError as error:
            return self._refuse(error, request)
        if isinstance(answer, web.StreamResponse):
            return answer
        return _json({"errcode": 0, "errmsg": "ok", **answer})

    def _admit(self, path: str, api: Api, request: web.Request) -> App:
        """Token, then caller's address, then permission: what a wrong body hides behind."""
        state = self._state
        if api.scope == "open":
            return _first_app(state)
        token = state.check_token(request.query.get("access_token", ""))
        if state.trusted_ips is not None and request.remote not in state.trusted_ips:
            raise WecomError(60020)
        if api.scope not in ("any", token.scope) or path.startswith(tuple(state.refused)):
            raise WecomError(48002)
        limit = state.calls_per_minute
        if limit and not state.meter.take(f"api:{path}", state.world.now(), [(limit, 60)]):
            raise WecomError(45009)
        return token.app

    def _refuse(self, error: WecomError, request: web.Request) -> web.Response:
        return _json(error.body(now=self._state.world.now(), ip=request.remote or ""))


def _fails(fault: Fault) -> bool:
    return fault.drop or fault.status is not None or fault.errcode is not None


def _first_app(state: WecomState) -> App:
    try:
        return state.world.app("wecom")
    except LookupError as error:
        raise WecomError(40013) from error


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise WecomError(47001) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise WecomError(45002) from error
    if not isinstance(body, dict):
        raise WecomError(47001)
    return body


def _json(body: dict[str, Any]) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, content_type="application/json")


async def get_token(state: WecomState, call: Call) -> Answer:
    """Answers the same token while it is valid. Raises 41002, 41004, 40013, 40001."""
    corp_id, secret = call.query.get("corpid", ""), call.query.get("corpsecret", "")
    if not secret:
        raise WecomError(41004)
    if not corp_id:
        raise WecomError(41002)
    apps = [app for app in state.world.apps if (app.platform, app.corp_id) == ("wecom", corp_id)]
    if not apps:
        raise WecomError(40013)
    app = next((app for app in apps if app.app_secret == secret), None)
    others = {state.contact_secret: "contacts", ARCHIVE_SECRET: "archive"}
    if app is None and secret not in others:
        raise WecomError(40001)
    token = state.token_for(app or apps[0], "app" if app else others[secret])
    left = int((token.expires_at - state.world.now()).total_seconds())
    return {"access_token": token.value, "expires_in": left}


async def api_addresses(_state: WecomState, _call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1"]}


APIS = {
    "gettoken": Api("GET", get_token, scope="open"),
    "get_api_domain_ip": Api("GET", api_addresses),
    "getcallbackip": Api("GET", api_addresses),
}
