"""Calling a robot back over HTTP: encrypted JSON, its answer in the answer, streams polled.

Source: developer.work.weixin.qq.com/document/path/100719, 101027, 101031, 101033, 101138.
Whether a message is sent again is not documented; it is not. Presses are sent once for certain.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from .wecom_aibot_state import Body, Robot
from .wecom_callbacks import Callbacks, sealed_for
from .wecom_crypto import CryptoError, Seal
from .wecom_errors import WecomError
from .world import Chat, Said

_MESSAGES = {"stream", "template_card", "stream_with_template_card"}


class HttpLink:
    """The way to robots that are called. poll_every_s: how often a stream is asked for."""

    def __init__(self, callbacks: Callbacks, base_url: str) -> None:
        self.answer_within_s = 5.0
        self.poll_every_s = 1.0
        self._callbacks = callbacks
        self.base_url = base_url
        self._polls: set[asyncio.Task[None]] = set()

    async def push(
        self, robot: Robot, body: Body, chat: Chat, *, kind: str, said: Said | None
    ) -> bool:
        """Whether it was answered with 200 in time. kind: message, enter, press or feedback.
        said: what is answered, or the card that was pressed."""
        code = robot.new_url(chat, said if kind == "message" else None)
        url = f"{self.base_url}/cgi-bin/aibot/response?response_code={code}"
        record = self._record(robot, kind)
        fault = robot.state.world.fault("wecom", "callback")
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.drop:
            record["error"] = "lost on the way"
            return False
        reply = await self._post(robot, {**body, "response_url": url}, record)
        if reply is None or (fault is not None and fault.after):
            return False
        if reply:
            await self._take(robot, reply, chat, kind=kind, said=said, record=record, asked=body)
        return True

    async def stop(self) -> None:
        for task in self._polls:
            task.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)

    async def _post(self, robot: Robot, body: Body, record: dict[str, Any]) -> Body | None:
        """The opened answer, {} for none, None when there was no 200 in time."""
        app = robot.app
        inner = json.dumps(body, ensure_ascii=False).encode()
        query, sealed = sealed_for(robot.state.world, app, inner)
        record["tries"] += 1
        try:
            status, answer = await self._callbacks.call(
                "POST",
                app.callback_url,
                query,
                timeout_s=self.answer_within_s,
                body=json.dumps({"encrypt": sealed}).encode(),
                content_type="application/json",
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            record["error"] = str(error) or type(error).__name__
            return None
        record["status"] = status
        if status != 200:
            return None
        if not answer.strip():
            return {}
        try:
            return _open(robot, answer, nonce=query["nonce"])
        except (ValueError, KeyError, TypeError, CryptoError) as error:
            record["error"] = f"reply not understood: {error}"
            return {}

    async def _take(
        self,
        robot: Robot,
        reply: Body,
        chat: Chat,
        *,
        kind: str,
        said: Said | None,
        record: dict[str, Any],
        asked: Body,
    ) -> None:
        """Show what the answer holds; what is not allowed is noted and not shown."""
        try:
            if kind == "press":
                if said is not None:
                    await robot.update_card(said, reply)
            elif kind == "enter":
                if reply.get("msgtype") not in ("text", "template_card"):
                    raise WecomError(40008)
                await robot.say(chat, reply)
            elif kind == "message":
                if not await self._answer(robot, reply, chat, said):
                    self._poll(robot, reply["stream"]["id"], chat, said, asked)
            else:
                raise WecomError(40008, "no answer is taken here")
        except (WecomError, ValueError, KeyError, TypeError) as error:
            record["error"] = f"reply refused: {error}"

    @staticmethod
    async def _answer(robot: Robot, reply: Body, chat: Chat, said: Said | None) -> bool:
        """Whether nothing more is to come. Raises WecomError."""
        kind = reply.get("msgtype")
        if kind not in _MESSAGES:
            raise WecomError(40008, str(kind))
        card = reply.get("template_card")
        if kind != "stream":
            if not isinstance(card, dict):
                raise WecomError(40063, "template_card")
            robot.check_new_card(chat, card)
        finished = True
        if kind != "template_card":
            began_at = said.at if said is not None else robot.now
            finished = await robot.grow(chat, reply["stream"], began_at=began_at)
        if card:
            if kind == "template_card":
                robot.take(chat)
            await robot.show_card(chat, card)
        return finished

    def _poll(self, robot: Robot, stream: str, chat: Chat, said: Said | None, asked: Body) -> None:
        task = asyncio.create_task(self._poll_on(robot, stream, chat, said, asked))
        self._polls.add(task)
        task.add_done_callback(self._polls.discard)

    async def _poll_on(
        self, robot: Robot, stream: str, chat: Chat, said: Said | None, asked: Body
    ) -> None:
        """Ask until it is finished or too old, whatever the answers are."""
        record = self._record(robot, f"stream {stream}")
        kept = ("aibotid", "chatid", "chattype", "from", "msgid")
        head: Body = {name: asked[name] for name in kept if name in asked}
        number = 0
        while robot.now < robot.streams[stream].expires_at:
            await asyncio.sleep(self.poll_every_s)
            number += 1
            poll = {**head, "msgid": f"{head['msgid']}-{number}", "msgtype": "stream",
                    "stream": {"id": stream}}  # fmt: skip
            reply = await self._post(robot, poll, record)
            try:
                if reply and await self._answer(robot, reply, chat, said):
                    return
            except (WecomError, ValueError, KeyError, TypeError) as error:
                record["error"] = f"reply refused: {error}"

    def _record(self, robot: Robot, about: str) -> dict[str, Any]:
        world = robot.state.world
        record = {
            "platform": "wecom", "url": robot.app.callback_url, "about": f"aibot {about}",
            "status": None, "tries": 0, "at": world.now(), "error": "",
        }  # fmt: skip
        world.attempts.append(record)
        return record


def _open(robot: Robot, answer: bytes, *, nonce: str) -> Body:
    """Raises ValueError, KeyError, TypeError or CryptoError."""
    outer = json.loads(answer)
    if isinstance(outer["timestamp"], bool) or not isinstance(outer["timestamp"], int):
        raise ValueError("timestamp is no number")
    if outer["nonce"] != nonce:
        raise ValueError("another nonce than the callback's")
    seal = Seal(token=robot.app.token, aes_key=robot.app.aes_key, receive_id="")
    opened = seal.open(
        signature=outer["msgsignature"],
        timestamp=str(outer["timestamp"]),
        nonce=outer["nonce"],
        encrypted=outer["encrypt"],
    )
    body = json.loads(opened)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


async def answer_by_url(robot: Robot, code: str, body: Any) -> None:
    """One message through a response_url. Raises WecomError."""
    right = robot.urls.get(code)
    if right is None or right.used or robot.now >= right.expires_at:
        raise WecomError(60140)
    if not isinstance(body, dict) or body.get("msgtype") not in ("markdown", "template_card"):
        raise WecomError(40008)
    await robot.say(right.chat, body, asked=right.asked)
    right.used = True


def serve_file(robot: Robot, media_id: str) -> web.Response:
    """The encrypted bytes; the name stands in the header alone."""
    file = robot.media.get(media_id)
    if file is None or robot.now >= file.expires_at:
        return web.Response(status=403)
    named = f"attachment; filename=\"{quote(file.name)}\"; filename*=UTF-8''{quote(file.name)}"
    return web.Response(
        body=file.data,
        content_type="application/octet-stream",
        headers={"Content-Disposition": named},
    )
