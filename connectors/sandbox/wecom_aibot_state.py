"""What the emulated WeCom knows of one intelligent robot, and how what it says is shown.

Source: developer.work.weixin.qq.com/document/path/101031, 101032, 101138, 101463. What a limit
is answered with is not documented; 45009 stands for it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .wecom_aibot_cards import check_robot_card
from .wecom_cardview import show_card
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import App, Chat, Said

WORDS_BYTES = 20_480
LIMITS = [(30, 60), (1000, 3600)]  # answers and pushes to one conversation: (count, seconds)
URL_LIFE = timedelta(hours=1)
MEDIA_LIFE = timedelta(minutes=5)
STREAM_LIFE = timedelta(minutes=6)

Body = dict[str, Any]


@dataclass(slots=True)
class UrlRight:
    """The right to say one thing through a response_url. asked: the message it answers."""

    chat: Chat
    expires_at: datetime
    asked: Said | None
    used: bool = False


@dataclass(slots=True)
class Stream:
    """An answer that is still being written. expires_at: then it can grow no more."""

    said: Said
    expires_at: datetime
    finished: bool = False


@dataclass(slots=True)
class SealedFile:
    """A file under an address of its own, encrypted, until it expires."""

    data: bytes
    name: str
    expires_at: datetime


@dataclass(slots=True, eq=False)
class Robot:
    """One robot. spoken: conversations in which somebody has talked to it; it may push to no
    others. aibot ids, chat ids and media are its own."""

    app: App
    state: WecomState
    spoken: set[str] = field(default_factory=set)
    cards: dict[str, Said] = field(default_factory=dict)  # task_id -> message
    urls: dict[str, UrlRight] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    media: dict[str, SealedFile] = field(default_factory=dict)
    entered: dict[str, str] = field(default_factory=dict)  # user id -> day of the last enter_chat

    @property
    def now(self) -> datetime:
        return self.state.world.now()

    def chats(self) -> list[Chat]:
        return [chat for chat in self.state.world.chats if chat.robot == self.app.name]

    def chat_of(self, user_id: str) -> Chat | None:
        """The person's own chat with it."""
        return next(
            (
                chat
                for chat in self.chats()
                if is_single(chat) and chat.members[0].lower() == user_id.lower()
            ),
            None,
        )

    def take(self, chat: Chat) -> None:
        """Count one message. Raises WecomError 45009."""
        key = f"aibot:{self.app.name}:{chat.chat_id}"
        if not self.state.meter.take(key, self.now, LIMITS):
            raise WecomError(45009)

    async def say(self, chat: Chat, body: Mapping[str, Any], *, asked: Said | None = None) -> Said:
        """A message of its own: markdown, or a card for one person. Raises WecomError."""
        kind = body.get("msgtype")
        content = body.get(kind) if isinstance(kind, str) else None
        if not isinstance(content, dict) or kind not in ("markdown", "text", "template_card"):
            raise WecomError(40008)
        if kind == "template_card":
            self.check_new_card(chat, content)
            self.take(chat)
            return await self.show_card(chat, content)
        words = words_in(content)
        self.take(chat)
        return await self.show(chat, kind, words, asked=asked)

    async def show(self, chat: Chat, kind: str, words: str, *, asked: Said | None = None) -> Said:
        quoted = {"quotes": asked.message_id} if asked and not is_single(chat) else {}
        return await self.state.put(
            kind=kind, sender=f"bot:{self.app.name}", chat=chat.chat_id, text=words, wire=quoted
        )

    async def show_file(self, chat: Chat, kind: str, file: Body) -> Said:
        self.take(chat)
        return await self.state.put(
            kind=kind, sender=f"bot:{self.app.name}", chat=chat.chat_id, text="", file=file
        )

    def check_new_card(self, chat: Chat, card: Body) -> None:
        """Raises WecomError: not in groups, ill-formed, or its task_id was used."""
        if not is_single(chat):
            raise WecomError(40008, "template_card in a group")
        check_robot_card(card)
        if card.get("task_id") in self.cards:
            raise WecomError(42014, "task_id repeated")

    async def show_card(self, chat: Chat, card: Body) -> Said:
        shown = show_card(card)
        said = await self.state.put(
            kind="card",
            sender=f"bot:{self.app.name}",
            chat=chat.chat_id,
            text=shown["title"],
            card=shown,
            wire={"template_card": card, "task_id": card.get("task_id", "")},
        )
        if card.get("task_id"):
            self.cards[card["task_id"]] = said
        return said

    async def update_card(self, said: Said, body: Mapping[str, Any]) -> None:
        """Raises WecomError for what is not an update of that very card."""
        card = body.get("template_card")
        if body.get("response_type") != "update_template_card" or not isinstance(card, dict):
            raise WecomError(40008)
        check_robot_card(card)
        if card.get("task_id") != said.wire["task_id"]:
            raise WecomError(42016)
        await self.state.replace_card(said, card)

    async def grow(self, chat: Chat, stream: Mapping[str, Any], *, began_at: datetime) -> bool:
        """A stream's text so far; whether it is finished. Raises WecomError."""
        name, finished = stream.get("id"), stream.get("finish")
        content = stream.get("content", "")
        if not isinstance(name, str) or not name or not isinstance(finished, bool):
            raise WecomError(40058, "stream.id and stream.finish")
        if not isinstance(content, str) or len(content.encode()) > WORDS_BYTES:
            raise WecomError(45002)
        if finished and not content.strip():
            raise WecomError(93017)
        known = self.streams.get(name)
        if known is None:
            self.take(chat)
            said = await self.show(chat, "markdown", content)
            self.streams[name] = Stream(said, began_at + STREAM_LIFE, finished)
            return finished
        if known.finished or self.now >= known.expires_at:
            raise WecomError(846608)
        known.said.text, known.said.updated_at = content, self.now
        known.finished = finished
        await self.state.world.changed()
        return finished

    def new_url(self, chat: Chat, asked: Said | None) -> str:
        code = secrets.token_urlsafe(32)
        self.urls[code] = UrlRight(chat, self.now + URL_LIFE, asked)
        return code

    def seal_file(self, data: bytes, name: str, key: bytes) -> str:
        """The id under which its encrypted bytes can be fetched for five minutes."""
        pad = 32 - len(data) % 32
        encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()
        media_id = secrets.token_urlsafe(24)
        self.media[media_id] = SealedFile(sealed, name, self.now + MEDIA_LIFE)
        return media_id


def new_key() -> bytes:
    return os.urandom(32)


def is_single(chat: Chat) -> bool:
    return len(chat.members) == 1


def words_in(content: Mapping[str, Any]) -> str:
    """Raises WecomError 93017 or 45002."""
    words = content.get("content", "")
    if not isinstance(words, str) or not words.strip():
        raise WecomError(93017)
    if len(words.encode()) > WORDS_BYTES:
        raise WecomError(45002)
    return words
