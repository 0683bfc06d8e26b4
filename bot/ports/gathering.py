"""Where words are fetched that nobody addresses to us: the chat archive, mailboxes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.archive import ArchivedMessage, Consent, Opened, Pair, Sealed, Slice
from bot.domain.external import ChatGroup
from bot.domain.mails import Mail, MailPlace
from bot.messages import Envelope


class Archive(Protocol):
    """The chat archive of one company. What is asked of the platform raises TransientError or
    PermanentError."""

    @property
    def corp(self) -> str: ...

    @property
    def key_versions(self) -> Collection[int]:
        """Of the private keys at hand."""
        ...

    async def page(self, after: int) -> Sequence[Opened]:
        """The next messages after that seq, in order; none for now when it is empty."""
        ...

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[Opened]:
        """Decrypt what was kept encrypted, in order."""
        ...

    def read(self, content: str) -> ArchivedMessage | None:
        """A decrypted message; None for one that is no part of a conversation. Raises
        InvalidInput. Pure."""
        ...

    async def consents(self, pairs: Sequence[Pair]) -> Mapping[Pair, Consent]:
        """What the platform knows of them; UNKNOWN for the rest."""
        ...

    async def room(self, room: str) -> ChatGroup | None:
        """What a group of members alone is called and who is in it; None where it is none."""
        ...

    async def slice(self, handle: str, mark: str) -> Slice:
        """A part of a file; mark: of the slice before, "" for the first. Raises
        PermanentError when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class MailLook:
    """What is new in a folder: one envelope for each mail with somebody outside, in order. place:
    up to where that is. more: there is more behind it."""

    envelopes: Sequence[Envelope]
    place: MailPlace
    more: bool


class MailFolder(Protocol):
    """One folder of one mailbox, which is only read: nothing is marked, moved or deleted. All
    raise TransientError or PermanentError."""

    @property
    def name(self) -> str: ...

    async def look(self, after: MailPlace | None, *, since: date, at: datetime) -> MailLook:
        """The heads of what came after that place; of what came since that day where there is no
        such place, or its UIDVALIDITY is another one."""
        ...

    async def whole(self, mail: Mail, *, most_bytes: int) -> bytes | None:
        """As the server has it, a byte more than most_bytes where it is longer; None where the
        server no longer has it."""
        ...
