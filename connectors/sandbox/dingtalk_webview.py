"""Pages in the emulated DingTalk client: auth codes, the JSAPI ticket, and what stands behind
`dd` (protocol notes 8)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from .dingtalk_errors import OldError
from .dingtalk_gate import PREFIX, Body, Gate
from .world import World

SCRIPT = Path(__file__).parent / "client_scripts" / "dd.js"
CODE_LIFE = timedelta(minutes=5)
TICKET_LIFE = timedelta(seconds=7200)
TICKET_AT_MOST = timedelta(hours=24)
_COOKIE = "sandbox-dingtalk-client"
_MOBILE_ONLY = ("openChatByUserId", "openChatByChatId")


@dataclass(slots=True)
class Device:
    """One client of one member, on a phone or a desktop. may: what which page may call."""

    user_id: str
    desktop: bool = False
    may: dict[str, set[str]] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Webviews:
    """home: host and port of the web app's address in the console. digests: by which signatures
    are taken; which of them the real server takes is not documented."""

    world: World
    gate: Gate
    home: str = ""
    digests: tuple[str, ...] = ("sha256", "sha1")
    codes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    ticket: str = ""
    ticket_born: datetime | None = None
    ticket_until: datetime | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            self.gate.old("POST", "topapi/v2/user/getuserinfo", self._user_info),
            self.gate.new("POST", "v1.0/oauth2/jsapiTickets", self._new_ticket),
            self.gate.old("GET", "get_jsapi_ticket", self._old_ticket),
            web.get(f"{PREFIX}/js/dingtalk.open.js", _script),
            web.get(f"{PREFIX}/client", self._open),
            web.get(f"{PREFIX}/client/opened", self._opened),
            web.post(f"{PREFIX}/client/{{function}}", self._call),
        ]

    def log_in(self, user_id: str, *, desktop: bool = False) -> str:
        """A client with somebody logged in; the cookie it is known by."""
        key = secrets.token_urlsafe(16)
        self.devices[key] = Device(user_id, desktop)
        return key

    def issue(self, user_id: str) -> str:
        """A code, as the client hands one to a page."""
        code = secrets.token_hex(16)
        self.codes[code] = (user_id, self.world.now() + CODE_LIFE)
        return code

    def _user_info(self, arguments: Body) -> Body:
        user_id, until = self.codes.pop(str(arguments.get("code")), ("", self.world.now()))
        member = self.world.member("dingtalk", user_id)
        if member is None or self.world.now() >= until:
            raise OldError(40078, "不存在的临时授权码")
        return {
            "result": {
                "userid": member.user_id, "unionid": member.union_id, "name": member.name,
                "device_id": "sandbox", "sys": "admin" in member.roles,
                "sys_level": 1 if "admin" in member.roles else 0,
            }
        }  # fmt: skip

    def _new_ticket(self, _arguments: Body) -> Body:
        ticket, seconds = self._ticket_now()
        return {"jsapiTicket": ticket, "expireIn": seconds}

    def _old_ticket(self, _arguments: Body) -> Body:
        ticket, seconds = self._ticket_now()
        return {"ticket": ticket, "expires_in": seconds}

    def _ticket_now(self) -> tuple[str, int]:
        """Asking again extends the same one, up to a day from its making."""
        now = self.world.now()
        if self.ticket_born is None or self.ticket_until is None or self.ticket_until <= now:
            self.ticket, self.ticket_born = secrets.token_hex(32), now
        self.ticket_until = min(now + TICKET_LIFE, self.ticket_born + TICKET_AT_MOST)
        return self.ticket, int((self.ticket_until - now).total_seconds())

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """Somebody presses a link to a page."""
        asked = request.query
        key = self.log_in(asked.get("user", ""), desktop="desktop" in asked)
        answer = web.Response(status=303, headers={"Location": asked.get("to", "/")})
        answer.set_cookie(_COOKIE, key, path=PREFIX, httponly=True, samesite="Lax")
        return answer

    async def _opened(self, request: web.Request) -> web.StreamResponse:
        """What this client's pages have opened."""
        device = self.devices.get(request.cookies.get(_COOKIE, ""))
        return web.json_response({"opened": device.opened if device else []})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        """What the script asks of its client, as `{url, ...}`; a failure has an errorCode."""
        name = request.match_info["function"]
        device = self.devices.get(request.cookies.get(_COOKIE, ""))
        body = json.loads(await request.read())
        url = str(body.get("url", "")).split("#")[0]
        if device is None:
            return _failed(-1, "not in DingTalk")
        if name == "requestAuthCode":
            return self._auth_code(device, url, body.get("args") or {})
        if name == "config":
            return self._configure(device, url, body.get("args") or {})
        if name not in device.may.get(url, ()):
            return _failed(7, "permission denied, dd.config first")
        if device.desktop and name in _MOBILE_ONLY:
            return _failed(4, "not supported on this client")
        return self._open_chat(device, name, body.get("args") or {})

    def _auth_code(self, device: Device, url: str, args: dict[str, Any]) -> web.Response:
        app = self.world.app("dingtalk")
        if args.get("corpId") != app.corp_id or args.get("clientId", app.app_key) != app.app_key:
            return _failed(3, "invalid corpId or clientId")
        if urlsplit(url).netloc != self.home:
            return _failed(9, "page domain is not configured")
        return web.json_response({"code": self.issue(device.user_id)})

    def _configure(self, device: Device, url: str, args: dict[str, Any]) -> web.Response:
        app, now = self.world.app("dingtalk"), self.world.now()
        if args.get("corpId") != app.corp_id or str(args.get("agentId")) != app.agent_id:
            return _failed(3, "invalid corpId or agentId")
        if self.ticket_until is None or self.ticket_until <= now:
            return _failed(52015, "jsapi ticket expired")
        page, mark, query = url.partition("?")
        plain = (
            f"jsapi_ticket={self.ticket}&noncestr={args.get('nonceStr')}"
            f"&timestamp={args.get('timeStamp')}&url={page}{mark}{unquote(query)}"
        ).encode()
        given = str(args.get("signature"))
        right = [hashlib.new(digest, plain).hexdigest() for digest in self.digests]
        if not any(hmac.compare_digest(one, given) for one in right):
            return _failed(52013, "签名校验失败")
        device.may[url] = {str(one) for one in args.get("jsApiList") or []}
        return web.json_response({})

    def _open_chat(self, device: Device, name: str, args: dict[str, Any]) -> web.Response:
        if name == "openChatByConversationId":
            chat = self.world.chat("dingtalk", str(args.get("openConversationId")))
            if chat is None or device.user_id not in chat.members:
                return _failed(5, "会话不存在")
            device.opened.append({"chat": chat.chat_id})
            return web.json_response({})
        if name == "openChatByUserId" and self.world.member("dingtalk", str(args.get("userId"))):
            device.opened.append({"user": args["userId"]})
            return web.json_response({})
        return _failed(1, "no such function or person")


def _failed(code: int, words: str) -> web.Response:
    return web.json_response({"errorCode": code, "errorMessage": words})


async def _script(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(SCRIPT, headers={"Cache-Control": "no-cache"})
