"""What the ERPs told us: receipts, each once, and up to when they have told everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.receivables import HOME_CURRENCY, Receipt
from storage.dialects import AnyRow, insert_into
from storage.tables import contracts, erp_bookmarks, erp_receipts

RECEIPTS = "receipts"


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
        self, system: str, receipt: Receipt, *, contract_id: int | None, at: datetime
    ) -> None:
        """A line that is known takes what the ERP says now; whom finance matched it to stays,
        where the ERP itself names no contract of ours."""
        told = {
            "contract_number": receipt.contract_number,
            "amount_fen": receipt.amount_fen,
            "currency": receipt.currency,
            "received_on": receipt.received_on,
            "payer": receipt.payer,
        }
        matched = {} if contract_id is None else {"contract_id": contract_id}
        await self._conn.execute(
            insert_into(self._conn, erp_receipts)
            .values(
                system=system,
                number=receipt.number,
                line=receipt.line,
                contract_id=contract_id,
                first_told_at=at,
                **told,
            )
            .on_conflict_do_update(
                index_elements=[
                    erp_receipts.c.system, erp_receipts.c.number, erp_receipts.c.line,
                ],
                set_={**told, **matched},
            )
        )  # fmt: skip

    async def find(self, system: str, number: str, line: str) -> StoredReceipt | None:
        query = select(erp_receipts).where(
            erp_receipts.c.system == system,
            erp_receipts.c.number == number,
            erp_receipts.c.line == line,
        )
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_receipt(row)

    async def contract_ids(self, numbers: Collection[str]) -> dict[str, int]:
        """contract number -> id, of those on record."""
        query = select(contracts.c.number, contracts.c.id).where(
            contracts.c.number.in_(sorted({number for number in numbers if number}))
        )
        return {row.number: row.id for row in await self._conn.execute(query)}

    async def claim(self, contract_number: str, contract_id: int) -> int:
        """A contract comes on record: lines in our currency that named it are its own; how
        many."""
        changed = await self._conn.execute(
            update(erp_receipts)
            .where(
                erp_receipts.c.contract_id.is_(None),
                erp_receipts.c.contract_number == contract_number,
                erp_receipts.c.currency == HOME_CURRENCY,
            )
            .values(contract_id=contract_id)
        )
        return changed.rowcount

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
        is_open = erp_receipts.c.contract_id.is_(None)
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

    async def known_until(self) -> Mapping[str, datetime]:
        """system -> up to when it has told us every receipt; without those that never did."""
        query = select(erp_bookmarks).where(erp_bookmarks.c.kind == RECEIPTS)
        return {row.system: row.known_until for row in await self._conn.execute(query)}

    async def move_bookmark(self, system: str, known_until: datetime) -> None:
        """Only forward: deliveries overtake each other."""
        insert = insert_into(self._conn, erp_bookmarks).values(
            system=system, kind=RECEIPTS, known_until=known_until
        )
        await self._conn.execute(
            insert.on_conflict_do_update(
                index_elements=[erp_bookmarks.c.system, erp_bookmarks.c.kind],
                set_={"known_until": known_until},
                where=erp_bookmarks.c.known_until < known_until,
            )
        )


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
