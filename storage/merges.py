"""One customer out of two, and back again.

The stream is never edited: entries keep the customer they were written for, and a stream is
read together with those merged into it (`Activities.page`). Every other row that names the
customer that is no more is pointed at the one that stands, and noted, so that an undo finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import DraftState
from bot.domain.opportunities import OpportunityState
from storage.dialects import AnyRow, among
from storage.lead_spans import LeadSpans
from storage.tables import (
    account_keys,
    account_merges,
    accounts,
    activities,
    contacts,
    customer_profiles,
    drafts,
    file_uses,
    lead_spans,
    light_episodes,
    metadata,
    opportunities,
    signal_looks,
)

CHUNK = 300

_NUMBERS = ("credit_code", "phone", "domain")
_STAYS = {
    accounts.name, activities.name, account_keys.name, account_merges.name,
    customer_profiles.name, lead_spans.name, signal_looks.name,
}  # fmt: skip
_LIVING = opportunities.c.state.in_([OpportunityState.OPEN, OpportunityState.ON_HOLD])


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge as it was done. moved: JSON; what an undo needs."""

    id: int
    account_id: int
    into_id: int
    person_id: int
    merged_at: datetime
    moved: dict[str, Any]
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """How much hangs on a customer."""

    activities: int
    opportunities: int
    contacts: int
    files: int
    drafts: int
    lights: int


_COLUMNS = [account_merges.c[field.name] for field in fields(Merge)]


