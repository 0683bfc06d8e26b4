"""What is to be read from a platform again (`storage.external_reads`): when it is due, and what
becomes of a reading that fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from bot.clock import Clock, wait_for
from bot.errors import BotError, PermanentError, TransientError
from bot.ports import AppKey
from bot.router import Begin
from handlers.desk import Office
from handlers.people.directory import tell_admins
from storage.external_reads import Reading
from storage.unit_of_work import UnitOfWork

MOST_AT_A_TIME = 40
MOST_TRIES = 8
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
LONGEST_NAP_S = 15.0

log = logging.getLogger(__name__)


class Readings:
    """Those of some applications, (platform, app). subject: what they are of, in the log. nightly:
    the kind that the clock asks for, which is never given up. queued: called when there is
    something to send."""

    def __init__(
        self,
        office: Office,
        apps: Collection[AppKey],
        *,
        subject: str,
        nightly: str,
        cannot_read: Callable[[str, str], str],
        begin: Begin[UnitOfWork],
        clock: Clock,
        queued: Callable[[], None],
    ) -> None:
        """cannot_read: what administrators are told, of a platform and why."""
        self._office = office
        self._apps = list(apps)
        self._subject = subject
        self._nightly = nightly
        self._cannot_read = cannot_read
        self._begin = begin
        self._clock = clock
        self._queued = queued

    async def for_ever(
        self,
        work: Callable[[], Awaitable[int]],
        next_at: Callable[[], Awaitable[datetime | None]],
    ) -> None:
        """Work as long as there is any, and again once there is. work: how much was done."""
        due = self._office.contacts_due.listener()
        while True:
            due.clear()
            nap_s = LONGEST_NAP_S
            try:
                if await work():
                    continue
                if (due_at := await next_at()) is not None:
                    wait_s = (due_at - self._clock.now()).total_seconds()
                    nap_s = min(max(wait_s, 0.05), LONGEST_NAP_S)
            except Exception:
                fields = {"action": self._subject}
                log.exception(f"{self._subject} could not be kept", extra=fields)
            await wait_for(due, nap_s)

    async def next_at(self, whats: Sequence[str]) -> datetime | None:
        async with self._begin() as tx:
            return await tx.external_reads.next_at(self._apps, whats)

    async def due(self, whats: Sequence[str]) -> Sequence[Reading]:
        """Of these kinds, MOST_AT_A_TIME at a time."""
        async with self._begin() as tx:
            return await tx.external_reads.due(
                self._apps, whats, at=self._clock.now(), limit=MOST_AT_A_TIME
            )

    async def failed(self, reading: Reading, error: BotError) -> None:
        """It is tried again, ever later, and given up in the end: the night's reading brings it.
        Administrators hear of a night's reading that no other try can mend."""
        fields = {"action": self._subject, "channel": f"{reading.platform}:{reading.app}"}
        log.warning(f"{self._subject} not read", extra={**fields, "error": str(error)})
        wait = min(FIRST_WAIT * 2**reading.tries, LONGEST_WAIT)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait = max(wait, timedelta(seconds=error.retry_after_s))
        async with self._begin() as tx:
            at = self._clock.now()
            if reading.tries >= MOST_TRIES and reading.what != self._nightly:
                await tx.external_reads.done(reading)
            else:
                await tx.external_reads.put_off(reading, until=at + wait)
            if isinstance(error, PermanentError) and reading.what == self._nightly:
                key = f"{self._subject}:{reading.platform}:{reading.app}:{at.date()}"
                text = self._cannot_read(reading.platform, str(error))
                notes = await tell_admins(tx, self._office, text, key=key)
                await tx.delivery.queue(notes, at=at)
        self._queued()
