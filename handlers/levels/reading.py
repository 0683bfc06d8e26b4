"""Files that may prove a level are read before the message's transaction: those sent with words
that name a level, or while a card about a level waits for them; mails that come alone, too."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from bot.domain.calendar import WorkingCalendar
from bot.errors import PermanentError, TransientError
from bot.messages import Incoming, Kind, Paper
from bot.ports import FileStore, PaperReader
from bot.router import Begin
from handlers.levels import mails
from handlers.receivables.paper_reading import is_paper
from handlers.texts import papers as texts
from storage.unit_of_work import UnitOfWork

AWAITED = "level_card"
"""In a dialog's state: the card about a level that waits for files."""

NAMED = re.compile(r"(?<![A-Za-z0-9])[lL] ?(?:[123])(?!\d|[-_])")
MOST_FILES = 6

log = logging.getLogger(__name__)


class EvidenceReading:
    """Reads papers that may prove a level, before the message's transaction. A
    `bot.ports.Preparation`. reader: None where no engine is configured: papers are then taken
    unread, mails are read all the same."""

    def __init__(
        self,
        reader: PaperReader | None,
        files: FileStore,
        calendar: WorkingCalendar,
        *,
        read: Begin[UnitOfWork],
    ) -> None:
        self._reader = reader
        self._files = files
        self._calendar = calendar
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """See `bot.ports.Preparation`."""
        wanted = await self._wanted(incoming)
        papers = [
            await self._paper(sha256, name, media_type, last_try=last_try)
            for sha256, name, media_type in wanted[:MOST_FILES]
        ]
        return replace(incoming, evidence=tuple(papers)) if papers else incoming

    async def _wanted(self, incoming: Incoming) -> list[tuple[str, str, str]]:
        """(hash, name, media type), the first sent first."""
        message = incoming.message
        named = message.kind in (Kind.TEXT, Kind.MIXED) and bool(NAMED.search(message.text))
        sent = [
            (one.stored.sha256, one.stored.name or one.attachment.name, one.stored.media_type)
            for one in incoming.files
            if one.stored is not None
        ]
        if not message.sender_id or not (named or (sent and not message.text)):
            return []
        async with self._read() as tx:
            person = await tx.people.find_by_identity(message.platform, message.sender_id)
            if person is None:
                return []
            waiting = await tx.dialogs.get(message.origin.key, person.id) or {}
            if not named and AWAITED not in waiting:
                return [one for one in sent if one[1].lower().endswith(mails.ENDING)]
            loose = await tx.drafts.loose_of(message.origin.key, person.id) if named else []
        before = [(one.sha256, one.name, one.media_type) for one in loose]
        return list(dict.fromkeys([*before, *sent]))

    async def _paper(self, sha256: str, name: str, media_type: str, *, last_try: bool) -> Paper:
        try:
            if name.lower().endswith(mails.ENDING):
                return self._mail(sha256, name, await self._files.get(sha256))
            if not is_paper(media_type) or self._reader is None:
                return Paper(sha256, name, trouble=texts.NO_ENGINE)
            return await self._scanned(self._reader, sha256, name)
        except (TransientError, PermanentError, FileNotFoundError) as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            log.warning("evidence not read", extra={"action": "read", "error": str(error)})
            return Paper(sha256, name, trouble=texts.trouble(error))

    def _mail(self, sha256: str, name: str, data: bytes) -> Paper:
        found = mails.read(data, self._calendar)
        if found is None:
            return Paper(sha256, name, trouble=texts.BLANK)
        return Paper(sha256, name, found[1], mail=found[0])

    async def _scanned(self, reader: PaperReader, sha256: str, name: str) -> Paper:
        data = await self._files.get(sha256)
        lines = tuple(await reader.read(data))
        seals = await reader.seals(data)
        return Paper(sha256, name, lines, "" if lines else texts.BLANK, seals)
