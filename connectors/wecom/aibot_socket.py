"""What an intelligent robot hears and says over its long connection.

A callback can be answered by its req_id while the connection that brought it stands; whatever
else is said is a push, which the platform takes for conversations in which somebody has spoken
to the robot. Source: developer.work.weixin.qq.com/document/path/101463.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import OrderedDict
from dataclasses import dataclass

import orjson
from prometheus_client import Counter

from bot.clock import Clock
from bot.errors import Unavailable
from bot.messages import Address, CardUpdate, Envelope, FileContent, Kind, Receipt
from bot.ports import Accept, FileStore, Release
from connectors.wecom import aibot_frames as frames
from connectors.wecom import aibot_read
from connectors.wecom import aibot_render as render
from connectors.wecom.aibot_frames import Frame
from connectors.wecom.aibot_link import AibotLink
from connectors.wecom.aibot_read import part, text_in
from connectors.wecom.aibot_render import Body, Words
from connectors.wecom.aibot_session import Session
from connectors.wecom.aibot_upload import Uploads
from connectors.wecom.aibot_ways import NoWay
from connectors.wecom.errors import WecomRejected
from connectors.wecom.media import Media
from connectors.wecom.settings import Aibot

ANSWERED_WITHIN_S = 24 * 3600.0
EVENT_WITHIN_S = 4.8  # of the platform's 5
REMEMBERED = 20_000
PATIENCE_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
AWAY_S = 60.0  # without a connection, before people are answered by the application

_BY_PUSH = frozenset({frames.BAD_REQ_ID, frames.STREAM_EXPIRED, frames.NO_REPLY_IN_GROUP})
_SHOWN = Receipt(handle="aibot")

_PUSHES = Counter(
    "gendan_wecom_aibot_pushes_total",
    "What came over the long connection: accepted, unreadable, not_stored.",
    ["app", "outcome"],
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Asked:
    """A callback that can be answered by its req_id, over its own connection. at: by the
    loop's clock."""

    to: Address
    kind: str
    task_id: str
    req_id: str
    session: Session
    at: float
    is_answered: bool = False


