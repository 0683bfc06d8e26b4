"""Which paper is read, before a message's transaction: a PDF or picture that is called a contract,
or the one sent last when somebody presses «按合同识别»."""

from __future__ import annotations

import logging
import re
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from bot.errors import PermanentError, TransientError
from bot.messages import Incoming, Kind, Paper
from bot.ports import FileStore, PaperReader
from handlers.texts import papers as texts
from storage.unit_of_work import UnitOfWork

ASK = "contract"
"""The action of the button on the card that asks for whom a file is."""

_CALLED = re.compile(r"合同|协议|订货单|采购单")
ORDER = re.compile(r"(?:按合同识别|(?:识别|读)(?:一下)?(?:这份)?合同)(?P<rest>)[。！!]?")

log = logging.getLogger(__name__)


class _Read(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]: ...


def is_paper(media_type: str) -> bool:
    return media_type == "application/pdf" or media_type.startswith("image/")


class PaperReading:
    """Reads contracts on paper before the message's transaction. A `bot.ports.Preparation`. reader:
    None where no engine is configured, which is then said. read: a transaction to look things up
    in; it has ended when the engine is asked."""

    def __init__(self, reader: PaperReader | None, files: FileStore, *, read: _Read) -> None:
        self._reader = reader
        self._files = files
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """See `bot.ports.Preparation`. What proves a level is no contract."""
        if incoming.evidence:
            return incoming
        paper = await self._paper(incoming, last_try=last_try)
        return incoming if paper is None else replace(incoming, paper=paper)

    async def _paper(self, incoming: Incoming, *, last_try: bool) -> Paper | None:
        found = _sent(incoming) or await self._sent_before(incoming)
        if found is None:
            return None
        sha256, name = found
        if self._reader is None:
            return Paper(sha256, name, trouble=texts.NO_ENGINE)
        try:
            lines = await self._reader.read(await self._files.get(sha256))
        except (TransientError, PermanentError, FileNotFoundError) as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            log.warning("paper not read", extra={"action": "read paper", "error": str(error)})
            return Paper(sha256, name, trouble=texts.trouble(error))
        return Paper(sha256, name, tuple(lines), trouble="" if lines else texts.BLANK)

    async def _sent_before(self, incoming: Incoming) -> tuple[str, str] | None:
        """The newest paper of the speaker in this chat that waits for whom it is."""
        message = incoming.message
        if not _asks(incoming) or not message.sender_id:
            return None
        async with self._read() as tx:
            person = await tx.people.find_by_identity(message.platform, message.sender_id)
            if person is None:
                return None
            loose = await tx.drafts.loose_of(message.origin.key, person.id)
        papers = [(one.sha256, one.name) for one in loose if is_paper(one.media_type)]
        return papers[-1] if papers else None


def _sent(incoming: Incoming) -> tuple[str, str] | None:
    """A paper of this message whose name, or whose words, say that it is a contract."""
    for fetched in incoming.files:
        if fetched.stored is None or not is_paper(fetched.stored.media_type):
            continue
        name = fetched.stored.name or fetched.attachment.name
        if _CALLED.search(name) or _CALLED.search(incoming.message.text):
            return fetched.stored.sha256, name
    return None


def _asks(incoming: Incoming) -> bool:
    message = incoming.message
    if message.kind is Kind.CARD_ACTION:
        action = message.action
        return action is not None and action.card_id.startswith("files-") and action.action == ASK
    return message.kind in (Kind.TEXT, Kind.MENU) and bool(ORDER.fullmatch(message.text.strip()))
