"""Reads one mailbox every minute or so. Each mail's head becomes an envelope in the inbox before
the bookmark moves past it, so a crash loses none; a head that comes again is a known delivery."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.clock import Clock, wait_for
from bot.domain.mails import MailPlace
from bot.errors import BotError, PermanentError
from bot.ports import Accept, MailFolder
from bot.router import Begin
from storage.unit_of_work import UnitOfWork

LONGEST_PAUSE_S = 300.0
LONGEST_REFUSED_S = 900.0
"""Some servers lock out who logs in wrongly too often."""

OVERLAP = timedelta(days=1)
"""Servers search by days, of a zone that they do not tell."""

log = logging.getLogger(__name__)


class MailReading:
    """The loop that reads one mailbox. first_days: how far back the first look goes. wake: has the
    inbox looked through, because something was put back into it."""

    def __init__(
        self,
        folder: MailFolder,
        *,
        accept: Accept,
        begin: Begin[UnitOfWork],
        clock: Clock,
        poll_s: float,
        first_days: int,
        wake: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._accept = accept
        self._begin = begin
        self._clock = clock
        self._poll_s = poll_s
        self._first = timedelta(days=first_days)
        self._wake = wake
        self._turn = asyncio.Lock()
        self._failures = 0
        self._refused = False
        self.trouble = ""  # why the mailbox cannot be read
        self.failure = ""  # why this reading fails, be it the mailbox or what is ours

    @property
    def box(self) -> str:
        return self._folder.name

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        never = asyncio.Event()
        while True:
            try:
                await self.catch_up()
            except Exception as error:  # noqa: BLE001 - told by _note_failure, with its trace
                self._note_failure(error)
            await wait_for(never, self._pause_s())

    async def catch_up(self) -> None:
        """Until there is nothing more. Raises BotError."""
        async with self._turn:
            async with self._begin() as tx:
                place, known_until = await tx.mails.bookmark(self.box)
            at = self._clock.now()
            since = (known_until - OVERLAP if known_until else at - self._first).date()
            more = True
            while more:
                look = await self._folder.look(place, since=since, at=at)
                for envelope in look.envelopes:
                    (await self._accept(envelope))()
                place, more = look.place, look.more
                await self._move(place, None if more else at)
            await self._fetch_again()
            if self._failures:
                log.info("the mailbox is read again", extra=self._fields())
            self._failures, self._refused, self.trouble, self.failure = 0, False, "", ""

    async def _move(self, place: MailPlace, known_until: datetime | None) -> None:
        async with self._begin() as tx:
            await tx.mails.move_bookmark(self.box, place, known_until=known_until)

    async def _fetch_again(self) -> None:
        """Mails of known customers whose whole could not be fetched: the mailbox answers now."""
        async with self._begin() as tx:
            waiting = await tx.mails.waiting_in(self.box)
            if waiting:
                await handle_again(tx, self.box, [row.key for row in waiting])
                tx.once_committed(self._wake)

    def _pause_s(self) -> float:
        if not self._failures:
            return self._poll_s
        longest = LONGEST_REFUSED_S if self._refused else LONGEST_PAUSE_S
        return max(self._poll_s, min(self._poll_s * 2.0**self._failures, longest))

    def _note_failure(self, error: Exception) -> None:
        """One line when it goes away; a bug with its trace each time."""
        self.failure = str(error) or type(error).__name__
        self.trouble = self.failure if isinstance(error, BotError) else ""
        self._refused = isinstance(error, PermanentError)
        if not isinstance(error, BotError):
            log.exception("a mailbox could not be read", extra=self._fields())
        elif not self._failures:
            fields = {**self._fields(), "error": self.trouble}
            log.warning("a mailbox is out of reach", extra=fields)
        self._failures = min(self._failures + 1, 10)

    def _fields(self) -> dict[str, object]:
        return {"action": "read_mail", "channel": f"mail:{self.box}"}


async def handle_again(tx: UnitOfWork, box: str, keys: Sequence[str]) -> None:
    """Their envelopes are handled as if they had just come."""
    ids = await tx.mails.envelopes(channel_of(box), keys)
    if ids:
        await tx.delivery.mark_for_replay(False, None, ids)


def channel_of(box: str) -> str:
    """Of the envelopes of a mailbox."""
    return f"mail:{box}:imap"
