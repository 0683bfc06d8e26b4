"""One intelligent robot (智能机器人), as the engine drives it.

Sources: developer.work.weixin.qq.com/document/path/100719, 101031, 101138, 101463.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from yarl import URL

from bot.clock import Clock
from bot.domain.people import Directory
from bot.errors import Rejected
from bot.messages import (
    Address,
    Attachment,
    CardUpdate,
    Content,
    Envelope,
    FileContent,
    InboundMessage,
    Platform,
    Receipt,
)
from connectors.http import Http
from connectors.limits import Window, take_all
from connectors.wecom import aibot_files, aibot_read, aibot_render
from connectors.wecom.aibot_replies import Replies
from connectors.wecom.aibot_ways import NoWay, Way
from connectors.wecom.crypto import Crypto
from connectors.wecom.knocking import knock
from connectors.wecom.settings import Aibot


class Application(Protocol):
    """The company's self-built application, as far as a robot needs it."""

    @property
    def app(self) -> str: ...

    def split(self, content: Content) -> Sequence[Content]: ...

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt: ...

    async def read_directory(self) -> Directory: ...

    async def read_users(self, user_ids: Sequence[str]) -> Directory: ...


class AibotClient:
    """One intelligent robot (智能机器人), spoken through. A bot.ports.ChatConnector.

    What the robot may not say to a person goes through the company's application instead, to
    the same person: their user id is the same. At most 30 messages a minute and 1000 an hour
    to one conversation, answers included; more raises RateLimited.
    """

    def __init__(
        self,
        robot: Aibot,
        way: Way,
        replies: Replies,
        http: Http,
        clock: Clock,
        *,
        application: Application,
    ) -> None:
        self._robot = robot
        self._way = way
        self._replies = replies
        self._http = http
        self._clock = clock
        self._application = application
        self._windows = (Window(30, 60, clock), Window(1000, 3600, clock))

    @property
    def platform(self) -> str:
        return Platform.WECOM

    @property
    def app(self) -> str:
        return self._robot.name

    @property
    def refusal(self) -> str:
        return self._way.refusal

    @property
    def robot(self) -> Aibot:
        return self._robot

    @property
    def is_called(self) -> bool:
        return self._robot.is_called

    async def check_door(self, url: str) -> None:
        """Whether a bot with the robot's secrets answers there. Raises TransientError or
        PermanentError."""
        robot = self._robot
        crypto = Crypto(token=robot.token, aes_key=robot.aes_key, receive_id="")
        await knock(self._http, crypto, url, self._clock)

    async def check_link(self) -> None:
        """Whether the platform's end of the long connection answers; nobody subscribes, which
        would evict the bot that is running. Raises TransientError or PermanentError."""
        url = URL(self._robot.ws_url)
        ws = await self._http.websocket(
            url, heartbeat_s=None, limit_bytes=65536, what="wecom:aibot"
        )
        await ws.close()

    @property
    def replies(self) -> Replies:
        """What is still waiting for an answer; the doors fill it."""
        return self._replies

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Notes on the way where the message may be answered, so that what a crash left
        unhandled still gets its answer in its own chat."""
        message = aibot_read.parse(self._robot, envelope)
        url = aibot_read.response_url(envelope.body)
        source = aibot_read.source_of(envelope)
        self._replies.note_url(source, message.origin, url, said_at=envelope.received_at)
        return message

    def split(self, content: Content) -> Sequence[Content]:
        return aibot_render.split(content)

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        """Raises TransientError or PermanentError. Groups show cards as words."""
        if to.webhook is not None:
            raise Rejected("an intelligent robot has no webhooks")
        if isinstance(content, CardUpdate):
            try:
                return await self._way.update(to, content, key=dedupe_key)
            except NoWay as reason:
                if content.response_code:  # the application has shown it, and can change it
                    return await self._by_application(to, content, dedupe_key, reason)
                if content.only_in_place:
                    return Receipt()
        shown = aibot_render.without_update(content)
        take_all(self._windows, to.key)
        try:
            if not isinstance(shown, FileContent):
                shown = aibot_render.for_chat(to, shown)
            return await self._way.say(to, shown, key=dedupe_key)
        except NoWay as reason:
            return await self._by_application(to, shown, dedupe_key, reason)

    def note_sent(self, to: Address, at: datetime) -> None:
        """See `bot.ports.ChatConnector`."""
        for window in self._windows:
            window.count(to.key, at)

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        return await aibot_files.download(self._robot, self._http, attachment, self._clock)

    async def read_directory(self) -> Directory:
        """A robot is told no names; the application is."""
        return await self._application.read_directory()

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        return await self._application.read_users(user_ids)

    async def _by_application(
        self, to: Address, content: Content, dedupe_key: str, reason: NoWay
    ) -> Receipt:
        """In its own, smaller parts. Groups of people it cannot reach."""
        if to.user_id is None:
            raise Rejected(f"机器人在群里说不了这条：{reason}") from reason
        person = Address(Platform.WECOM, self._application.app, user_id=to.user_id)
        receipt = Receipt()
        for number, piece in enumerate(self._application.split(content)):
            key = f"{dedupe_key}+{number}" if number else dedupe_key
            receipt = await self._application.send(person, piece, dedupe_key=key)
        return receipt
