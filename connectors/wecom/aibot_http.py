"""What an intelligent robot can say where the platform calls it (HTTP mode).

It has no token and can push nothing: all it may say is an answer to a callback. The first one
goes into the callback's own answer, the next one through the message's response_url.
Source: developer.work.weixin.qq.com/document/path/101031, 101138.
"""

from __future__ import annotations

from typing import Any

from bot.errors import RateLimited, TimedOut, Unavailable
from bot.messages import Address, Card, CardUpdate, FileContent, Receipt
from connectors.http import Http
from connectors.wecom import aibot_render as render
from connectors.wecom.aibot_render import Body, Words
from connectors.wecom.aibot_replies import Chance, Replies
from connectors.wecom.aibot_ways import NoWay
from connectors.wecom.errors import to_error
from connectors.wecom.settings import Aibot

_SHOWN = Receipt(handle="aibot")


class HttpWay:
    """A connectors.wecom.aibot_ways.Way."""

    def __init__(self, robot: Aibot, replies: Replies, http: Http) -> None:
        self._robot = robot
        self._replies = replies
        self._http = http

    @property
    def refusal(self) -> str:
        return ""

    async def say(self, to: Address, content: Words | FileContent, *, key: str) -> Receipt:
        if isinstance(content, FileContent):
            raise NoWay("an answer cannot hold a file")
        chance = self._replies.of(key, to)
        if chance is None:
            raise NoWay("not an answer to anything that was said here")
        if chance.kind != "press" and await chance.say(self._direct(chance, content)):
            return _SHOWN
        return await self._by_url(chance, content)

    async def update(self, to: Address, update: CardUpdate, *, key: str) -> Receipt:
        """In the answer to the press on that very card, or not at all."""
        chance = self._replies.of(key, to)
        if chance is None or not chance.task_id.startswith(f"{update.card.card_id}@"):
            raise NoWay("not the card that was pressed")
        body = render.card_update(update, under=chance.task_id, link=self._robot.card_url)
        if not await chance.say(body):
            raise NoWay("too late for the card")
        return _SHOWN

    def _direct(self, chance: Chance, content: Words) -> Body:
        link = self._robot.card_url
        if chance.kind == "welcome":
            return render.welcome(content, link=link)
        stream = chance.stream or f"s-{chance.source.rpartition(':')[2]}"
        if chance.is_streamed and isinstance(content, Card):
            told = render.stream_body(stream, content.title, is_finished=True)
            card = render.new_message(content, link=link)["template_card"]
            return {**told, "msgtype": "stream_with_template_card", "template_card": card}
        return render.passive_reply(content, stream=stream, link=link)

    async def _by_url(self, chance: Chance, content: Words) -> Receipt:
        """Once. A refusal of what may have been taken before says that it was taken."""
        url = self._replies.url_of(chance)
        if not url:
            raise NoWay("its one further answer is used up")
        body = render.new_message(content, link=self._robot.card_url)
        try:
            status, answer = await self._http.request_json(
                "POST", url, json=body, what="wecom:aibot/response"
            )
        except TimedOut:
            chance.is_doubtful = True
            raise
        self._check(chance, status, answer)
        chance.url = ""
        return _SHOWN

    @staticmethod
    def _check(chance: Chance, status: int, answer: Any) -> None:
        errcode = int(answer.get("errcode", 0)) if isinstance(answer, dict) else -1
        if status == 200 and errcode == 0:
            return
        told = str(answer.get("errmsg", "")) if isinstance(answer, dict) else ""
        error = to_error("wecom:aibot/response", status, errcode, told)
        if isinstance(error, Unavailable | RateLimited):
            raise error
        chance.url = ""
        if not chance.is_doubtful:
            raise NoWay(str(error))
