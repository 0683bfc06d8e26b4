"""All mailboxes with what is done about them, as one part of the bot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from bot.errors import BotError
from bot.router import Job
from handlers.mails.reading import MailReading
from handlers.mails.watching import MailWatch
from storage.unit_of_work import UnitOfWork


class MailKeeper:
    """All mailboxes with what is done about them, as one part of the bot."""

    def __init__(self, readings: Sequence[MailReading], watch: MailWatch) -> None:
        self._readings = readings
        self._watch = watch

    async def run(self) -> None:
        """For ever; ends by cancellation. One that hangs keeps no other from being read."""
        await asyncio.gather(*(one.run() for one in self._readings))

    async def catch_up(self) -> None:
        """Until nothing is left to read where a mailbox can be read at all."""
        for one in self._readings:
            with contextlib.suppress(BotError):
                await one.catch_up()

    def jobs(self) -> list[Job[UnitOfWork]]:
        return [self._watch.job()] if self._readings else []

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why those that cannot be read cannot, by "mail:<name>"; "" for the others."""
        return {f"mail:{one.box}": one.trouble for one in self._readings}
