"""The keys under which customers that may be one and the same find each other.

What the keys are is said in bot/domain/customer_master.py. A customer whose names, numbers or
contacts changed is unfiled until it is filed anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.customer_master import CustomerCard
from storage.dialects import among
from storage.tables import account_keys, accounts, contacts

MOST_NEAR = 30
"""Customers compared with one that is asked about; common beginnings of names bring many."""

WEAK = ("begins ", "slip ")
"""Keys of names that are a little alike; whoever has another in common goes before."""

CHUNK = 500


class Duplicates:
    """The filing of customers, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def unfiled(self, *, limit: int) -> list[CustomerCard]:
        """Customers whose keys are not, or no longer, what they are filed under."""
        return await self._cards(accounts.c.keyed_at.is_(None), limit=limit)

    async def file(self, keys: Mapping[int, Iterable[str]], at: datetime) -> None:
        """Customer -> its keys; those from before are forgotten."""
        ids = list(keys)
        rows = [
            {"key": key, "account_id": number} for number in ids for key in sorted(keys[number])
        ]
        await self._conn.execute(
            delete(account_keys).where(among(self._conn, account_keys.c.account_id, ids))
        )
        if rows:
            await self._conn.execute(insert(account_keys), rows)
        those = among(self._conn, accounts.c.id, ids)
        await self._conn.execute(update(accounts).where(those).values(keyed_at=at))

    async def near(self, keys: Iterable[str]) -> list[CustomerCard]:
        """Who stands under one of the keys, those with the most telling ones first, at most
        MOST_NEAR."""
        weak = or_(*(account_keys.c.key.startswith(word) for word in WEAK))
        telling = func.sum(case((weak, 0), else_=1))
        found = await self._conn.execute(
            select(account_keys.c.account_id)
            .where(account_keys.c.key.in_(sorted(keys)))
            .group_by(account_keys.c.account_id)
            .order_by(telling.desc(), func.count().desc(), account_keys.c.account_id)
            .limit(MOST_NEAR)
        )
        ids = list(found.scalars())
        return await self._cards(accounts.c.id.in_(ids), limit=MOST_NEAR) if ids else []

    async def _cards(self, which: Any, *, limit: int) -> list[CustomerCard]:
        stands = accounts.c.merged_into_id.is_(None)
        query = select(accounts).where(which, stands).order_by(accounts.c.id).limit(limit)
        rows = (await self._conn.execute(query)).all()
        people = await self._contacts([row.id for row in rows])
        return [
            CustomerCard(
                id=row.id,
                names=(row.name, *row.aliases),
                credit_code=row.credit_code,
                phones=(row.phone, *(mobile for mobile, _ in people[row.id] if mobile)),
                domains=(row.domain,),
                contacts=tuple(external for _, external in people[row.id] if external),
            )
            for row in rows
        ]

    async def _contacts(
        self, account_ids: Sequence[int]
    ) -> defaultdict[int, list[tuple[str | None, str]]]:
        known: defaultdict[int, list[tuple[str | None, str]]] = defaultdict(list)
        for start in range(0, len(account_ids), CHUNK):
            chunk = account_ids[start : start + CHUNK]
            rows = await self._conn.execute(
                select(contacts).where(contacts.c.account_id.in_(chunk))
            )
            for row in rows:
                known[row.account_id].append((row.mobile, row.external_id))
        return known
