"""An application on a chat platform, which speaks and is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.people import Directory
from bot.messages import Address, Attachment, Content, Envelope, InboundMessage, Receipt


class ChatConnector(Protocol):
    """One application on one platform."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Read an envelope. Raises InvalidInput when it cannot be read. Pure."""
        ...

    def split(self, content: Content) -> Sequence[Content]:
        """The content in parts none of which the platform would cut. Pure."""
        ...

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        """Send one part. Raises TransientError or PermanentError.

        The dedupe key of an answer begins with the source_id of what it answers, for platforms
        where that makes a difference. A CardUpdate that the platform can no longer show in
        place is sent as a new card.
        """
        ...

    def note_sent(self, to: Address, at: datetime) -> None:
        """Something went there before this process began to send, in order of time: it counts
        against the platform's limits."""
        ...

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        """Bytes and file name. Raises TransientError, or PermanentError when it is gone."""
        ...

    async def read_directory(self) -> Directory:
        """Everybody in range."""
        ...

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        """Only these; `whole` is False, the ones that are gone in `left_user_ids`."""
        ...
