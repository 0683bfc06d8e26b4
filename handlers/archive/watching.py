"""Tells the administrators what they must mend about the archive, forgets what is too old, and
counts for the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.messages import OutboundMessage
from bot.ports import Archive
from bot.router import Job
from handlers.archive.reading import ArchiveReading
from handlers.desk import Office
from handlers.people import directory
from handlers.texts import archive as texts
from storage import archive_files
from storage.unit_of_work import UnitOfWork

SILENT_AFTER = timedelta(minutes=30)
FORGOTTEN_AT_ONCE = 2_000


class ArchiveWatch:
    """Tells administrators when the archive cannot be read, and takes away what is too old.
    keep_days: how long what was said is kept beside the streams."""

    def __init__(
        self, office: Office, archive: Archive, reading: ArchiveReading, *, keep_days: int
    ) -> None:
        self._office = office
        self._archive = archive
        self._reading = reading
        self._keep = timedelta(days=keep_days)

    def job(self) -> Job[UnitOfWork]:
        return Job("watch the archive", {"minute": "*/10"}, self._look, next_due=_in_no_hurry)

    async def figures(self, tx: UnitOfWork, now: datetime) -> Mapping[str, float]:
        """For the metrics: lag_seconds, seq, undecryptable, broken, files_waiting, files_lost."""
        corp = self._archive.corp
        seq, known_until = await tx.archive.bookmark(corp)
        lag = (now - known_until).total_seconds() if known_until else 0.0
        files = await tx.archive_files.counts(corp)
        return {
            "lag_seconds": max(lag, 0.0),
            "seq": seq,
            "undecryptable": sum((await tx.archive.closed_versions(corp)).values()),
            "broken": await tx.archive.broken_count(corp),
            "files_waiting": files[archive_files.WAITING],
            "files_lost": files[archive_files.LOST],
        }

    async def _look(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        corp = self._archive.corp
        await tx.archive.purge(corp, at - self._keep, limit=FORGOTTEN_AT_ONCE)
        messages: list[OutboundMessage] = []
        for version, count in (await tx.archive.closed_versions(corp)).items():
            if version not in self._archive.key_versions:
                key = f"archive-key:{corp}:{version}"
                messages += await self._tell(tx, texts.lacks_key(version, count), key, at)
        if broken := await tx.archive.broken_count(corp):
            key = f"archive-broken:{corp}:{at.astimezone(self._office.zone).date()}"
            messages += await self._tell(tx, texts.broken(broken), key, at)
        return messages + await self._tell_of_silence(tx, at)

    async def _tell_of_silence(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Once for each outage."""
        why = self._reading.trouble
        corp = self._archive.corp
        _, since = await tx.archive.bookmark(corp)
        if not why or (since is not None and at - since < SILENT_AFTER):
            return []
        local = since and since.astimezone(self._office.zone)
        key = f"archive-silent:{corp}:{since.isoformat() if since else 'never'}"
        return await self._tell(tx, texts.silent(local, why), key, at)

    async def _tell(
        self, tx: UnitOfWork, text: str, key: str, at: datetime
    ) -> list[OutboundMessage]:
        office = self._office
        morning = office.first_allowed(at)
        told = await directory.tell_admins(tx, office, text, key=key)
        return [replace(one, not_before=morning) for one in told]


async def _in_no_hurry(_tx: UnitOfWork) -> datetime | None:
    """A jumping clock need not stop here."""
    return None
