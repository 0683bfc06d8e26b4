"""Sales orders as the ERPs tell them, each once, and whose they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.erp import STANDING, ErpOrder, OrderStatus
from bot.domain.receivables import HOME_CURRENCY
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import erp_orders

_TOLD = tuple(field.name for field in fields(ErpOrder))


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose an order is, as far as that is known."""

    account_id: int | None = None
    contract_id: int | None = None
    opportunity_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order on record. revision: how often the ERP told it anew."""

    id: int
    system: str
    order: ErpOrder
    whose: Whose
    revision: int


class ErpOrderRows:
    """Repository of the ERPs' sales orders, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def known(self, system: str, numbers: Collection[str]) -> dict[str, StoredOrder]:
        """By number, of those asked for."""
        found: dict[str, StoredOrder] = {}
        for chunk in in_chunks(numbers):
            rows = await self._list(erp_orders.c.system == system, erp_orders.c.number.in_(chunk))
            found |= {one.order.number: one for one in rows}
        return found

    async def put(self, system: str, order: ErpOrder, whose: Whose, *, at: datetime) -> StoredOrder:
        """What the ERP says now, and whose it is."""
        values = {
            **{name: getattr(order, name) for name in _TOLD},
            "status": str(order.status),
            **_whose(whose),
        }
        insert = insert_into(self._conn, erp_orders).values(
            system=system, revision=1, first_told_at=at, **values
        )
        kept = await self._conn.execute(
            insert.on_conflict_do_update(
                index_elements=[erp_orders.c.system, erp_orders.c.number],
                set_={**values, "revision": erp_orders.c.revision + 1},
            ).returning(erp_orders)
        )
        return _to_stored(kept.one())

    async def assign(self, order_id: int, whose: Whose) -> StoredOrder | None:
        """Say whose an open order is. None when somebody was faster."""
        changed = await self._conn.execute(
            update(erp_orders)
            .where(erp_orders.c.id == order_id, erp_orders.c.account_id.is_(None))
            .values(**_whose(whose))
            .returning(erp_orders)
        )
        row = changed.one_or_none()
        return None if row is None else _to_stored(row)

    async def get(self, order_id: int) -> StoredOrder | None:
        found = await self._list(erp_orders.c.id == order_id)
        return found[0] if found else None

    async def open_numbered(self, number: str) -> Sequence[StoredOrder]:
        """Nobody's orders of that number, in all systems."""
        return await self._list(erp_orders.c.number == number, erp_orders.c.account_id.is_(None))

    async def open_of_code(self, system: str, code: str) -> Sequence[StoredOrder]:
        """Nobody's orders of a customer of the ERP."""
        return await self._list(
            erp_orders.c.customer_code == code,
            erp_orders.c.account_id.is_(None),
            erp_orders.c.system == system,
        )

    async def open_naming(self, contract_number: str) -> Sequence[StoredOrder]:
        """Orders that name this contract and are not of it yet."""
        return await self._list(
            erp_orders.c.contract_number == contract_number, erp_orders.c.contract_id.is_(None)
        )

    async def unmatched(self, *, limit: int) -> tuple[Sequence[StoredOrder], int]:
        """Standing orders that are nobody's, the newest first; and how many there are."""
        which = erp_orders.c.account_id.is_(None) & _STANDS
        query = select(erp_orders).where(which).order_by(erp_orders.c.id.desc()).limit(limit)
        count = select(func.count()).select_from(erp_orders).where(which)
        rows = await self._conn.execute(query)
        found = [_to_stored(row) for row in rows]
        return found, int((await self._conn.execute(count)).scalar_one())

    async def of_account(self, account_id: int, *, limit: int) -> tuple[Sequence[StoredOrder], int]:
        """The newest first; and how many there are."""
        which = erp_orders.c.account_id == account_id
        query = (
            select(erp_orders)
            .where(which)
            .order_by(erp_orders.c.ordered_on.desc(), erp_orders.c.id.desc())
            .limit(limit)
        )
        count = select(func.count()).select_from(erp_orders).where(which)
        rows = await self._conn.execute(query)
        found = [_to_stored(row) for row in rows]
        return found, int((await self._conn.execute(count)).scalar_one())

    async def ordered_contracts(self, contract_ids: Collection[int]) -> set[int]:
        """Those of them for which a standing order is on record."""
        found: set[int] = set()
        for chunk in in_chunks(contract_ids):
            query = select(erp_orders.c.contract_id).where(
                erp_orders.c.contract_id.in_(chunk), _STANDS
            )
            found |= set((await self._conn.execute(query)).scalars())
        return found

    async def of_deals(self, opportunity_ids: Collection[int]) -> dict[int, list[tuple[date, int]]]:
        """deal -> (day, fen) of its standing orders in our currency that are of no contract."""
        found: dict[int, list[tuple[date, int]]] = {}
        for chunk in in_chunks(opportunity_ids):
            query = select(
                erp_orders.c.opportunity_id, erp_orders.c.ordered_on, erp_orders.c.amount_fen
            ).where(
                erp_orders.c.opportunity_id.in_(chunk),
                erp_orders.c.contract_id.is_(None),
                erp_orders.c.currency == HOME_CURRENCY,
                _STANDS,
            )
            for row in await self._conn.execute(query):
                found.setdefault(row.opportunity_id, []).append((row.ordered_on, row.amount_fen))
        return found

    async def _list(self, *which: ColumnElement[bool]) -> list[StoredOrder]:
        query = select(erp_orders).where(*which).order_by(erp_orders.c.id)
        return [_to_stored(row) for row in await self._conn.execute(query)]


_STANDS = erp_orders.c.status.in_(sorted(str(one) for one in STANDING))


def _whose(whose: Whose) -> dict[str, Any]:
    return {
        "account_id": whose.account_id,
        "contract_id": whose.contract_id,
        "opportunity_id": whose.opportunity_id,
    }


def _to_stored(row: AnyRow) -> StoredOrder:
    told = {name: getattr(row, name) for name in _TOLD}
    return StoredOrder(
        id=row.id,
        system=row.system,
        order=ErpOrder(**{**told, "status": OrderStatus(row.status)}),
        whose=Whose(row.account_id, row.contract_id, row.opportunity_id),
        revision=row.revision,
    )
