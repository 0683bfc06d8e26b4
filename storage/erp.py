"""What the ERPs told us: receipts, each once, and up to when they have told everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.receivables import HOME_CURRENCY, Receipt
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import contracts, erp_bookmarks, erp_receipts

RECEIPTS, CUSTOMERS, ORDERS = "receipts", "customers", "orders"
"""What an ERP tells everything of up to some moment; see `known_until`."""

_TOLD = ("contract_number", "amount_fen", "currency", "received_on", "payer")


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt line on record. contract_id: None while nobody knows which it pays."""

    id: int
    system: str
    contract_id: int | None
    receipt: Receipt


class ErpReceipts:
    """Receipt lines and bookmarks, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def put(
        self, system: str, lines: Sequence[tuple[Receipt, int | None]], *, at: datetime
    ) -> None:
        """Receipt lines, each with the contract it pays. A known one takes what the ERP says
        now; whom finance matched it to stays, where the ERP names no contract of ours."""
        rows = [
            {
                "system": system,
                "number": receipt.number,
                "line": receipt.line,
                "contract_id": contract_id,
                "first_told_at": at,
                **_told(receipt),
            }
            for receipt, contract_id in lines
        ]
        if not rows:
            return
        insert = insert_into(self._conn, erp_receipts)
        told = {name: insert.excluded[name] for name in _TOLD}
        matched = func.coalesce(insert.excluded.contract_id, erp_receipts.c.contract_id)
        await self._conn.execute(
            insert.on_conflict_do_update(
                index_elements=[
                    erp_receipts.c.system, erp_receipts.c.number, erp_receipts.c.line,
                ],
                set_={**told, "contract_id": matched},
            ),
            rows,
        )  # fmt: skip

    async def known(
        self, system: str, numbers: Collection[str]
    ) -> dict[tuple[str, str], StoredReceipt]:
        """(number, line) -> what is on record of those receipts."""
        found: dict[tuple[str, str], StoredReceipt] = {}
        for chunk in in_chunks(numbers):
            query = select(erp_receipts).where(
                erp_receipts.c.system == system, erp_receipts.c.number.in_(chunk)
            )
            for row in await self._conn.execute(query):
                found[row.number, row.line] = _to_receipt(row)
        return found

    async def contract_ids(self, numbers: Collection[str]) -> dict[str, int]:
        """contract number -> id, of those on record."""
        found: dict[str, int] = {}
        for chunk in in_chunks(numbers):
            query = select(contracts.c.number, contracts.c.id).where(
                contracts.c.number.in_(chunk), contracts.c.withdrawn_at.is_(None)
            )
            found |= {row.number: row.id for row in await self._conn.execute(query)}
        return found

    async def claim(self, contract_number: str, contract_id: int) -> Sequence[StoredReceipt]:
        """A contract comes on record: lines in our currency that named it are its own."""
        changed = await self._conn.execute(
            update(erp_receipts)
            .where(
                erp_receipts.c.contract_id.is_(None),
                erp_receipts.c.contract_number == contract_number,
                erp_receipts.c.currency == HOME_CURRENCY,
            )
            .values(contract_id=contract_id)
            .returning(erp_receipts)
        )
        return [_to_receipt(row) for row in changed]

    async def match(self, receipt_id: int, contract_id: int) -> StoredReceipt | None:
        """Say which contract an open line pays. None when somebody was faster."""
        changed = await self._conn.execute(
            update(erp_receipts)
            .where(erp_receipts.c.id == receipt_id, erp_receipts.c.contract_id.is_(None))
            .values(contract_id=contract_id)
            .returning(erp_receipts)
        )
        row = changed.one_or_none()
        return None if row is None else _to_receipt(row)

    async def get(self, receipt_id: int) -> StoredReceipt | None:
        query = select(erp_receipts).where(erp_receipts.c.id == receipt_id)
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_receipt(row)

    async def open_lines(self, number: str) -> Sequence[StoredReceipt]:
        """The lines of that receipt which are matched to nothing."""
        query = (
            select(erp_receipts)
            .where(erp_receipts.c.number == number, erp_receipts.c.contract_id.is_(None))
            .order_by(erp_receipts.c.id)
        )
        return [_to_receipt(row) for row in await self._conn.execute(query)]

    async def unmatched(self, *, limit: int) -> tuple[Sequence[StoredReceipt], int]:
        """Open lines in our currency first, then the oldest; and how many there are."""
        is_open = erp_receipts.c.contract_id.is_(None) & (erp_receipts.c.amount_fen != 0)
        foreign = erp_receipts.c.currency != HOME_CURRENCY
        query = (
            select(erp_receipts).where(is_open).order_by(foreign, erp_receipts.c.id).limit(limit)
        )
        count = await self._conn.execute(
            select(func.count()).select_from(erp_receipts).where(is_open)
        )
        rows = await self._conn.execute(query)
        return [_to_receipt(row) for row in rows], int(count.scalar_one())

    async def in_other_currencies(self, contract_id: int) -> Sequence[StoredReceipt]:
        query = select(erp_receipts).where(
            erp_receipts.c.contract_id == contract_id,
            erp_receipts.c.currency != HOME_CURRENCY,
        )
        return [_to_receipt(row) for row in await self._conn.execute(query)]

    async def known_until(self, kind: str = RECEIPTS) -> Mapping[str, datetime]:
        """system -> up to when it has told us everything of that kind; without those that never
        did."""
        query = select(erp_bookmarks).where(erp_bookmarks.c.kind == kind)
        return {row.system: row.known_until for row in await self._conn.execute(query)}

    async def move_bookmark(self, system: str, known_until: datetime, kind: str = RECEIPTS) -> None:
        """Only forward: deliveries overtake each other."""
        insert = insert_into(self._conn, erp_bookmarks).values(
            system=system, kind=kind, known_until=known_until
        )
        await self._conn.execute(
            insert.on_conflict_do_update(
                index_elements=[erp_bookmarks.c.system, erp_bookmarks.c.kind],
                set_={"known_until": known_until},
                where=erp_bookmarks.c.known_until < known_until,
            )
        )


def _told(receipt: Receipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in _TOLD}


def _to_receipt(row: AnyRow) -> StoredReceipt:
    return StoredReceipt(
        id=row.id,
        system=row.system,
        contract_id=row.contract_id,
        receipt=Receipt(
            number=row.number,
            line=row.line,
            contract_number=row.contract_number,
            amount_fen=row.amount_fen,
            currency=row.currency,
            received_on=row.received_on,
            payer=row.payer,
        ),
    )
