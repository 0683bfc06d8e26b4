"""Whom the ERPs know, and which customers of ours those are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, case, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.customer_master import Reason
from bot.domain.erp import ErpCustomer
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import erp_customers

NEW = "new"  # not compared yet with who is here
PROPOSED = "proposed"  # may be `proposed_id`: somebody is to say
UNLIKE = "unlike"  # nobody of ours is like it: somebody is to say
LINKED = "linked"
DROPPED = "dropped"  # somebody has said that it is none of ours

_TOLD = ("name", "credit_code", "phone", "active")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whom of ours it may be. account_id: None for nobody. score: percent."""

    account_id: int | None = None
    score: int = 0
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """A customer of an ERP on record. account_id: of ours, None while nobody has said."""

    id: int
    system: str
    told: ErpCustomer
    state: str
    account_id: int | None
    proposal: Proposal
    revision: int


class ErpCustomerLinks:
    """Repository of the ERPs' customers and whose of ours they are, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def known(self, system: str, codes: Collection[str]) -> dict[str, StoredCustomer]:
        """By code, of those asked for."""
        found: dict[str, StoredCustomer] = {}
        for chunk in in_chunks(codes):
            rows = await self._list(
                erp_customers.c.system == system, erp_customers.c.code.in_(chunk)
            )
            found |= {one.told.code: one for one in rows}
        return found

    async def get(self, customer_id: int) -> StoredCustomer | None:
        found = await self._list(erp_customers.c.id == customer_id)
        return found[0] if found else None

    async def by_code(self, code: str) -> Sequence[StoredCustomer]:
        """In all systems."""
        return await self._list(erp_customers.c.code == code)

    async def of_account(self, account_id: int) -> Sequence[StoredCustomer]:
        """The oldest first; an ERP may have a customer of ours twice."""
        return await self._list(erp_customers.c.account_id == account_id)

    async def codes_of(self, system: str, account_ids: Collection[int]) -> dict[int, str]:
        """account -> its code there; of several the oldest that is in use."""
        found: dict[int, str] = {}
        for chunk in in_chunks(account_ids):
            rows = await self._list(
                erp_customers.c.system == system, erp_customers.c.account_id.in_(chunk)
            )
            for one in sorted(rows, key=lambda row: not row.told.active):
                if one.account_id is not None:
                    found.setdefault(one.account_id, one.told.code)
        return found

    async def put(self, system: str, told: ErpCustomer, *, at: datetime) -> StoredCustomer:
        """What the ERP says now. Whom somebody linked it to stays, and so does what was dropped;
        else it is to be compared anew."""
        facts = {name: getattr(told, name) for name in _TOLD}
        insert = insert_into(self._conn, erp_customers).values(
            system=system, code=told.code, state=NEW, score=0, reasons=[], revision=1,
            first_told_at=at, **facts,
        )  # fmt: skip
        state = case((_OPEN, NEW), else_=erp_customers.c.state)
        kept = await self._conn.execute(
            insert.on_conflict_do_update(
                index_elements=[erp_customers.c.system, erp_customers.c.code],
                set_={**facts, "state": state, "revision": erp_customers.c.revision + 1},
            ).returning(erp_customers)
        )
        return _to_stored(kept.one())

    async def uncompared(self, *, limit: int) -> Sequence[StoredCustomer]:
        """The oldest that were told, or told otherwise, since they were last compared."""
        return await self._open(NEW, limit=limit)

    async def propose(self, customer_id: int, proposal: Proposal) -> None:
        """What comparing an open one came to."""
        await self._conn.execute(
            update(erp_customers)
            .where(erp_customers.c.id == customer_id, _OPEN)
            .values(
                proposed_id=proposal.account_id,
                score=proposal.score,
                reasons=[str(reason) for reason in proposal.reasons],
                state=UNLIKE if proposal.account_id is None else PROPOSED,
            )
        )

    async def link(
        self, customer_id: int, account_id: int, *, by: int | None, at: datetime
    ) -> bool:
        """Say which customer of ours it is. False when somebody was faster."""
        changed = await self._conn.execute(
            update(erp_customers)
            .where(erp_customers.c.id == customer_id, erp_customers.c.account_id.is_(None))
            .values(account_id=account_id, state=LINKED, decided_by=by, decided_at=at)
        )
        return bool(changed.rowcount)

    async def unlink(self, customer_id: int, *, by: int, at: datetime) -> bool:
        """It is nobody's again, and not proposed unasked. False when it was nobody's."""
        changed = await self._conn.execute(
            update(erp_customers)
            .where(erp_customers.c.id == customer_id, erp_customers.c.account_id.is_not(None))
            .values(account_id=None, state=DROPPED, decided_by=by, decided_at=at)
        )
        return bool(changed.rowcount)

    async def drop(self, customer_id: int, *, by: int, at: datetime) -> bool:
        """It is none of ours. False when somebody was faster."""
        changed = await self._conn.execute(
            update(erp_customers)
            .where(erp_customers.c.id == customer_id, _OPEN)
            .values(state=DROPPED, decided_by=by, decided_at=at)
        )
        return bool(changed.rowcount)

    async def proposed(self, *, limit: int) -> Sequence[StoredCustomer]:
        """In use there, the surest proposals first."""
        return await self._open(PROPOSED, erp_customers.c.active, limit=limit)

    async def of_same_code(self, *, limit: int) -> tuple[Sequence[StoredCustomer], int]:
        """Proposals that rest on the unified credit code; and how many there are."""
        named = cast(erp_customers.c.reasons, String).contains(f'"{Reason.CREDIT_CODE}"')
        which = (
            erp_customers.c.state == PROPOSED, erp_customers.c.account_id.is_(None),
            erp_customers.c.active, named,
        )  # fmt: skip
        count = await self._conn.scalar(
            select(func.count()).select_from(erp_customers).where(*which)
        )
        return await self._open(PROPOSED, *which, limit=limit), int(count or 0)

    async def unlike(self, *, limit: int) -> Sequence[StoredCustomer]:
        """In use there, and like nobody of ours; the oldest first."""
        return await self._open(UNLIKE, erp_customers.c.active, limit=limit)

    async def counts(self) -> Mapping[str, int]:
        """state -> how many that are open and in use."""
        query = (
            select(erp_customers.c.state, func.count().label("many"))
            .where(erp_customers.c.account_id.is_(None), erp_customers.c.active)
            .group_by(erp_customers.c.state)
        )
        return {row.state: row.many for row in await self._conn.execute(query)}

    async def _open(
        self, state: str, *which: ColumnElement[bool], limit: int
    ) -> Sequence[StoredCustomer]:
        query = (
            select(erp_customers)
            .where(erp_customers.c.state == state, erp_customers.c.account_id.is_(None), *which)
            .order_by(erp_customers.c.score.desc(), erp_customers.c.id)
            .limit(limit)
        )
        return [_to_stored(row) for row in await self._conn.execute(query)]

    async def _list(self, *which: ColumnElement[bool]) -> list[StoredCustomer]:
        query = select(erp_customers).where(*which).order_by(erp_customers.c.id)
        return [_to_stored(row) for row in await self._conn.execute(query)]


_OPEN = erp_customers.c.state.in_([NEW, PROPOSED, UNLIKE])


def _to_stored(row: AnyRow) -> StoredCustomer:
    return StoredCustomer(
        id=row.id,
        system=row.system,
        told=ErpCustomer(row.code, row.name, row.credit_code, row.phone, row.active),
        state=row.state,
        account_id=row.account_id,
        proposal=Proposal(row.proposed_id, row.score, tuple(Reason(one) for one in row.reasons)),
        revision=row.revision,
    )