class SocketWay:
    """A connectors.wecom.aibot_ways.Way, and what stores the pushes."""

    def __init__(self, robot: Aibot, link: AibotLink, files: FileStore, clock: Clock) -> None:
        self._robot = robot
        self._link = link
        self._clock = clock
        self._media = Media(Uploads(link, clock), files, clock)
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._spelt: dict[str, str] = {}
        self._accept: Accept = _nowhere

    @property
    def refusal(self) -> str:
        return self._link.refusal

    def listen(self, accept: Accept) -> None:
        """Store what is pushed; before the link runs."""
        self._accept = accept
        self._link.attach(self.take)

    async def take(self, session: Session, frame: Frame) -> None:
        """Store a push, as soon as the database takes it: the platform has delivered it and
        does not send it again. Then let the work begin."""
        raw = orjson.dumps(frame.body)
        envelope = aibot_read.to_envelope(self._robot, raw, self._clock.now())
        release = await self._store(envelope)
        for wait_s in itertools.chain(PATIENCE_S, itertools.repeat(PATIENCE_S[-1])):
            if release is not None:
                break
            await asyncio.sleep(wait_s)
            release = await self._store(envelope)
        self._remember(session, frame, envelope)
        if release is not None:
            release()

    async def say(self, to: Address, content: Words | FileContent, *, key: str) -> Receipt:
        self._check_away(to)
        body = await self._body(content)
        asked = self._answerable(key, to)
        if asked is not None and await self._answered(asked, content, body):
            return _SHOWN
        try:
            await self._link.request(frames.SEND, {**self._chat(to), **body})
        except WecomRejected as refusal:
            raise NoWay(str(refusal)) from refusal
        return _SHOWN

    async def update(self, to: Address, update: CardUpdate, *, key: str) -> Receipt:
        asked = self._find(key, to)
        if asked is None or not asked.task_id.startswith(f"{update.card.card_id}@"):
            raise NoWay("not the card that was pressed")
        if not self._stands(asked, EVENT_WITHIN_S):
            raise NoWay("too late for the card")
        body = render.card_update(update, under=asked.task_id, link=self._robot.card_url)
        try:
            await self._link.request(frames.UPDATE, body, req_id=asked.req_id)
        except WecomRejected as refusal:
            raise NoWay(str(refusal)) from refusal
        return _SHOWN

    def _chat(self, to: Address) -> Body:
        if to.user_id is None:
            return {"chatid": to.chat_id, "chat_type": 2}
        return {"chatid": self._spelt.get(to.user_id, to.user_id), "chat_type": 1}

    async def _store(self, envelope: Envelope) -> Release | None:
        """None when it could not be stored."""
        try:
            release = await self._accept(envelope)
        except Exception:
            _PUSHES.labels(self._robot.name, "not_stored").inc()
            fields = {"channel": envelope.channel, "delivery_id": envelope.delivery_id}
            log.exception("a push could not be stored", extra={"action": "accept", **fields})
            return None
        _PUSHES.labels(self._robot.name, "unreadable" if envelope.unreadable else "accepted").inc()
        return release

    def _remember(self, session: Session, frame: Frame, envelope: Envelope) -> None:
        """How it may be answered, and how the platform spells the person: it compares the ids
        of conversations with case."""
        read = aibot_read.parse_or_none(self._robot, envelope)
        if envelope.unreadable is not None or read is None:
            return
        spelt = text_in(frame.body, "from", "userid")
        self._spelt[spelt.lower()] = spelt
        event = part(frame.body, "event")
        pressed = part(event, "template_card_event") or event
        kind = {Kind.CARD_ACTION: "press", Kind.ENTER: "welcome"}.get(read.kind, "message")
        if read.kind in (Kind.IGNORED, Kind.UNSUPPORTED) and frame.cmd == frames.EVENT:
            return
        self._asked[aibot_read.source_of(envelope)] = Asked(
            read.origin, kind, text_in(pressed, "task_id"), frame.req_id, session, _now()
        )
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)

    def _find(self, key: str, to: Address) -> Asked | None:
        source = key
        while (cut := source.rfind(":")) > 0:
            source = source[:cut]
            asked = self._asked.get(source)
            if asked is not None:
                return asked if asked.to == to else None
        return None

    def _answerable(self, key: str, to: Address) -> Asked | None:
        asked = self._find(key, to)
        if asked is None or asked.is_answered or asked.kind == "press":
            return None
        limit_s = EVENT_WITHIN_S if asked.kind == "welcome" else ANSWERED_WITHIN_S
        return asked if self._stands(asked, limit_s) else None

    def _stands(self, asked: Asked, limit_s: float) -> bool:
        return asked.session is self._link.session and _now() - asked.at < limit_s

    async def _answered(self, asked: Asked, content: Words | FileContent, body: Body) -> bool:
        """False when it must be pushed instead. A callback is answered once: a second try
        after a lost acknowledgement is a push."""
        asked.is_answered = True
        cmd = frames.RESPOND
        if asked.kind == "welcome":
            if isinstance(content, FileContent):
                return False
            cmd, body = frames.WELCOME, render.welcome(content, link=self._robot.card_url)
        try:
            await self._link.request(cmd, body, req_id=asked.req_id)
        except WecomRejected as refusal:
            if refusal.errcode not in _BY_PUSH:
                raise NoWay(str(refusal)) from refusal
            return False
        return True

    async def _body(self, content: Words | FileContent) -> Body:
        if not isinstance(content, FileContent):
            return render.new_message(content, link=self._robot.card_url)
        kind, media_id = await self._media.media_id(content)
        return {"msgtype": kind, kind: {"media_id": media_id}}

    def _check_away(self, to: Address) -> None:
        """Short gaps are waited out; in a long one people are answered all the same."""
        since = self._link.down_since
        if since is None:
            return
        if to.user_id and (self._clock.now() - since).total_seconds() >= AWAY_S:
            raise NoWay(self._link.trouble)
        raise Unavailable(f"wecom:aibot: {self._link.trouble}")


async def _nowhere(_: Envelope) -> Release:
    raise LookupError("nobody stores what is pushed")


def _now() -> float:
    return asyncio.get_running_loop().time()
