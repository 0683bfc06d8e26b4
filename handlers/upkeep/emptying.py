"""Each night the words of old messages and drafts go; that there were any stays."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.messages import OutboundMessage
from bot.router import Begin, Job
from handlers.desk import Office
from storage.raw_words import TABLES
from storage.unit_of_work import UnitOfWork

MOST_BATCHES = 1_000
"""Of each table in a night: a million rows. A company that begins with more needs some nights."""

log = logging.getLogger(__name__)


class Emptying:
    """As many days back as the policy says, batch by batch, so that nobody waits for long."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def job(self) -> Job[UnitOfWork]:
        async def never(_: UnitOfWork) -> None:
            """A jumping clock need not stop for it."""

        night = {"hour": "2", "minute": "50"}
        return Job("empty old words", night, self._tell, next_due=never, prepare=self._empty)

    async def _empty(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        async with begin() as tx:
            await self._office.policies.follow(tx, at)
        days = self._days
        if not days:
            return
        before = at - timedelta(days=days)
        for name in TABLES:
            async with begin() as tx:
                await tx.raw_words.look_again(name, before=before, at=at)
            for _ in range(MOST_BATCHES):
                async with begin() as tx:
                    if not await tx.raw_words.go_on(name, before=before, at=at):
                        break

    async def _tell(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """One entry of the audit, also for batches of a night that broke off before it."""
        counts = await tx.raw_words.take_counts(at)
        if counts:
            log.info("old words are gone", extra={"action": "empty", **counts})
            await tx.audit.append(
                at=at,
                actor="system",
                action="empty_raw_words",
                subject="raw words",
                before=None,
                after={"days": self._days, "rows": counts},
            )
        return []

    @property
    def _days(self) -> int:
        return self._office.policy.privacy.raw_chat_days
