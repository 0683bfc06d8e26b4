"""Pages in the emulated WeCom client: OAuth, tickets, and the functions behind `ww`.

Sources: developer.work.weixin.qq.com/document/path/91022 and 96442 (OAuth2), 90506 (tickets and
signatures); what the functions demand is in WeCom's own typings of `ww`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState

PREFIX = "/sandbox/wecom"
SCRIPT = Path(__file__).parent / "client_scripts" / "ww.js"
CODE_LIFE = timedelta(minutes=5)
USER_TICKET_LIFE_S = 1800
TICKET_LIFE = timedelta(seconds=7200)
_CORP_TICKETS, _AGENT_TICKETS = (400, 3600), (100, 3600)
_COOKIE = "sandbox-wecom-client"
_SCOPES = ("snsapi_base", "snsapi_privateinfo")
_CONTACT_ENTRIES = ("contact_profile", "single_chat_tools", "single_kf_tools")
_GROUP_ENTRIES = ("group_chat_tools",)
_APP_IDENTITY = ("getCurExternalContact", "getCurExternalChat", "openExistedChatWithMsg")


@dataclass(slots=True)
class Code:
    """What OAuth brings back. user_id: the member's or, for somebody outside, the external id."""

    user_id: str
    scope: str
    expires_at: datetime


