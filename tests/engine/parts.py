"""A platform in ten lines, for the engine's tests: it says what it is told to say."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain.people import Directory
from bot.errors import BotError, InvalidInput
from bot.messages import (
    Address,
    Attachment,
    Content,
    Envelope,
    InboundMessage,
    Kind,
    Platform,
    Receipt,
    StoredFile,
    Text,
)

START = datetime(2026, 1, 28, 2, 0, tzinfo=UTC)


def envelope(text: str, *, by: str = "zhang3", number: int = 1, seconds: int = 0) -> Envelope:
    """Text from a person. Its delivery id is `number`, unique for each person."""
    return Envelope(
        channel="wecom:sales:app",
        delivery_id=f"{by}-{number}",
        conversation=f"wecom:sales:u:{by}",
        sent_at=START + timedelta(seconds=seconds),
        received_at=START,
        body=text.encode(),
    )


async def until(come_true: Callable[[], object]) -> None:
    """Wait for it, at most ten seconds."""
    async with asyncio.timeout(10):
        while not come_true():  # noqa: ASYNC110 - whatever it is, it has no event
            await asyncio.sleep(0.001)


@dataclass
class Peer:
    """A `ChatConnector` whose sends fail as scripted, first come first."""

    platform: str = "wecom"
    app: str = "sales"
    failures: list[BotError] = field(default_factory=list)
    download_failures: list[BotError] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    told_of: list[tuple[str, datetime]] = field(default_factory=list)

    def parse(self, envelope: Envelope) -> InboundMessage:
        text = envelope.body.decode()
        if text == "garbage":
            raise InvalidInput("no such message type")
        user = envelope.conversation.rsplit(":", 1)[1]
        with_file = text.startswith("file")
        return InboundMessage(
            platform=Platform.WECOM,
            app="sales",
            message_id=envelope.delivery_id,
            origin=Address(Platform.WECOM, "sales", user_id=user),
            sender_id=user,
            sent_at=envelope.sent_at,
            kind=Kind.FILE if with_file else Kind.TEXT,
            text=text,
            attachments=(Attachment("file", "m1", "a.pdf"),) if with_file else (),
        )

    def split(self, content: Content) -> Sequence[Content]:
        if isinstance(content, Text) and len(content.text) > 10:
            return [Text(content.text[:10]), Text(content.text[10:])]
        return [content]

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        assert isinstance(content, Text)
        self.sent.append((to.key.rsplit(":", 1)[1], content.text))
        return Receipt(handle=dedupe_key)

    def note_sent(self, to: Address, at: datetime) -> None:
        self.told_of.append((to.key.rsplit(":", 1)[1], at))

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        if self.download_failures:
            raise self.download_failures.pop(0)
        return b"%PDF-1.7", attachment.name

    async def read_directory(self) -> Directory:
        return Directory("wecom")

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        return Directory("wecom", whole=False)


class Shelf:
    """A `FileStore` in memory."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        sha256 = hashlib.sha256(data).hexdigest()
        self._files[sha256] = data
        return StoredFile(sha256, len(data), "application/pdf", name)

    async def get(self, sha256: str) -> bytes:
        return self._files[sha256]
