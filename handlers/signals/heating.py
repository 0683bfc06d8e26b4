"""How warm customers are, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.policy import Policy
from bot.domain.signals import Heat, Signal, heat
from handlers.texts import signals as texts
from storage.unit_of_work import UnitOfWork

SINCE = timedelta(days=365)
WORTH_TELLING = 0.05


async def heat_of(
    tx: UnitOfWork, policy: Policy, account_ids: Sequence[int], at: datetime
) -> dict[int, Heat]:
    """Of the customers that have any."""
    found: dict[int, list[Signal]] = {}
    for one in await tx.signals.of_customers(account_ids, since=at - SINCE):
        found.setdefault(one.account_id, []).append(one.signal)
    return {number: heat(signals, policy.signals, at) for number, signals in found.items()}


async def lines(tx: UnitOfWork, policy: Policy, account_id: int, at: datetime) -> list[str]:
    """For a customer's card; nothing where it is cold. at: local."""
    warm = (await heat_of(tx, policy, [account_id], at)).get(account_id)
    if warm is None or warm.total < WORTH_TELLING:
        return []
    when = {n: share.signal.at.astimezone(at.tzinfo) for n, share in enumerate(warm.shares)}
    return [texts.heat_line(warm.total, warm.shares, when)]
