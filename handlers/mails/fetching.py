"""The whole of a mail is fetched before its transaction, and only where it is a known customer's:
of everybody else's the head is all that ever leaves the mailbox."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from bot.domain.calendar import WorkingCalendar
from bot.domain.mails import IN, Mail, WholeMail
from bot.errors import BotError, InvalidInput, PermanentError
from bot.messages import Attachment, Fetched, Incoming, Paper
from bot.ports import FileStore, MailFolder
from bot.router import Begin
from handlers.levels import mails
from handlers.mails import matching, whole
from handlers.texts import mails as texts
from handlers.understanding.evidence import approves_budget
from storage.mails import DROPPED, ENTERED, MailRow
from storage.unit_of_work import UnitOfWork

MOST_TRIES = 5
"""To fetch the whole, one with each look into the mailbox; then the head must do."""

log = logging.getLogger(__name__)


def _read(data: bytes) -> WholeMail:
    """Raises PermanentError."""
    try:
        return whole.read(data)
    except Exception as error:
        raise PermanentError(f"the mail cannot be read: {type(error).__name__}") from error


class MailFetching:
    """Fetches the whole of a known customer's mail before its transaction. A
    `bot.ports.Preparation`. most_bytes: of a mail, by the name of its mailbox."""

    def __init__(
        self,
        folders: Mapping[str, MailFolder],
        files: FileStore,
        *,
        most_bytes: Mapping[str, int],
        calendar: WorkingCalendar,
        read: Begin[UnitOfWork],
    ) -> None:
        self._folders = folders
        self._files = files
        self._most_bytes = most_bytes
        self._calendar = calendar
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """See `bot.ports.Preparation`. Raises PermanentError over a mail that no parser reads."""
        mail = incoming.message.mail
        if mail is None or not mail.outsiders:
            return incoming
        async with self._read() as tx:
            row = await tx.mails.find(mail.box, mail.key)
            if row is not None and row.state in (ENTERED, DROPPED):
                return incoming
            bound = row.account_id if row is not None else None
            if bound is None and await matching.customer_of(tx, mail) is None:
                return incoming
        found = await self._whole(mail, row)
        if found is None:
            return incoming
        data = found if isinstance(found, bytes) else b""
        whole_mail = _read(found) if isinstance(found, bytes) else found
        return await self._with_files(incoming, whole_mail, data)

    async def _whole(self, mail: Mail, row: MailRow | None) -> bytes | WholeMail | None:
        """What is said instead where it cannot be had; None while it could not be fetched: it is
        tried again with the next look."""
        folder, limit = self._folders.get(mail.box), self._most_bytes.get(mail.box, 0)
        if folder is None:
            return WholeMail(trouble=texts.NO_BOX)
        if mail.size > limit:
            return WholeMail(trouble=texts.too_large(mail.size))
        try:
            data = await folder.whole(mail, most_bytes=limit)
        except BotError as error:
            fields = {"action": "fetch_mail", "channel": f"mail:{mail.box}", "error": str(error)}
            log.warning("a mail could not be fetched", extra=fields)
            given_up = row is not None and row.tries >= MOST_TRIES
            return WholeMail(trouble=texts.NOT_FETCHED) if given_up else None
        if data is None:
            return WholeMail(trouble=texts.GONE)
        return data if len(data) <= limit else WholeMail(trouble=texts.too_large(len(data)))

    async def _with_files(self, incoming: Incoming, found: WholeMail, data: bytes) -> Incoming:
        files = [await self._keep(name, inside) for name, inside in found.files]
        slim = replace(found, files=())
        incoming = replace(incoming, mail=slim, files=(*incoming.files, *files))
        mail = incoming.message.mail
        by_customer = mail is not None and mail.direction == IN and not mail.automatic
        return await self._as_evidence(incoming, data) if data and by_customer else incoming

    async def _as_evidence(self, incoming: Incoming, data: bytes) -> Incoming:
        """A mail that approves a budget is kept as a whole, as if it had been forwarded."""
        try:
            read = mails.read(data, self._calendar)
        except Exception:
            log.exception("a mail was not looked at as evidence", extra={"action": "fetch_mail"})
            return incoming
        if read is None:
            return incoming
        head, lines = read
        name = f"{head.subject or texts.NAMELESS}{mails.ENDING}"
        paper = Paper("", name, lines, mail=head)
        if not approves_budget(paper):
            return incoming
        kept = await self._keep(name, data)
        if kept.stored is None:
            return incoming
        paper = replace(paper, sha256=kept.stored.sha256, name=kept.stored.name)
        return replace(incoming, files=(*incoming.files, kept), evidence=(paper,))

    async def _keep(self, name: str, data: bytes) -> Fetched:
        attachment = Attachment("file", handle="", name=name)
        try:
            return Fetched(attachment, stored=await self._files.put(data, name=name))
        except InvalidInput as error:
            return Fetched(attachment, lost=str(error))
