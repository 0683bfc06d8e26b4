"""Each night the months to come are made where messages are kept by month, and old ones dropped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from bot.messages import OutboundMessage
from bot.router import Job
from storage.unit_of_work import UnitOfWork

AHEAD = 3
"""Months that are ready in advance: what missed a quarter of nights only costs tidiness."""

log = logging.getLogger(__name__)


def job(keep_months: int) -> Job[UnitOfWork]:
    """keep_months: whole months for which raw deliveries are kept; 0: for ever."""

    async def tick(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        kept = await tx.partitions.keep(at, ahead=AHEAD, months=keep_months)
        fields = {"action": "months", "made": kept.made, "dropped": kept.dropped}
        if kept.made or kept.dropped:
            log.info("months of the inbox", extra=fields)
        if kept.forgotten:
            told = {"action": "months", "keys": kept.forgotten}
            log.info("keys of old deliveries are gone", extra=told)
        if kept.left:
            log.warning("a month is kept: not all of it is handled", extra={"left": kept.left})
        return []

    async def never(_: UnitOfWork) -> None:
        """A jumping clock need not stop for it."""

    return Job("months of the inbox", {"hour": "3", "minute": "40"}, tick, next_due=never)
