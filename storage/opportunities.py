"""Opportunities. Lights judge them in storage/lights.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Light, Opportunity, OpportunityState
from bot.domain.stages import MoveKind, StageEvent
from bot.errors import NotFound
from storage.dialects import AnyRow
from storage.stages import Stages
from storage.tables import accounts, opportunities

_NAMES = [field.name for field in fields(Opportunity) if field.name != "account_name"]
CHUNK = 500
_LIVING = (str(OpportunityState.OPEN), str(OpportunityState.ON_HOLD))


class Opportunities:
    """Possible sales, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, opportunity_id: int) -> Opportunity:
        """Raises NotFound."""
        return await self._one(_QUERY.where(opportunities.c.id == opportunity_id))

    async def get_for_update(self, opportunity_id: int) -> Opportunity:
        """Locked until the transaction ends. Raises NotFound."""
        query = _QUERY.where(opportunities.c.id == opportunity_id)
        return await self._one(query.with_for_update(of=opportunities))

    async def open_of_account(self, account_id: int) -> list[Opportunity]:
        """The living ones: open and on hold."""
        return await self._list(
            _QUERY.where(
                opportunities.c.account_id == account_id, opportunities.c.state.in_(_LIVING)
            )
        )

    async def of_account(self, account_id: int) -> list[Opportunity]:
        return await self._list(_QUERY.where(opportunities.c.account_id == account_id))

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

    async def stuck(self) -> list[Opportunity]:
        """Everybody's open ones whose stage stands still."""
        return await self._list(
            _QUERY.where(opportunities.c.stuck, opportunities.c.state == str(OpportunityState.OPEN))
        )

    async def add(
        self,
        *,
        account_id: int,
        name: str,
        owner_id: int,
        stage: str,
        at: datetime,
        amount_fen: int | None = None,
        light_due_at: datetime | None = None,
        library: str = "",
    ) -> Opportunity:
        """Open, in that stage and assigned to that owner since `at`; the first of its events."""
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
            )
            .returning(opportunities.c.id)
        )
        deal = await self.get(added.scalar_one())
        await Stages(self._conn).add(
            StageEvent(
                opportunity_id=deal.id,
                account_id=account_id,
                kind=MoveKind.OPENED,
                library=library,
                came_from="",
                went_to=stage,
                at=at,
                person_id=owner_id,
            )
        )
        return deal

    async def save(self, opportunity: Opportunity) -> None:
        """Write it back as a whole. Read it with `get_for_update`."""
        values = asdict(opportunity) | {
            "state": str(opportunity.state),
            "light": str(opportunity.light),
        }
        del values["id"], values["account_name"]
        await self._conn.execute(
            update(opportunities).where(opportunities.c.id == opportunity.id).values(values)
        )

    async def _one(self, query: Select[Any]) -> Opportunity:
        found = await self._list(query)
        if not found:
            raise NotFound("没有这个商机。")
        return found[0]

    async def _list(self, query: Select[Any]) -> list[Opportunity]:
        rows = await self._conn.execute(query.order_by(opportunities.c.id))
        return [_to_opportunity(row) for row in rows]


_QUERY = select(
    *(opportunities.c[name] for name in _NAMES), accounts.c.name.label("account_name")
).join(accounts, accounts.c.id == opportunities.c.account_id)


def _to_opportunity(row: AnyRow) -> Opportunity:
    values = row._asdict()
    values |= {"state": OpportunityState(row.state), "light": Light(row.light)}
    return Opportunity(**values)
