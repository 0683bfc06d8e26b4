"""Each night the words of old messages, drafts and entries go; that there were any stays."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.policy import PrivacyPolicy
from bot.messages import OutboundMessage
from bot.router import Begin, Job
from handlers.desk import Office
from storage.old_history import HISTORY
from storage.raw_words import TABLES
from storage.unit_of_work import UnitOfWork

MOST_BATCHES = 1_000
"""Of each table in a night: a million rows. A company that begins with more needs some nights."""

log = logging.getLogger(__name__)


class Emptying:
    """As far back as the policy says, batch by batch, so that nobody waits for long."""

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
        if (since := self._policy.raw_chat_since(at)) is not None:
            await _empty_raw_words(begin, at, since)
        if (since := self._policy.history_since(at)) is not None:
            await _empty_history(begin, at, since)

    async def _tell(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """One entry of the audit, also for batches of a night that broke off before it."""
        counts = await tx.kept_places.take_counts((*TABLES, *HISTORY), at)
        if counts:
            log.info("old words are gone", extra={"action": "empty", **counts})
            await tx.audit.append(
                at=at,
                actor="system",
                action="empty_old_words",
                subject="old words",
                before=None,
                after={
                    "days": self._policy.raw_chat_days,
                    "years": self._policy.history_years,
                    "rows": counts,
                },
            )
        return []

    @property
    def _policy(self) -> PrivacyPolicy:
        return self._office.policy.privacy


class _Batches(Protocol):
    async def go_on(self, name: str, *, before: datetime, at: datetime) -> bool: ...


async def _empty_raw_words(begin: Begin[UnitOfWork], at: datetime, before: datetime) -> None:
    for name in TABLES:
        async with begin() as tx:
            await tx.raw_words.look_again(name, before=before, at=at)
        await _by_batches(begin, lambda tx: tx.raw_words, name, at, before)


async def _empty_history(begin: Begin[UnitOfWork], at: datetime, before: datetime) -> None:
    for name in HISTORY:
        await _by_batches(begin, lambda tx: tx.old_history, name, at, before)


async def _by_batches(
    begin: Begin[UnitOfWork],
    batches: Callable[[UnitOfWork], _Batches],
    name: str,
    at: datetime,
    before: datetime,
) -> None:
    """Each in a transaction of its own, until there are no more."""
    for _ in range(MOST_BATCHES):
        async with begin() as tx:
            if not await batches(tx).go_on(name, before=before, at=at):
                return