class Merges:
    """Merges customers, and undoes that, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def weigh(self, account_id: int) -> Weight:
        """What a merge of this customer would move; drafts and lights: the open ones."""
        ids = await family(self._conn, account_id)
        of_deal = opportunities.c.id == light_episodes.c.opportunity_id
        return Weight(
            activities=await self._count(activities, activities.c.account_id.in_(ids)),
            opportunities=await self._count(
                opportunities, opportunities.c.account_id == account_id
            ),
            contacts=await self._count(contacts, contacts.c.account_id == account_id),
            files=await self._count(file_uses, file_uses.c.account_id == account_id),
            drafts=await self._count(
                drafts, drafts.c.account_id == account_id, drafts.c.state == str(DraftState.OPEN)
            ),
            lights=await self._count(
                light_episodes.join(opportunities, of_deal),
                opportunities.c.account_id == account_id,
                light_episodes.c.cleared_at.is_(None),
            ),
        )

    async def merge(self, gone_id: int, into_id: int, *, by: int, at: datetime) -> Merge:
        """The first becomes part of the second; both stand. Living opportunities of another
        owner go to the survivor's, whose clock starts now."""
        gone, into = await self._row(gone_id), await self._row(into_id)
        moved: dict[str, Any] = {
            "rows": {},
            "deals": await self._hand_deals(gone, into.owner_id, at),
        }
        for table, column in _references():
            rows = await self._move(table, column, gone_id, into_id)
            if rows:
                moved["rows"][f"{table.name}.{column.name}"] = rows
        known = {into.name, *into.aliases}
        moved["aliases"] = [name for name in (gone.name, *gone.aliases) if name not in known]
        moved["filled"] = {
            name: getattr(gone, name)
            for name in _NUMBERS
            if getattr(gone, name) and not getattr(into, name)
        }
        await self._set(
            into_id, aliases=[*into.aliases, *moved["aliases"]], **moved["filled"], keyed_at=None
        )
        await self._conn.execute(delete(account_keys).where(account_keys.c.account_id == gone_id))
        await self._set(gone_id, merged_into_id=into_id, pool_due_at=None)
        await LeadSpans(self._conn).refresh([gone_id, into_id])
        added = await self._conn.execute(
            insert(account_merges)
            .values(account_id=gone_id, into_id=into_id, person_id=by, merged_at=at, moved=moved)
            .returning(*_COLUMNS)
        )
        return _to_merge(added.one())

    async def standing(self, *, name: str = "", into_id: int | None = None) -> list[Merge]:
        """Merges not undone: of the customer of that full name, or into that customer; the
        newest first."""
        query = select(*_COLUMNS).join(accounts, accounts.c.id == account_merges.c.account_id)
        which = accounts.c.name == name if into_id is None else account_merges.c.into_id == into_id
        rows = await self._conn.execute(
            query.where(which, account_merges.c.undone_at.is_(None)).order_by(
                account_merges.c.id.desc()
            )
        )
        return [_to_merge(row) for row in rows]

    async def undo(self, merge: Merge, at: datetime) -> bool:
        """What came with the customer goes back to it, as far as it is still the survivor's;
        False when it was undone before. What was recorded since stays with the survivor."""
        marked = await self._conn.execute(
            update(account_merges)
            .where(account_merges.c.id == merge.id, account_merges.c.undone_at.is_(None))
            .values(undone_at=at)
        )
        if not marked.rowcount:
            return False
        links = [merge, *await self._later_links(merge.into_id)]
        holders = [link.into_id for link in links]
        for table, column in _references():
            rows = merge.moved["rows"].get(f"{table.name}.{column.name}", ())
            await self._move_back(table, column, rows, holders, merge.account_id)
        await LeadSpans(self._conn).refresh([merge.account_id, *holders])
        await self._forget(links)
        await self._set(merge.account_id, merged_into_id=None, pool_due_at=at, keyed_at=None)
        await self._return_deals(links, at)
        return True

    async def _forget(self, links: Sequence[Merge]) -> None:
        """Names and numbers that the survivor, and whoever it was merged into, had from the one
        that goes back."""
        names = list(links[0].moved["aliases"])
        numbers = dict(links[0].moved["filled"])
        for link in links:
            names = [name for name in names if name in link.moved["aliases"]]
            numbers = {k: v for k, v in numbers.items() if link.moved["filled"].get(k) == v}
            survivor = await self._row(link.into_id)
            blank = {k: "" for k, v in numbers.items() if getattr(survivor, k) == v}
            kept = [alias for alias in survivor.aliases if alias not in names]
            await self._set(survivor.id, aliases=kept, **blank, keyed_at=None)

    async def _hand_deals(
        self, gone: AnyRow, owner_id: int, at: datetime
    ) -> dict[str, list[str | None]]:
        """The clocks of living opportunities that change hands, as they stood before."""
        if gone.owner_id == owner_id:
            return {}
        of_gone = and_(opportunities.c.account_id == gone.id, _LIVING)
        rows = (await self._conn.execute(select(opportunities).where(of_gone))).all()
        await self._conn.execute(
            update(opportunities)
            .where(of_gone)
            .values(owner_id=owner_id, assigned_at=at, last_valid_at=None, light_due_at=at)
        )
        await self._own_lights([row.id for row in rows], owner_id)
        return {
            str(row.id): [
                row.assigned_at.isoformat(),
                row.last_valid_at.isoformat() if row.last_valid_at else None,
            ]
            for row in rows
        }

    async def _return_deals(self, links: Sequence[Merge], at: datetime) -> None:
        """To the owner of the customer that came back, with the clock from before."""
        merge = links[0]
        clocks: dict[str, list[str | None]] = {}
        for link in reversed(links):
            clocks |= link.moved["deals"]
        owner_id = (await self._row(merge.account_id)).owner_id
        rows = await self._conn.execute(
            select(opportunities.c.id, opportunities.c.owner_id).where(
                opportunities.c.account_id == merge.account_id, _LIVING
            )
        )
        for number, present_owner_id in rows.all():
            if present_owner_id == owner_id and str(number) not in clocks:
                continue
            assigned_at, last_valid_at = clocks.get(str(number), (None, None))
            await self._conn.execute(
                update(opportunities)
                .where(opportunities.c.id == number)
                .values(
                    owner_id=owner_id,
                    assigned_at=datetime.fromisoformat(assigned_at) if assigned_at else at,
                    last_valid_at=await self._last_valid(number, last_valid_at, merge.merged_at),
                    light_due_at=at,
                )
            )
            await self._own_lights([number], owner_id)

    async def _last_valid(
        self, opportunity_id: int, before: str | None, merged_at: datetime
    ) -> datetime | None:
        """As it was, unless something valid was recorded since."""
        taken_back = select(activities.c.retracts_id).where(activities.c.retracts_id.is_not(None))
        since: datetime | None = await self._conn.scalar(
            select(func.max(activities.c.occurred_at)).where(
                activities.c.opportunity_id == opportunity_id,
                activities.c.valid,
                activities.c.recorded_at >= merged_at,
                activities.c.id.not_in(taken_back),
            )
        )
        known = datetime.fromisoformat(before) if before else None
        return max((one for one in (since, known) if one is not None), default=None)

    async def _own_lights(self, opportunity_ids: Sequence[int], owner_id: int) -> None:
        await self._conn.execute(
            update(light_episodes)
            .where(
                among(self._conn, light_episodes.c.opportunity_id, opportunity_ids),
                light_episodes.c.cleared_at.is_(None),
            )
            .values(owner_id=owner_id)
        )

    async def _move(
        self, table: Table, column: Column[Any], gone_id: int, into_id: int
    ) -> list[list[Any]]:
        """Keys of the rows moved. Where the survivor has its own (a contact of the same
        name), the row stays behind."""
        moves = and_(column == gone_id, not_(_has_twin(table, column, into_id)))
        keys = _keys(table, column)
        rows = (await self._conn.execute(select(*keys).where(moves))).all()
        await self._conn.execute(update(table).where(moves).values({column: into_id}))
        return [list(row) for row in rows]

    async def _move_back(
        self,
        table: Table,
        column: Column[Any],
        rows: Sequence[Sequence[Any]],
        holders: Sequence[int],
        gone_id: int,
    ) -> None:
        """holders: whose they may be now."""
        keys = tuple_(*_keys(table, column))
        for start in range(0, len(rows), CHUNK):
            chunk = [tuple(row) for row in rows[start : start + CHUNK]]
            back = and_(among(self._conn, column, holders), keys.in_(chunk))
            await self._conn.execute(update(table).where(back).values({column: gone_id}))

    async def _later_links(self, account_id: int) -> list[Merge]:
        """From that customer to the one that stands."""
        links: list[Merge] = []
        while True:
            last = links[-1].into_id if links else account_id
            rows = await self._conn.execute(
                select(*_COLUMNS).where(
                    account_merges.c.account_id == last, account_merges.c.undone_at.is_(None)
                )
            )
            row = rows.one_or_none()
            if row is None:
                return links
            links.append(_to_merge(row))

    async def _row(self, account_id: int) -> AnyRow:
        return (await self._conn.execute(select(accounts).where(accounts.c.id == account_id))).one()

    async def _set(self, account_id: int, **values: Any) -> None:
        await self._conn.execute(
            update(accounts).where(accounts.c.id == account_id).values(**values)
        )

    async def _count(self, source: Any, *which: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(source).where(*which)
        return await self._conn.scalar(query) or 0


_itself = select(accounts.c.id).where(accounts.c.id == bindparam("account_id"))
_family = _itself.cte("family", recursive=True)
FAMILY = select(
    _family.union(
        select(accounts.c.id).join(_family, accounts.c.merged_into_id == _family.c.id)
    ).c.id
)
"""The ids of a customer, `account_id`, and all that were merged into it, directly or not."""


async def family(conn: AsyncConnection, account_id: int) -> list[int]:
    """The same, of a customer that exists, first itself."""
    found = await conn.execute(FAMILY, {"account_id": account_id})
    return [account_id, *(one for one in found.scalars() if one != account_id)]


def _references() -> Iterator[tuple[Table, Column[Any]]]:
    """Whatever names a customer and is no entry of the stream."""
    for table in metadata.sorted_tables:
        if table.name not in _STAYS:
            for column in table.columns:
                if column.references(accounts.c.id):
                    yield table, column


def _keys(table: Table, column: Column[Any]) -> list[Column[Any]]:
    """What tells the rows of one customer apart."""
    return [key for key in table.primary_key.columns if key is not column]


def _has_twin(table: Table, column: Column[Any], into_id: int) -> ColumnElement[bool]:
    """Whether the survivor has a row that may be there only once."""
    twin = table.alias()
    unique = [
        list(constraint.columns)
        for constraint in (table.primary_key, *table.constraints)
        if isinstance(constraint, UniqueConstraint) or constraint is table.primary_key
    ]
    found = [
        select(*(twin.c[name.name] for name in columns))
        .where(
            twin.c[column.name] == into_id,
            *(twin.c[other.name] == other for other in columns if other is not column),
        )
        .exists()
        for columns in unique
        if column in columns
    ]
    return or_(*found) if found else column.is_(None)


def _to_merge(row: AnyRow) -> Merge:
    return Merge(**row._mapping)
