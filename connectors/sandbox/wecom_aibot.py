"""The emulated intelligent robots: what people do to them, and the paths they are served at.

Source: developer.work.weixin.qq.com/document/path/101039, 100719, 101027.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from .wecom_aibot_http import HttpLink, answer_by_url, serve_file
from .wecom_aibot_socket import SocketLink
from .wecom_aibot_state import Body, Robot, is_single, new_key
from .wecom_callbacks import Callbacks
from .wecom_cardview import choose
from .wecom_errors import WecomError
from .wecom_state import WecomState, media_type_of
from .world import Chat, Member, Said

_FILE_BYTES = 100 << 20


class Link(Protocol):
    """A way to robots."""

    async def push(
        self, robot: Robot, body: Body, chat: Chat, *, kind: str, said: Said | None
    ) -> bool: ...

    async def stop(self) -> None: ...


class Aibots:
    """All robots. base_url: where the emulated server API is reached."""

    def __init__(self, state: WecomState, callbacks: Callbacks, base_url: str) -> None:
        self.http = HttpLink(callbacks, base_url)
        self._state = state
        self._world = state.world
        self.socket = SocketLink(state.world, self._by_bot_id)
        self._links: dict[str, Link] = {"http": self.http, "websocket": self.socket}
        self._callbacks = callbacks
        self._base_url = base_url
        self._robots: dict[str, Robot] = {}

    def routes(self) -> list[web.RouteDef]:
        path = f"{urlsplit(self._base_url).path}/cgi-bin/aibot"
        return [
            web.post(f"{path}/response", self._serve_response),
            web.get(f"{path}/media/{{media_id}}", self._serve_media),
            web.get(f"{urlsplit(self._base_url).path}/openws", self.socket.serve),
        ]

    def set_base_url(self, base_url: str) -> None:
        """Where the emulated server API turned out to be reached."""
        self._base_url = self.http.base_url = base_url

    async def stop(self) -> None:
        for link in self._links.values():
            await link.stop()

    def robot(self, name: str) -> Robot:
        """Raises LookupError."""
        if name not in self._robots:
            app = next(app for app in self._world.apps if (app.kind, app.name) == ("aibot", name))
            self._robots[name] = Robot(app, self._state)
        return self._robots[name]

    def _by_bot_id(self, bot_id: str) -> Robot | None:
        names = [app.name for app in self._world.apps if app.kind == "aibot" and bot_id]
        robots = [self.robot(name) for name in names]
        return next((robot for robot in robots if robot.app.app_key == bot_id), None)

    def chat(self, chat_id: str | None) -> Chat | None:
        """A chat that a robot is in."""
        chat = self._world.chat("wecom", chat_id) if chat_id else None
        return chat if chat is not None and chat.robot else None

    async def say(self, member: Member, chat: Chat, text: str, *, quoted: Said | None) -> Said:
        """In a group the robot hears only what mentions it."""
        robot = self.robot(chat.robot)
        said = await self._show(member, chat, kind="text", text=text)
        if is_single(chat) or text.startswith(f"@{robot.app.title}"):
            content: Body = {"msgtype": "text", "text": {"content": text}}
            if quoted is not None:
                content["quote"] = _quote(quoted)
            self._start(robot, member, chat, content, said)
        return said

    async def say_voice(self, member: Member, chat: Chat, transcript: str) -> Said:
        """The robot gets the transcript and no recording."""
        self._only_single(chat, "语音")
        said = await self._show(member, chat, kind="text", text=transcript)
        content = {"msgtype": "voice", "voice": {"content": transcript}}
        self._start(self.robot(chat.robot), member, chat, content, said)
        return said

    async def say_mixed(
        self, member: Member, chat: Chat, text: str, pictures: list[tuple[str, bytes]]
    ) -> Said:
        """Words with pictures, in one message."""
        robot = self.robot(chat.robot)
        said = await self._show(member, chat, kind="text", text=text)
        items: list[Body] = [{"msgtype": "text", "text": {"content": text}}]
        for name, data in pictures:
            items.append({"msgtype": "image", "image": self._sealed(robot, name, data)})
        content = {"msgtype": "mixed", "mixed": {"msg_item": items}}
        self._start(robot, member, chat, content, said)
        return said

    async def say_file(self, member: Member, chat: Chat, kind: str, name: str, data: bytes) -> Said:
        """image, file or video; recordings come as their transcript."""
        self._only_single(chat, "文件和图片")
        if kind == "voice":
            raise ValueError("智能机器人收到的是语音的文字，请直接打字，或用应用的单聊发语音")
        if kind not in ("image", "file", "video") or not data:
            raise ValueError(f"智能机器人收不到这种文件消息：{kind}")
        if len(data) > _FILE_BYTES:
            raise ValueError("超过 100 MB")
        robot = self.robot(chat.robot)
        key = f"aibot-{self._world.next_id()}"
        self._world.files[key] = (data, name, media_type_of(name, data))
        file = {"name": name, "size": len(data), "url": f"/sandbox/api/files/{key}",
                "media_type": media_type_of(name, data)}  # fmt: skip
        shown = "file" if kind == "video" else kind
        said = await self._show(member, chat, kind=shown, file=file)
        content = {"msgtype": kind, kind: self._sealed(robot, name, data)}
        self._start(robot, member, chat, content, said)
        return said

    async def press(
        self, said: Said, member: Member, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        """Press a button; the card as it then stands. The platform tells of a press once.

        Raises ValueError (nothing is sent) and ConnectionError when it was not answered.
        """
        chat = self.chat(said.chat)
        if chat is None or said.card is None:
            raise ValueError("这不是机器人的卡片")
        buttons = {button["action"] for button in said.card["buttons"]} - {""}
        if action not in buttons:
            raise ValueError(f"卡片上没有这个按钮：{action}")
        card = said.wire["template_card"]
        event: Body = {
            "card_type": card["card_type"],
            "event_key": action,
            "task_id": said.wire["task_id"],
        }
        if selected := choose(card, values):
            event["selected_items"] = {
                "selected_item": [
                    {"question_key": key, "option_ids": {"option_id": ids}}
                    for key, ids in selected.items()
                ]
            }
        content = _event("template_card_event", event)
        robot = self.robot(chat.robot)
        if not await self._push(robot, member, chat, content, said, kind="press"):
            raise ConnectionError("机器人没有应答这次点击")
        return said.card

    async def enter(self, member: Member, chat: Chat) -> None:
        """enter_chat, the first time of a day."""
        robot, day = self.robot(chat.robot), self._world.now().date().isoformat()
        if robot.entered.get(member.user_id) == day:
            return
        robot.entered[member.user_id] = day
        content = {"msgtype": "event", "event": {"eventtype": "enter_chat"}}
        self._callbacks.start(self._push(robot, member, chat, content, None, kind="enter"))

    async def mark(self, member: Member, chat: Chat, mark: int) -> None:
        """A mark under an answer: 1 helpful, 2 not, 3 taken back."""
        content = _event("feedback_event", {"id": "f1", "type": mark, "content": ""})
        await self._push(self.robot(chat.robot), member, chat, content, None, kind="feedback")

    def _start(
        self, robot: Robot, member: Member, chat: Chat, content: Body, said: Said
    ) -> asyncio.Task[bool]:
        robot.spoken.add(chat.chat_id)
        pushing = self._push(robot, member, chat, content, said, kind="message")
        return self._callbacks.start(pushing)

    async def _push(
        self, robot: Robot, member: Member, chat: Chat, content: Body, said: Said | None, *,
        kind: str,
    ) -> bool:  # fmt: skip
        now = self._world.now()
        body: Body = {
            "msgid": f"{int(now.timestamp() * 1000):x}{self._world.next_id():x}",
            "aibotid": robot.app.app_key,
            "chattype": "single" if is_single(chat) else "group",
            "from": {"userid": member.user_id},
            **content,
        }
        if not is_single(chat):
            body["chatid"] = chat.chat_id
        if kind != "message":
            body["create_time"] = int(now.timestamp())
        link = self._links[robot.app.mode]
        return await link.push(robot, body, chat, kind=kind, said=said)

    def _sealed(self, robot: Robot, name: str, data: bytes) -> Body:
        """Where its bytes can be fetched; over the long connection with a key of their own."""
        if robot.app.mode == "http":
            key = base64.b64decode(robot.app.aes_key + "=")
            told = {}
        else:
            key = new_key()
            told = {"aeskey": base64.b64encode(key).decode().rstrip("=")}
        media_id = robot.seal_file(data, name, key)
        return {"url": f"{self._base_url}/cgi-bin/aibot/media/{media_id}", **told}

    async def _show(
        self, member: Member, chat: Chat, *, kind: str, text: str = "", file: Body | None = None
    ) -> Said:
        if member.user_id not in chat.members:
            raise ValueError(f"{member.name}不在「{chat.name}」里")
        if not text.strip() and file is None:
            raise ValueError("不能发送空白消息")
        return await self._state.put(
            kind=kind, sender=member.user_id, chat=chat.chat_id, text=text, file=file
        )

    @staticmethod
    def _only_single(chat: Chat, what: str) -> None:
        if not is_single(chat):
            raise ValueError(f"群里的{what}不会发给智能机器人")

    async def _serve_response(self, request: web.Request) -> web.StreamResponse:
        return await self._faulty("aibot/response", request, self._respond)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        code = request.query.get("response_code", "")
        robot = next((one for one in self._robots.values() if code in one.urls), None)
        try:
            if robot is None:
                raise WecomError(60140)
            await answer_by_url(robot, code, json.loads(await request.read()))
        except ValueError:
            return _json(WecomError(47001).body(now=self._world.now(), ip=request.remote or ""))
        except WecomError as error:
            return _json(error.body(now=self._world.now(), ip=request.remote or ""))
        return _json({"errcode": 0, "errmsg": "ok"})

    async def _serve_media(self, request: web.Request) -> web.StreamResponse:
        return await self._faulty("aibot/media", request, self._media)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        media_id = request.match_info["media_id"]
        robot = next((one for one in self._robots.values() if media_id in one.media), None)
        return serve_file(robot, media_id) if robot else web.Response(status=404)

    async def _faulty(
        self,
        api: str,
        request: web.Request,
        serve: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """With the faults that are to be played."""
        self._world.count(f"wecom:{api}")
        fault = self._world.fault("wecom", api)
        if fault is None:
            return await serve(request)
        await asyncio.sleep(fault.delay)
        if fault.after:
            await serve(request)
        if fault.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.status is not None:
            return web.Response(status=fault.status)
        if isinstance(fault.errcode, int):
            error = WecomError(fault.errcode)
            return _json(error.body(now=self._world.now(), ip=request.remote or ""))
        return web.Response() if fault.after else await serve(request)


def _event(kind: str, content: Body) -> Body:
    return {"msgtype": "event", "event": {"eventtype": kind, kind: content}}


def _quote(said: Said) -> Body:
    return {"msgtype": "text", "text": {"content": said.text}}


def _json(body: Body) -> web.Response:
    return web.json_response(body)
