"""Customers that may be one and the same, found in the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from bot.domain.customer_master import CustomerCard, Likeness, Reason
from bot.domain.opportunities import Account
from handlers.understanding.names import places
from handlers.understanding.sounds import sound_of
from storage.unit_of_work import UnitOfWork

BATCH = 500
SAME = 80
"""From this score on it takes more than the rep's own word to create another."""

SAME_FOR_SURE = frozenset({Reason.NAME, Reason.CREDIT_CODE})


@dataclass(frozen=True, slots=True)
class Likely:
    """A customer that may be the one asked about. score: percent. reasons: strongest first."""

    account: Account
    score: int
    reasons: tuple[Reason, ...]

    @property
    def same(self) -> bool:
        return self.score >= SAME


async def find(tx: UnitOfWork, card: CustomerCard, at: datetime) -> list[Likely]:
    """The likeliest first, at most ten."""
    await _file(tx, at)
    near = await tx.duplicates.near(likeness().keys_to_find(card))
    ranked = likeness().rank(card, near)
    known = await tx.accounts.list_some([one.id for one in ranked])
    return [Likely(known[one.id], one.score, one.reasons) for one in ranked]


async def file_all(
    begin: Callable[[], AbstractAsyncContextManager[UnitOfWork]], at: datetime
) -> None:
    """At start: whoever is not filed yet, in transactions that let others in between."""
    while True:
        async with begin() as tx:
            if not await _file_some(tx, at):
                return


async def _file(tx: UnitOfWork, at: datetime) -> None:
    while await _file_some(tx, at):
        pass


async def _file_some(tx: UnitOfWork, at: datetime) -> int:
    cards = await tx.duplicates.unfiled(limit=BATCH)
    if cards:
        await tx.duplicates.file({card.id: likeness().keys_of(card) for card in cards}, at)
    return len(cards)


@cache
def likeness() -> Likeness:
    """By the places and sounds that sentences are read by."""
    return Likeness(places(), sound_of)
