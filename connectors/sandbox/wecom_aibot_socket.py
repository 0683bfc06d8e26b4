"""The long connections of robots, as the platform keeps them.

Source: developer.work.weixin.qq.com/document/path/101463. Not documented, and so only assumed:
the codes for a command before the subscription (846609), for a push before anybody spoke
(93001) and for a wrong secret (40001). What is pushed while nobody is connected is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from .wecom_aibot_state import Body, Robot, is_single
from .wecom_aibot_uploads import Uploads
from .wecom_errors import WecomError
from .world import Chat, Said, World

_EVENT_LIFE = timedelta(seconds=5)
_MESSAGE_LIFE = timedelta(hours=24)
_MEDIA = ("file", "image", "voice", "video")
_CONTROL_EVERY = 5  # every so many frames carry a raw control character, as real ones do


@dataclass(slots=True, eq=False)
class Asked:
    """A callback by its req_id. answered: set with the first answer, or its card's update."""

    kind: str
    chat: Chat
    said: Said | None
    at: datetime
    stream: str = ""
    is_answered: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Connection:
    """robot: None until it has subscribed. is_forgotten: the socket is open, and the server
    does not know it any more. is_mute: pings are acknowledged, and no callback comes.
    is_silent: nothing is acknowledged."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    robot: Robot | None = None
    is_forgotten: bool = False
    is_mute: bool = False
    is_silent: bool = False
    asked: dict[str, Asked] = field(default_factory=dict)
    sent: int = 0
    unread: deque[asyncio.Event] = field(default_factory=deque)

    async def send(self, frame: Body) -> None:
        self.sent += 1
        text = json.dumps(frame, ensure_ascii=False)
        await self.ws.send_str(text + ("\x01" if self.sent % _CONTROL_EVERY == 0 else ""))

    async def was_read(self) -> None:
        """Until all that was sent so far has been read: the socket's own ping comes after it."""
        read = asyncio.Event()
        self.unread.append(read)
        await self.ws.ping()
        await read.wait()

    def cut(self) -> None:
        """The line is gone; what was written before still arrives."""
        if self.transport is not None:
            self.transport.close()