@dataclass(slots=True)
class Device:
    """One client, of one person, showing one page. entry: where the page was opened from.
    may: function -> by which identities it is allowed on which page."""

    user_id: str
    entry: str = "normal"
    external_id: str = ""
    chat_id: str = ""
    may: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Webviews:
    """trusted_domain: host and port that the application's page in the console names (可信域名)."""

    state: WecomState
    trusted_domain: str = ""
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    tickets: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/connect/oauth2/authorize", self._authorize),
            web.get(f"{PREFIX}/js/wecom-jssdk.js", _script),
            web.get(f"{PREFIX}/client", self._open),
            web.get(f"{PREFIX}/client/opened", self._opened),
            web.post(f"{PREFIX}/client/{{function}}", self._call),
        ]

    def apis(self) -> dict[str, Api]:
        return {
            "get_jsapi_ticket": Api("GET", self._corp_ticket),
            "ticket/get": Api("GET", self._agent_ticket, scope="app"),
            "auth/getuserinfo": Api("GET", self._user_info, scope="app"),
            "user/getuserinfo": Api("GET", self._old_user_info, scope="app"),
        }

    def log_in(
        self, user_id: str, *, entry: str = "normal", external: str = "", chat: str = ""
    ) -> str:
        """A client with somebody logged in; the cookie it is known by."""
        key = secrets.token_urlsafe(16)
        self.devices[key] = Device(user_id, entry, external, chat)
        return key

    def issue(self, user_id: str, scope: str = "snsapi_base") -> str:
        """A code, as the authorize page makes one."""
        code = secrets.token_urlsafe(32)
        self.codes[code] = Code(user_id, scope, self.state.world.now() + CODE_LIFE)
        return code

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """Somebody presses a link to a page in a chat, the menu, or a side bar."""
        asked = request.query
        key = self.log_in(
            asked.get("user", ""),
            entry=asked.get("entry", "normal"),
            external=asked.get("contact", ""),
            chat=asked.get("chat", ""),
        )
        answer = web.Response(status=303, headers={"Location": asked.get("to", "/")})
        answer.set_cookie(_COOKIE, key, path=PREFIX, httponly=True, samesite="Lax")
        return answer

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """Silent for snsapi_base; the other scope is taken as agreed to."""
        asked, app = request.query, self.state.world.app("wecom")
        back = urlsplit(asked.get("redirect_uri", ""))
        state, scope = asked.get("state", ""), asked.get("scope", "")
        device = self.devices.get(request.cookies.get(_COOKIE, ""))
        mistakes = {
            "invalid appid 40013": asked.get("appid") != app.corp_id,
            "redirect_uri domain 50001": back.netloc != self.trusted_domain,
            "response_type": asked.get("response_type") != "code",
            "scope": scope not in _SCOPES,
            "agentid 40056": asked.get("agentid", app.agent_id) != app.agent_id
            or (scope == "snsapi_privateinfo" and "agentid" not in asked),
            "state": bool(state)
            and not (state.isascii() and state.isalnum() and len(state) <= 128),
        }
        if device is None:
            return web.Response(status=400, text="请在企业微信客户端打开链接")
        if wrong := [name for name, is_wrong in mistakes.items() if is_wrong]:
            return web.Response(status=400, text=wrong[0])
        query = urlencode({"code": self.issue(device.user_id, scope), "state": state})
        joined = f"{back.query}&{query}" if back.query else query
        raise web.HTTPFound(back._replace(query=joined, fragment="").geturl())

    async def _user_info(self, _state: WecomState, call: Call) -> Answer:
        return self._named(call)

    def _named(self, call: Call) -> dict[str, Any]:
        code = self._used(call.query.get("code", ""))
        member = self.state.world.member("wecom", code.user_id)
        if member is None:
            known = bool(self.state.contacts.holders.get(code.user_id))
            outside = {"external_userid": code.user_id} if known else {}
            return {"openid": f"o{code.user_id[2:]}", **outside}
        if code.scope != "snsapi_privateinfo":
            return {"userid": member.user_id}
        return {"userid": member.user_id, "user_ticket": secrets.token_urlsafe(96)}

    async def _old_user_info(self, state: WecomState, call: Call) -> Answer:
        told = self._named(call)
        if "userid" not in told:
            return {"OpenId": told["openid"]}
        return {"UserId": told["userid"], "DeviceId": "sandbox", "expires_in": USER_TICKET_LIFE_S}

    def _used(self, code: str) -> Code:
        """Good once, for five minutes."""
        found = self.codes.pop(code, None)
        if found is None or self.state.world.now() >= found.expires_at:
            raise WecomError(40029)
        return found

    async def _corp_ticket(self, _state: WecomState, call: Call) -> Answer:
        return self._ticket(f"corp:{call.app.corp_id}", _CORP_TICKETS)

    async def _agent_ticket(self, _state: WecomState, call: Call) -> Answer:
        if call.query.get("type") != "agent_config":
            raise WecomError(40058, "type")
        return self._ticket(f"agent:{call.app.agent_id}", _AGENT_TICKETS)

    def _ticket(self, key: str, limit: tuple[int, int]) -> Answer:
        now = self.state.world.now()
        if not self.state.meter.take(f"ticket:{key}", now, [limit]):
            raise WecomError(45009)
        if key not in self.tickets or self.tickets[key][1] <= now:
            self.tickets[key] = (secrets.token_urlsafe(64), now + TICKET_LIFE)
        ticket, until = self.tickets[key]
        return {"ticket": ticket, "expires_in": int((until - now).total_seconds())}

    async def _opened(self, request: web.Request) -> web.StreamResponse:
        """What this client's pages have opened."""
        device = self.devices.get(request.cookies.get(_COOKIE, ""))
        return web.json_response({"opened": device.opened if device else []})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        """What the script asks of its client, as `{url, ...}`; the answer has an errMsg."""
        name = request.match_info["function"]
        device = self.devices.get(request.cookies.get(_COOKIE, ""))
        body = json.loads(await request.read())
        if device is None:
            return _said(name, "fail not in client")
        if name in ("config", "agentConfig"):
            return _said(name, self._configure(device, name, body))
        act = self._functions().get(name)
        if act is None:
            return _said(name, "fail function not exist")
        allowed = device.may.get((_page(body), name), set())
        if not allowed or (name in _APP_IDENTITY and "agentConfig" not in allowed):
            return _said(name, "fail no permission")
        result = act(device, body.get("args") or {}, "agentConfig" in allowed)
        return _said(name, result) if isinstance(result, str) else _said(name, "ok", **result)

    def _functions(
        self,
    ) -> dict[str, Callable[[Device, dict[str, Any], bool], dict[str, Any] | str]]:
        return {
            "getContext": lambda device, _args, _app: {"entry": device.entry},
            "getCurExternalContact": self._current_contact,
            "getCurExternalChat": self._current_chat,
            "openEnterpriseChat": self._open_chat,
            "openExistedChatWithMsg": self._open_existing,
        }

    def _configure(self, device: Device, name: str, body: dict[str, Any]) -> str:
        """The signature is over the very address of the page, up to its fragment."""
        app, now = self.state.world.app("wecom"), self.state.world.now()
        key = f"corp:{app.corp_id}" if name == "config" else f"agent:{app.agent_id}"
        ticket, until = self.tickets.get(key, ("", now))
        url = _page(body)
        if body.get("corpId") != app.corp_id:
            return "fail invalid corpid 40013"
        if name == "agentConfig" and str(body.get("agentId")) != app.agent_id:
            return "fail invalid agentid 40056"
        if urlsplit(url).netloc != self.trusted_domain:
            return "fail invalid url domain 80001"
        if until <= now:
            return "fail invalid ticket 42012"
        parts = {"jsapi_ticket": ticket, "noncestr": body.get("nonceStr"),
                 "timestamp": body.get("timestamp"), "url": url}  # fmt: skip
        plain = "&".join(f"{key}={value}" for key, value in parts.items())
        right = hashlib.sha1(plain.encode()).hexdigest()
        if not hmac.compare_digest(right, str(body.get("signature"))):
            return "fail invalid signature 40093"
        for function in body.get("jsApiList") or []:
            device.may.setdefault((url, str(function)), set()).add(name)
        return "ok"

    def _current_contact(
        self, device: Device, _args: dict[str, Any], _as_app: bool
    ) -> dict[str, Any] | str:
        theirs = self.state.contacts.bonds.get(device.user_id.lower(), {})
        if device.entry not in _CONTACT_ENTRIES or device.external_id not in theirs:
            return "fail without context of external contact"
        return {"userId": device.external_id}

    def _current_chat(
        self, device: Device, _args: dict[str, Any], _as_app: bool
    ) -> dict[str, Any] | str:
        if device.entry not in _GROUP_ENTRIES or not self._is_in(device, device.chat_id):
            return "fail without context of external chat"
        return {"chatId": device.chat_id}

    def _open_chat(
        self, device: Device, args: dict[str, Any], as_app: bool
    ) -> dict[str, Any] | str:
        """Lists are arrays, or one string with semicolons as the older script had them."""
        users, outsiders = _listed(args.get("userIds")), _listed(args.get("externalUserIds"))
        chat_id = str(args.get("chatId") or "")
        theirs = self.state.contacts.bonds.get(device.user_id.lower(), {})
        if chat_id:
            if not as_app:
                return "fail no permission"
            if not self._is_in(device, chat_id):
                return "fail invalid chatId"
        elif not users and not outsiders:
            return "fail invalid parameters"
        if not all(one in theirs for one in outsiders):
            return "fail not external contact"
        if not all(self.state.world.member("wecom", one) for one in users):
            return "fail invalid userid"
        device.opened.append({"users": users, "outsiders": outsiders, "chat": chat_id})
        return {"chatId": chat_id or f"wr{secrets.token_hex(8)}"}

    def _open_existing(
        self, device: Device, args: dict[str, Any], _as_app: bool
    ) -> dict[str, Any] | str:
        chat_id = str(args.get("chatId") or "")
        if not self._is_in(device, chat_id):
            return "fail invalid chatId"
        device.opened.append({"users": [], "outsiders": [], "chat": chat_id})
        return {}

    def _is_in(self, device: Device, chat_id: str) -> bool:
        group = self.state.contacts.groups.get(chat_id)
        return group is not None and device.user_id in group.members


def _page(body: dict[str, Any]) -> str:
    return str(body.get("url", "")).split("#")[0]


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [one for one in value.split(";") if one]
    return [str(one) for one in value or []]


def _said(name: str, how: str, **result: Any) -> web.Response:
    return web.json_response({"errMsg": f"{name}:{how}", **result})


async def _script(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(SCRIPT, headers={"Cache-Control": "no-cache"})
