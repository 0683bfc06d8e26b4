"""The two webhooks: a custom robot's into its group, and the reply into a conversation.

Protocol notes 3.2 and 3.3.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from .dingtalk_content import from_webhook
from .dingtalk_crypto import same, sign_robot
from .dingtalk_errors import OldError
from .dingtalk_gate import PREFIX, Body, Gate
from .dingtalk_robot import Robot
from .world import World

SESSION_LIFE = timedelta(minutes=90)
_SIGN_LIFE = timedelta(hours=1)
_PER_MINUTE = 20
_BLOCKED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Security:
    """A custom robot's protection; what is empty is not asked for."""

    secret: str = ""
    keywords: tuple[str, ...] = ()


@dataclass(slots=True)
class _Robot:
    sent: list[datetime] = field(default_factory=list)
    blocked_until: datetime | None = None
    uuids: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Webhooks:
    """security: per access_token of App.webhooks. disabled: robots switched off by their group."""

    world: World
    gate: Gate
    robot: Robot
    origin: str = ""
    security: dict[str, Security] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    _sessions: dict[str, tuple[str | None, str | None, datetime]] = field(default_factory=dict)
    _robots: dict[str, _Robot] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        raw = self.gate.old_raw
        return [
            raw("POST", "robot/send", self._send_to_group, token=False),
            raw("POST", "robot/sendBySession", self._send_by_session, token=False),
        ]

    def open_session(self, *, chat: str | None, to: str | None) -> tuple[str, datetime]:
        """The sessionWebhook of one inbound message and when it ends."""
        token = secrets.token_hex(16)
        until = self.world.now() + SESSION_LIFE
        self._sessions[token] = (chat, to, until)
        return f"{self.origin}{PREFIX}/robot/sendBySession?session={token}", until

    async def _send_by_session(self, request: web.Request) -> Body:
        token = request.query.get("session", "")
        chat, to, until = self._sessions.get(token, (None, None, self.world.now()))
        if until <= self.world.now():
            raise OldError(300001)
        body = await _json_body(request)
        if body.get("msgtype") == "empty":
            return {}
        wire = {"session": token, "at": body.get("at")}
        await self.robot.post(from_webhook(body), chat=chat, to=to, wire=wire)
        return {}

    async def _send_to_group(self, request: web.Request) -> Body:
        token = request.query.get("access_token", "")
        chat = self.gate.app().webhooks.get(token)
        if chat is None:
            raise OldError(400101, "token不存在")
        if token in self.disabled:
            raise OldError(400102, "机器人已停用")
        body = await _json_body(request)
        self._check_security(request, token, body)
        robot = self._robots.setdefault(token, _Robot())
        uuid = body.get("msgUuid")
        if uuid and uuid in robot.uuids:
            return {}
        shown = from_webhook(body)
        self._check_pace(robot)
        wire = {"access_token": token, "at": body.get("at")}
        await self.robot.post(shown, chat=chat, to=None, wire=wire)
        if uuid:
            robot.uuids.add(uuid)
        return {}

    def _check_security(self, request: web.Request, token: str, body: Body) -> None:
        wanted = self.security.get(token, Security())
        if wanted.secret:
            self._check_sign(request, wanted.secret)
        if wanted.keywords:
            text = json.dumps(body.get(str(body.get("msgtype"))), ensure_ascii=False)
            if not any(keyword in text for keyword in wanted.keywords):
                raise OldError(310000, "keywords not in content")

    def _check_sign(self, request: web.Request, secret: str) -> None:
        timestamp = request.query.get("timestamp", "")
        if not timestamp.isdigit():
            raise OldError(310000, "invalid timestamp")
        age_ms = abs(self.world.now().timestamp() * 1000 - int(timestamp))
        if age_ms > _SIGN_LIFE.total_seconds() * 1000:
            raise OldError(310000, "invalid timestamp")
        if not same(request.query.get("sign", ""), sign_robot(timestamp, secret)):
            raise OldError(310000, "sign not match")

    def _check_pace(self, robot: _Robot) -> None:
        """One message too many in a minute, and the robot is blocked for ten."""
        now = self.world.now()
        if robot.blocked_until is not None and now < robot.blocked_until:
            raise OldError(410100)
        robot.sent = [at for at in robot.sent if at > now - timedelta(minutes=1)]
        if len(robot.sent) >= _PER_MINUTE:
            robot.blocked_until = now + _BLOCKED
            raise OldError(410100)
        robot.sent.append(now)


async def _json_body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise OldError(43004, "无效的HTTP HEADER Content-Type")
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise OldError(40035, "缺少参数 json") from None
    if not isinstance(body, dict):
        raise OldError(40035, "缺少参数 json")
    return body