class SocketLink:
    """The way to robots that keep a connection open. standing: by the robot's name.

    heard_within_s: pushes are not acknowledged, so one counts as under way until it is
    answered, or for so long after it was read.
    """

    def __init__(self, world: World, find: Callable[[str], Robot | None]) -> None:
        self._world = world
        self._find = find
        self.heard_within_s = 1.0
        self._uploads = Uploads()
        self.standing: dict[str, Connection] = {}
        self._commands: dict[str, Callable[[Connection, Robot, str, Body], Awaitable[Body]]] = {
            "aibot_respond_msg": self._respond,
            "aibot_respond_welcome_msg": self._welcome,
            "aibot_respond_update_msg": self._update,
            "aibot_send_msg": self._send,
            "aibot_upload_media_init": self._upload("init"),
            "aibot_upload_media_chunk": self._upload("chunk"),
            "aibot_upload_media_finish": self._upload("finish"),
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        fault = self._world.fault("wecom", "aibot/connect")
        self._world.count("wecom:aibot/connect")
        if fault is not None:
            await asyncio.sleep(fault.delay)
            return web.Response(status=fault.status or 503)
        ws = web.WebSocketResponse(max_msg_size=4 << 20, autoping=False)
        await ws.prepare(request)
        connection = Connection(ws, request.transport)
        try:
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._hear(connection, message.data)
                elif message.type is aiohttp.WSMsgType.PING:
                    await ws.pong(message.data)
                elif message.type is aiohttp.WSMsgType.PONG and connection.unread:
                    connection.unread.popleft().set()
        finally:
            self._drop(connection)
        return ws

    async def push(
        self, robot: Robot, body: Body, chat: Chat, *, kind: str, said: Said | None
    ) -> bool:
        """Whether somebody was connected to be told; for a press, wait until its card is
        changed, at most 5 s."""
        connection = self.standing.get(robot.app.name)
        record = {
            "platform": "wecom", "url": "aibot", "about": f"aibot {kind}", "status": None,
            "tries": 1, "at": self._world.now(), "error": "", "msgid": body["msgid"],
        }  # fmt: skip
        self._world.attempts.append(record)
        if connection is None or connection.is_mute or connection.is_forgotten:
            record["error"] = "nobody listens"
            return False
        req_id = secrets.token_hex(8)
        asked = Asked(kind, chat, said, robot.now)
        connection.asked[req_id] = asked
        cmd = "aibot_msg_callback" if kind == "message" else "aibot_event_callback"
        try:
            await connection.send({"cmd": cmd, "headers": {"req_id": req_id}, "body": body})
        except ConnectionError:
            record["error"] = "the connection is gone"
            return False
        limit_s = _EVENT_LIFE.total_seconds() if kind == "press" else self.heard_within_s
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_EVENT_LIFE.total_seconds()):
                await connection.was_read()
            async with asyncio.timeout(limit_s):
                await asked.answered.wait()
        return True

    async def stop(self) -> None:
        for connection in list(self.standing.values()):
            await connection.ws.close()

    async def _hear(self, connection: Connection, raw: str) -> None:
        try:
            frame = json.loads(raw)
            cmd, req_id = frame["cmd"], frame["headers"]["req_id"]
        except (ValueError, KeyError, TypeError):
            return
        self._world.count(f"wecom:{cmd}")
        fault = self._world.fault("wecom", cmd)
        if connection.is_silent:
            return
        told: Body = {"errcode": 0, "errmsg": "ok"}
        try:
            if fault is not None:
                await asyncio.sleep(fault.delay)
                if fault.errcode is not None and not fault.after:
                    raise WecomError(int(fault.errcode))
            answer = await self._act(connection, cmd, req_id, frame.get("body") or {})
            if fault is not None and fault.errcode is not None:
                raise WecomError(int(fault.errcode))
            told |= {"body": answer} if answer else {}
        except WecomError as error:
            whole = error.body(now=self._world.now(), ip="")
            told = {"errcode": whole["errcode"], "errmsg": whole["errmsg"]}
        if fault is not None and fault.drop:
            return  # acted or not, nobody hears of it
        try:
            await connection.send({"headers": {"req_id": req_id}, **told})
        except ConnectionError:
            return

    async def _act(self, connection: Connection, cmd: str, req_id: str, body: Body) -> Body:
        """Raises WecomError."""
        if cmd == "aibot_subscribe":
            await self._subscribe(connection, body)
            return {}
        if cmd == "ping":
            return {}
        robot = connection.robot
        if robot is None or connection.is_forgotten:
            raise WecomError(846609)
        command = self._commands.get(cmd)
        if command is None:
            raise WecomError(40008, cmd)
        return await command(connection, robot, req_id, body)

    async def _subscribe(self, connection: Connection, body: Body) -> None:
        """The robot's only connection from now on: who was there is told, and closed."""
        robot = self._find(str(body.get("bot_id", "")))
        if robot is None:
            raise WecomError(93019)
        if body.get("secret") != robot.app.app_secret or robot.app.mode != "websocket":
            raise WecomError(40001)
        before = self.standing.get(robot.app.name)
        connection.robot = robot
        self.standing[robot.app.name] = connection
        if before is not None and before is not connection:
            await self._evict(before, robot)

    async def _evict(self, before: Connection, robot: Robot) -> None:
        self._world.count("wecom:aibot/evicted")
        body: Body = {
            "msgid": secrets.token_hex(8),
            "aibotid": robot.app.app_key,
            "msgtype": "event",
            "event": {"eventtype": "disconnected_event"},
        }
        headers = {"req_id": secrets.token_hex(8)}
        try:
            await before.send({"cmd": "aibot_event_callback", "headers": headers, "body": body})
        except ConnectionError:
            return
        before.cut()

    def _drop(self, connection: Connection) -> None:
        robot = connection.robot
        if robot is not None and self.standing.get(robot.app.name) is connection:
            del self.standing[robot.app.name]

    async def _respond(self, connection: Connection, robot: Robot, req_id: str, body: Body) -> Body:
        asked = self._find_asked(connection, robot, req_id, "message", _MESSAGE_LIFE)
        if body.get("msgtype") == "stream":
            await self._stream(robot, asked, body)
            return {}
        if asked.is_answered:
            raise WecomError(846605)
        if body.get("msgtype") in _MEDIA:
            await self._media(robot, asked.chat, body)
        else:
            await robot.say(asked.chat, body, asked=asked.said)
        asked.is_answered = True
        asked.answered.set()
        return {}

    @staticmethod
    async def _stream(robot: Robot, asked: Asked, body: Body) -> None:
        stream = body.get("stream")
        if not isinstance(stream, dict) or "msg_item" in stream:
            raise WecomError(40058, "stream")
        if asked.is_answered and asked.stream != stream.get("id"):
            raise WecomError(846605)
        await robot.grow(asked.chat, stream, began_at=robot.now)
        asked.stream, asked.is_answered = stream["id"], True
        asked.answered.set()

    async def _welcome(self, connection: Connection, robot: Robot, req_id: str, body: Body) -> Body:
        asked = self._find_asked(connection, robot, req_id, "enter", _EVENT_LIFE)
        if asked.is_answered or body.get("msgtype") not in ("text", "template_card"):
            raise WecomError(846605 if asked.is_answered else 40008)
        await robot.say(asked.chat, body)
        asked.is_answered = True
        asked.answered.set()
        return {}

    async def _update(self, connection: Connection, robot: Robot, req_id: str, body: Body) -> Body:
        asked = self._find_asked(connection, robot, req_id, "press", _EVENT_LIFE)
        if asked.said is None or asked.is_answered:
            raise WecomError(846605)
        await robot.update_card(asked.said, body)
        asked.is_answered = True
        asked.answered.set()
        return {}

    @staticmethod
    def _find_asked(
        connection: Connection, robot: Robot, req_id: str, kind: str, life: timedelta
    ) -> Asked:
        """Raises WecomError 846605: of another kind, too old, or another connection's."""
        asked = connection.asked.get(req_id)
        if asked is None or asked.kind != kind or robot.now - asked.at >= life:
            raise WecomError(846605)
        return asked

    async def _send(self, _: Connection, robot: Robot, __: str, body: Body) -> Body:
        chat = _target(robot, body.get("chatid"), body.get("chat_type", 0))
        if chat.chat_id not in robot.spoken:
            raise WecomError(93001)
        kind = body.get("msgtype")
        if kind in _MEDIA:
            await self._media(robot, chat, body)
        elif kind in ("markdown", "template_card"):
            await robot.say(chat, body)
        else:
            raise WecomError(40008)
        return {}

    async def _media(self, robot: Robot, chat: Chat, body: Body) -> None:
        kind = str(body["msgtype"])
        file = self._uploads.find(robot, body.get(kind), kind)
        await robot.show_file(chat, "file" if kind == "video" else kind, file)

    def _upload(self, step: str) -> Callable[[Connection, Robot, str, Body], Awaitable[Body]]:
        async def act(_: Connection, robot: Robot, __: str, body: Body) -> Body:
            return self._uploads.act(step, robot, body)

        return act


def _target(robot: Robot, chat_id: Any, chat_type: Any) -> Chat:
    """Ids are compared with case. Raises WecomError 93006, 93008."""
    if not isinstance(chat_id, str) or chat_type not in (0, 1, 2):
        raise WecomError(93006)
    groups = [chat for chat in robot.chats() if not is_single(chat) and chat.chat_id == chat_id]
    people = [chat for chat in robot.chats() if is_single(chat) and chat.members[0] == chat_id]
    found = {0: [*groups, *people], 1: people, 2: groups}[chat_type]
    if not found:
        foreign = robot.state.world.chat("wecom", chat_id)
        raise WecomError(93008 if foreign is not None and chat_type != 1 else 93006)
    return found[0]
