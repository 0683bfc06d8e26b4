"""Opportunities. Lights judge them in storage/lights.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Light, Opportunity, OpportunityState
from bot.domain.stages import MoveKind, StageEvent
from bot.errors import NotFound
from storage.dialects import AnyRow, changes, fixed, in_chunks
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.stages import Stages
from storage.tables import accounts, light_episodes, opportunities

_NAMES = [field.name for field in fields(Opportunity)]
_OWN = [name for name in _NAMES if name not in ("id", "account_name")]
CHUNK = 500
_QUERY = (
    select(
        *(accounts.c.name if name == "account_name" else opportunities.c[name] for name in _NAMES)
    )
    .join(accounts, accounts.c.id == opportunities.c.account_id)
    .order_by(opportunities.c.id)
)
_BY_ID = prepared(_QUERY.where(opportunities.c.id == bindparam("key")))
_FOR_UPDATE = prepared(_BY_ID.with_for_update(of=opportunities))
_OF_ACCOUNT = prepared(_QUERY.where(opportunities.c.account_id == bindparam("key")))
_OF_ACCOUNT_FOR_UPDATE = prepared(_OF_ACCOUNT.with_for_update(of=opportunities))
LIVING = (OpportunityState.OPEN, OpportunityState.ON_HOLD)
IS_LIVING = or_(*(opportunities.c.state == fixed(state) for state in LIVING))
_SAVE = prepared(
    update(opportunities).where(opportunities.c.id == bindparam("saved_id")), unread=True
)


class Opportunities:
    """Possible sales, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._known: dict[int, Opportunity] = memory_of(conn, opportunities, accounts)
        self._of_account: dict[int, list[int]] = memory_of(conn, opportunities, accounts)
        self._locked: dict[int, bool] = memory_of(conn)

    async def get(self, opportunity_id: int) -> Opportunity:
        """Raises NotFound."""
        if opportunity_id not in self._known:
            self._known[opportunity_id] = await self._one(_BY_ID, opportunity_id)
        return self._known[opportunity_id]

    async def get_for_update(self, opportunity_id: int) -> Opportunity:
        """Locked until the transaction ends. Raises NotFound."""
        known = self._known.get(opportunity_id)
        if self._is_alone or (known is not None and known.account_id in self._locked):
            return await self.get(opportunity_id)
        found = await self._one(_FOR_UPDATE, opportunity_id)
        self._known[opportunity_id] = found
        return found

    async def lock_of_account(self, account_id: int) -> None:
        """What the customer has, until the transaction ends. For who is going to write to it,
        before they read what hangs on it: a lock has all that was read before read again."""
        if self._is_alone or account_id in self._locked:
            return
        self._remember(account_id, await self._list(_OF_ACCOUNT_FOR_UPDATE, account_id))
        self._locked[account_id] = True

    @property
    def _is_alone(self) -> bool:
        """On SQLite nobody else writes meanwhile."""
        return self._conn.dialect.name == "sqlite"

    async def open_of_account(self, account_id: int) -> list[Opportunity]:
        """The living ones: open and on hold."""
        return [deal for deal in await self.of_account(account_id) if deal.state in LIVING]

    async def living_of_accounts(self, account_ids: Iterable[int]) -> list[Opportunity]:
        """The same of several customers."""
        found: list[Opportunity] = []
        for chunk in in_chunks(account_ids):
            of_chunk = opportunities.c.account_id.in_(chunk)
            found += await self._list(_QUERY.where(of_chunk, IS_LIVING))
        return found

    async def of_account(self, account_id: int) -> list[Opportunity]:
        if account_id not in self._of_account:
            self._remember(account_id, await self._list(_OF_ACCOUNT, account_id))
        return [self._known[number] for number in self._of_account[account_id]]

    def _remember(self, account_id: int, found: Sequence[Opportunity]) -> None:
        self._of_account[account_id] = [deal.id for deal in found]
        self._known.update((deal.id, deal) for deal in found)

    async def of_accounts(self, account_ids: Iterable[int]) -> dict[int, list[Opportunity]]:
        """account -> its opportunities, of those that have any."""
        found: dict[int, list[Opportunity]] = {}
        for chunk in in_chunks(account_ids):
            for deal in await self._list(_QUERY.where(opportunities.c.account_id.in_(chunk))):
                found.setdefault(deal.account_id, []).append(deal)
        return found

    async def list_some(self, opportunity_ids: Iterable[int]) -> dict[int, Opportunity]:
        """By id, those that exist."""
        found: dict[int, Opportunity] = {}
        for chunk in in_chunks(opportunity_ids):
            some = await self._list(_QUERY.where(opportunities.c.id.in_(chunk)))
            found |= {one.id: one for one in some}
        return found

    async def list_of_owner(
        self,
        owner_id: int,
        *,
        state: OpportunityState = OpportunityState.OPEN,
        limit: int,
        after_id: int = 0,
    ) -> list[Opportunity]:
        """In order of id; go on with the last id seen."""
        return await self._list(
            _QUERY.where(
                opportunities.c.owner_id == owner_id,
                opportunities.c.state == str(state),
                opportunities.c.id > after_id,
            ).limit(limit)
        )

    async def to_work(
        self, owner_ids: Iterable[int], *, promised_before: datetime
    ) -> list[Opportunity]:
        """The open ones of these owners that show a light or a mark, or whose next contact was
        promised for before that moment."""
        wanted = or_(
            opportunities.c.light != str(Light.GREEN),
            opportunities.c.stuck,
            opportunities.c.next_contact_at < promised_before,
        )
        found: list[Opportunity] = []
        ids = sorted(set(owner_ids))
        for start in range(0, len(ids), CHUNK):
            found += await self._list(
                _QUERY.where(
                    opportunities.c.owner_id.in_(ids[start : start + CHUNK]),
                    opportunities.c.state == str(OpportunityState.OPEN),
                    wanted,
                )
            )
        return found

    async def closed_among(self, opportunity_ids: Iterable[int]) -> set[int]:
        """Those of them that were won, lost or given up."""
        found: set[int] = set()
        for chunk in in_chunks(opportunity_ids):
            query = select(opportunities.c.id).where(opportunities.c.id.in_(chunk), not_(IS_LIVING))
            found |= set((await self._conn.execute(query)).scalars())
        return found

    async def stuck(self) -> list[Opportunity]:
        """Everybody's open ones whose stage stands still, by owner."""
        query = _QUERY.where(
            opportunities.c.stuck, opportunities.c.state == str(OpportunityState.OPEN)
        )
        in_index = (opportunities.c.owner_id, opportunities.c.id)
        return await self._list(query.order_by(None).order_by(*in_index))

    async def add(
        self,
        *,
        account_id: int,
        name: str,
        owner_id: int,
        stage: str,
        rank: int,
        at: datetime,
        amount_fen: int | None = None,
        light_due_at: datetime | None = None,
        library: str = "",
    ) -> Opportunity:
        """Open, in that stage and assigned to that owner since `at`; the first of its events.
        rank: of the stage in its library, 0 for the first."""
        added = await self._conn.execute(
            insert(opportunities)
            .values(
                account_id=account_id,
                name=name,
                owner_id=owner_id,
                stage=stage,
                stage_since=at,
                state=str(OpportunityState.OPEN),
                created_at=at,
                assigned_at=at,
                amount_fen=amount_fen,
                light_due_at=light_due_at,
                library=library,
                furthest=stage,
            )
            .returning(opportunities.c.id)
        )
        deal = await self.get(added.scalar_one())
        await Stages(self._conn).open(
            StageEvent(
                opportunity_id=deal.id,
                account_id=account_id,
                kind=MoveKind.OPENED,
                library=library,
                came_from="",
                went_to=stage,
                at=at,
                person_id=owner_id,
                rank=rank,
            )
        )
        return deal

    async def save(self, opportunity: Opportunity) -> None:
        """Write it back as a whole. Read it with `get_for_update`."""
        known = self._known.get(opportunity.id)
        changed = changes(_to_row(opportunity), None if known is None else _to_row(known))
        if changed:
            with self.changing(opportunity):
                await self._conn.execute(_SAVE, {**changed, "saved_id": opportunity.id})

    @contextmanager
    def changing(self, *changed: Opportunity) -> Iterator[None]:
        """What is written meanwhile makes these deals what they are said to be, and no other, so
        what is known of deals still holds."""
        known, of_account = dict(self._known), dict(self._of_account)
        yield
        for deal in changed:
            if deal.id in known and known[deal.id].account_id != deal.account_id:
                return
            if deal.id in known:
                known[deal.id] = deal
        self._known.update(known)
        self._of_account.update(of_account)

    async def count_living(self, owner_id: int) -> int:
        query = select(func.count()).where(opportunities.c.owner_id == owner_id, IS_LIVING)
        return await self._conn.scalar(query) or 0

    async def hand_over_rest(self, of: int, to: int, at: datetime) -> list[Opportunity]:
        """Living ones that somebody has with customers of others; see `Accounts.transfer`."""
        moved = await self._conn.execute(
            update(opportunities)
            .where(opportunities.c.owner_id == of, IS_LIVING)
            .values(owner_id=to, assigned_at=at, last_valid_at=None, light_due_at=at)
            .returning(opportunities.c.id)
        )
        ids = list(moved.scalars())
        for chunk in in_chunks(ids):
            await self._conn.execute(
                update(light_episodes)
                .where(
                    light_episodes.c.opportunity_id.in_(chunk),
                    light_episodes.c.cleared_at.is_(None),
                )
                .values(owner_id=to)
            )
        return [await self.get(number) for number in ids]

    async def _one(self, query: Select[Any], opportunity_id: int) -> Opportunity:
        found = await self._list(query, opportunity_id)
        if not found:
            raise NotFound("没有这个商机。")
        return found[0]

    async def _list(self, query: Select[Any], key: int | None = None) -> list[Opportunity]:
        rows = await self._conn.execute(query, None if key is None else {"key": key})
        return [_to_opportunity(row) for row in rows]


def _to_row(opportunity: Opportunity) -> dict[str, Any]:
    """Without its id."""
    return {name: getattr(opportunity, name) for name in _OWN} | {
        "state": str(opportunity.state),
        "light": str(opportunity.light),
    }


def _to_opportunity(row: AnyRow) -> Opportunity:
    values = dict(zip(_NAMES, row, strict=True))
    values |= {"state": OpportunityState(row.state), "light": Light(row.light)}
    return Opportunity(**values)
