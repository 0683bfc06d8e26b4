"""Tells the administrators once of each mailbox that cannot be read, and forgets the heads of mails
that stayed nobody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.messages import OutboundMessage
from bot.router import Job
from handlers.desk import Office
from handlers.mails.reading import MailReading, channel_of
from handlers.people import directory
from handlers.texts import mails as texts
from storage.unit_of_work import UnitOfWork

SILENT_AFTER = timedelta(minutes=30)
FORGOTTEN_AT_ONCE = 500


class MailWatch:
    """Tells administrators when a mailbox cannot be read, and takes away heads that are too old.
    keep_days: how long a head that is nobody's is kept, by the name of its mailbox."""

    def __init__(
        self, office: Office, readings: Sequence[MailReading], *, keep_days: Mapping[str, int]
    ) -> None:
        self._office = office
        self._readings = readings
        self._keep_days = keep_days

    def job(self) -> Job[UnitOfWork]:
        return Job("watch mailboxes", {"minute": "*/10"}, self._look, next_due=_in_no_hurry)

    async def _look(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        messages: list[OutboundMessage] = []
        for one in self._readings:
            await self._forget(tx, one.box, at)
            messages += await self._tell_of_silence(tx, one, at)
        return messages

    async def _forget(self, tx: UnitOfWork, box: str, at: datetime) -> None:
        before = at - timedelta(days=self._keep_days[box])
        rows = await tx.mails.outdated(box, before, limit=FORGOTTEN_AT_ONCE)
        for row in rows:
            await tx.mails.drop(row.id)
        await tx.mails.blank(channel_of(box), [row.key for row in rows])

    async def _tell_of_silence(
        self, tx: UnitOfWork, reading: MailReading, at: datetime
    ) -> list[OutboundMessage]:
        _, since = await tx.mails.bookmark(reading.box)
        if not reading.failure or (since is not None and at - since < SILENT_AFTER):
            return []
        office = self._office
        text = texts.silent(reading.box, since and since.astimezone(office.zone), reading.failure)
        key = f"mail-silent:{reading.box}:{since.isoformat() if since else 'never'}"
        morning = office.first_allowed(at)
        told = await directory.tell_admins(tx, office, text, key=key)
        return [replace(one, not_before=morning) for one in told]


async def _in_no_hurry(_tx: UnitOfWork) -> datetime | None:
    """A jumping clock need not stop here."""
    return None
