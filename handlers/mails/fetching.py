"""The whole of a mail is fetched before its transaction, and only where it is a known customer's:
of everybody else's the head is all that ever leaves the mailbox."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from bot.domain.mails import Mail, WholeMail
from bot.errors import BotError, InvalidInput, PermanentError
from bot.messages import Attachment, Fetched, Incoming
from bot.ports import FileStore, MailFolder
from bot.router import Begin
from handlers.mails import matching, whole
from handlers.texts import mails as texts
from storage.mails import DROPPED, ENTERED, MailRow
from storage.unit_of_work import UnitOfWork

MOST_TRIES = 5
"""To fetch the whole, one with each look into the mailbox; then the head must do."""

log = logging.getLogger(__name__)


class MailFetching:
    """A `bot.ports.Preparation`. most_bytes: of a mail, by the name of its mailbox."""

    def __init__(
        self,
        folders: Mapping[str, MailFolder],
        files: FileStore,
        *,
        most_bytes: Mapping[str, int],
        read: Begin[UnitOfWork],
    ) -> None:
        self._folders = folders
        self._files = files
        self._most_bytes = most_bytes
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
        return incoming if found is None else await self._with_files(incoming, found)

    async def _whole(self, mail: Mail, row: MailRow | None) -> WholeMail | None:
        """None while it could not be fetched; it is tried again with the next look."""
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
        if len(data) > limit:
            return WholeMail(trouble=texts.too_large(len(data)))
        try:
            return whole.read(data)
        except Exception as error:
            raise PermanentError(f"the mail cannot be read: {type(error).__name__}") from error

    async def _with_files(self, incoming: Incoming, found: WholeMail) -> Incoming:
        files = [await self._keep(name, data) for name, data in found.files]
        slim = replace(found, files=())
        return replace(incoming, mail=slim, files=(*incoming.files, *files))

    async def _keep(self, name: str, data: bytes) -> Fetched:
        attachment = Attachment("file", handle="", name=name)
        try:
            return Fetched(attachment, stored=await self._files.put(data, name=name))
        except InvalidInput as error:
            return Fetched(attachment, lost=str(error))
