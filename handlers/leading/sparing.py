"""Digests before single pushes: what is left out first where messages are short."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.messages import Address, OutboundMessage
from bot.router import Job
from storage.unit_of_work import UnitOfWork

DIGESTS = frozenset({"digest of lights", "weekly summary", "refusals of the week"})
"""Jobs whose messages sum up what everybody can ask for: the daily lists, the week's figures."""

log = logging.getLogger(__name__)


def sparing(
    jobs: Iterable[Job[UnitOfWork]], spares: Callable[[Address], bool]
) -> list[Job[UnitOfWork]]:
    """The jobs; digests without the messages to addresses that `spares` says are short."""
    return [_spare(job, spares) if job.name in DIGESTS else job for job in jobs]


def _spare(job: Job[UnitOfWork], spares: Callable[[Address], bool]) -> Job[UnitOfWork]:
    async def run(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        messages = await job.run(tx, at)
        kept = [message for message in messages if not spares(message.to)]
        if len(kept) < len(messages):
            fields = {"action": "spare", "job": job.name, "left_out": len(messages) - len(kept)}
            log.warning("a digest was left out, to save calls", extra=fields)
        return kept

    return replace(job, run=run)
