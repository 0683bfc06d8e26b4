"""Leases as rows of PostgreSQL, judged by its clock alone; a `bot.membership.LeaseBook`.

A process takes one for itself in a single statement, which only succeeds while nobody's time
runs. Each take-over counts the term up, which makes void whatever was begun before (`Fence`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.sharing import Lease, moves
from storage.engines import ANSWER_OR_BE_GONE, to_url
from storage.tables import leases, nodes

_NOW = func.clock_timestamp()
_ENDS_AT = _NOW + bindparam("lease", type_=Interval)

_insert_node = insert(nodes)
_ALIVE = _insert_node.values(id=bindparam("node"), alive_until=_ENDS_AT).on_conflict_do_update(
    index_elements=[nodes.c.id], set_={"alive_until": _insert_node.excluded.alive_until}
)
_COUNT = select(func.count()).select_from(nodes).where(nodes.c.alive_until > _NOW)
_RENEW = (
    update(leases)
    .where(leases.c.node == bindparam("me"), leases.c.ends_at > _NOW)
    .values(ends_at=_ENDS_AT)
)
_ALL = select(leases.c.name, leases.c.node, leases.c.term, leases.c.ends_at <= _NOW)
_insert_lease = insert(leases)
_TAKE = (
    _insert_lease.values(
        name=bindparam("name"), node=bindparam("node"), term=literal(1), ends_at=_ENDS_AT
    )
    .on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={
            "node": _insert_lease.excluded.node,
            "term": leases.c.term + 1,
            "ends_at": _insert_lease.excluded.ends_at,
        },
        where=leases.c.ends_at <= _NOW,
    )
    .returning(leases.c.term)
)


class Leases:
    """Over one connection of its own, so that no queue for the pool can cost a lease."""

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(
            to_url(url),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "timeout": 2,
                "command_timeout": 2,
                "server_settings": {**ANSWER_OR_BE_GONE, "lock_timeout": "1500"},
            },
        )

    async def beat(self, node: str, names: Sequence[str], *, lease_s: float) -> Mapping[str, int]:
        """See `bot.membership.LeaseBook`."""
        lease = {"lease": timedelta(seconds=lease_s)}
        async with self._engine.begin() as conn:
            await conn.execute(_ALIVE, {"node": node, **lease})
            await conn.execute(_RENEW, {"me": node, **lease})
            alive = int(await conn.scalar(_COUNT) or 0)
            found = (await conn.execute(_ALL)).all()
            terms = {row[0]: row[2] for row in found if row[1] == node and not row[3]}
            due = moves(node, names, {row[0]: Lease(row[1], row[3]) for row in found}, nodes=alive)
            if due.give:
                await self._give(conn, node, leases.c.name.in_(due.give))
                terms = {name: term for name, term in terms.items() if name not in due.give}
            return {**terms, **await self._take(conn, node, due.take, lease)}

    async def leave(self, node: str) -> None:
        """See `bot.membership.LeaseBook`."""
        async with self._engine.begin() as conn:
            await self._give(conn, node)
            long_gone = nodes.c.alive_until < _NOW - timedelta(hours=1)
            await conn.execute(delete(nodes).where(or_(nodes.c.id == node, long_gone)))

    async def close(self) -> None:
        await self._engine.dispose()

    async def _give(self, conn: AsyncConnection, node: str, *which: Any) -> None:
        """Free for anybody. The term stays: until somebody takes it, nothing has changed."""
        ours = leases.c.node == node
        await conn.execute(update(leases).where(ours, *which).values(ends_at=_NOW))

    async def _take(
        self,
        conn: AsyncConnection,
        node: str,
        names: Sequence[str],
        lease: Mapping[str, timedelta],
    ) -> dict[str, int]:
        """What somebody else was faster with is left out. In order of name, so that two who take
        the same ones wait for each other in one direction only."""
        taken: dict[str, int] = {}
        for name in sorted(names):
            term = await conn.scalar(_TAKE, {"name": name, "node": node, **lease})
            if term is not None:
                taken[name] = term
        return taken
