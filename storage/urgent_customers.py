"""Customers of some people as those want them who have an hour: the worst light first, a page at a
time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import chain

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Light
from storage.dialects import by_no_index, fixed, in_chunks
from storage.tables import accounts, opportunities

RED, YELLOW, CALM = 0, 1, 2
_LIGHTS = {RED: str(Light.RED), YELLOW: str(Light.YELLOW)}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a customer stands in the list. rank: RED or YELLOW by the worst light of the open deals
    that its owner has with it, else CALM. since: of a red or yellow one, the last valid action with
    the deal that was left alone longest, or when that was assigned; of others 1970."""

    rank: int
    since: datetime
    account_id: int


START = Place(RED, _NEVER, 0)


class UrgentCustomers:
    """Inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def page(
        self, owner_ids: Iterable[int], *, after: Place = START, limit: int
    ) -> list[Place]:
        """Whom these people look after, of each light those left alone longest first."""
        chunks, found = list(in_chunks(owner_ids)), list[Place]()
        for rank in range(after.rank, CALM + 1):
            here = after if rank == after.rank else Place(rank, _NEVER, 0)
            left = limit - len(found)
            if left <= 0:
                break
            look = self._lit if rank in _LIGHTS else self._calm
            pages = [await look(one, here, left) for one in chunks]
            found += nsmallest(left, chain.from_iterable(pages))
        return found

    async def _lit(self, owners: list[int], after: Place, limit: int) -> list[Place]:
        """Found by the lights of their deals, which are few beside all customers."""
        deal = opportunities.c
        since = func.min(func.coalesce(deal.last_valid_at, deal.assigned_at))
        further = and_(since == after.since, deal.account_id > after.account_id)
        query = (
            select(deal.account_id, since)
            .join(accounts, accounts.c.id == deal.account_id)
            .where(
                deal.owner_id.in_(owners),
                deal.light == fixed(_LIGHTS[after.rank]),
                deal.state == fixed("open"),
                deal.owner_id == by_no_index(self._conn, accounts.c.owner_id),
                *self._stands(),
            )
            .group_by(deal.account_id)
            .having(or_(since > after.since, further))
            .order_by(since, deal.account_id)
            .limit(limit)
        )
        if after.rank == YELLOW:
            query = query.where(~self._has_deal(_LIGHTS[RED]))
        rows = await self._conn.execute(query)
        return [Place(after.rank, row[1], row[0]) for row in rows]

    async def _calm(self, owners: list[int], after: Place, limit: int) -> list[Place]:
        query = (
            select(accounts.c.id)
            .where(
                accounts.c.owner_id.in_(owners),
                accounts.c.id > after.account_id,
                *self._stands(),
                ~self._has_deal(*_LIGHTS.values()),
            )
            .order_by(accounts.c.id)
            .limit(limit)
        )
        found = (await self._conn.execute(query)).scalars()
        return [Place(CALM, _NEVER, one) for one in found]

    def _stands(self) -> tuple[ColumnElement[bool], ...]:
        merged = by_no_index(self._conn, accounts.c.merged_into_id)
        return merged.is_(None), accounts.c.in_pool_since.is_(None)

    def _has_deal(self, *lights: str) -> ColumnElement[bool]:
        """The customer of the row has an open one of its owner's with such a light."""
        deal = opportunities.alias("worse")
        return exists().where(
            deal.c.account_id == accounts.c.id,
            by_no_index(self._conn, deal.c.owner_id) == accounts.c.owner_id,
            deal.c.state == fixed("open"),
            or_(*(deal.c.light == fixed(one) for one in lights)),
        )
