"""Contracts on record, what came in for them, and which are due to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.receivables import HOME_CURRENCY, Contract, ContractTerms
from bot.errors import NotFound
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import contracts, erp_receipts

_STANDS = contracts.c.withdrawn_at.is_(None)

MOST_AT_ONCE = 200
"""Contracts looked at in one tick; the next one goes on."""


class Contracts:
    """Contracts, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, contract_id: int) -> Contract:
        """Raises NotFound."""
        found = await self._list(contracts.c.id == contract_id)
        if not found:
            raise NotFound("没有这份合同。")
        return found[0]

    async def find(self, number: str) -> Contract | None:
        found = await self._list(contracts.c.number == number)
        return found[0] if found else None

    async def number_of(self, contract_id: int) -> str:
        """Also of one that was taken off the record; "" where there is none."""
        found = await self._conn.scalar(
            select(contracts.c.number).where(contracts.c.id == contract_id)
        )
        return found or ""

    async def of_account(self, account_id: int) -> Sequence[Contract]:
        return await self._list(contracts.c.account_id == account_id)

    async def of_accounts(self, account_ids: Iterable[int]) -> list[Contract]:
        found: list[Contract] = []
        for chunk in in_chunks(account_ids):
            found += await self._list(contracts.c.account_id.in_(chunk))
        return found

    async def list_all(self) -> Sequence[Contract]:
        return await self._list(true())

    async def latest(self, *, limit: int) -> Sequence[Contract]:
        """Those that were recorded last."""
        query = select(contracts).where(_STANDS).order_by(contracts.c.id.desc()).limit(limit)
        return [_to_contract(row) for row in await self._conn.execute(query)]

    async def add(
        self,
        terms: ContractTerms,
        *,
        account_id: int,
        recorded_by: int | None,
        at: datetime,
        check_at: datetime | None,
    ) -> Contract | None:
        """None when the number is on record already; one that was taken off it comes back under
        its id. check_at: see `look_again`."""
        values = {
            "account_id": account_id,
            "amount_fen": terms.amount_fen,
            "signed_on": terms.signed_on,
            "prepayment_fen": terms.prepayment_fen,
            "prepayment_due_on": terms.prepayment_due_on,
            "post_paid": terms.post_paid,
            "recorded_by": recorded_by,
            "recorded_at": at,
            "check_at": check_at,
            "withdrawn_at": None,
        }
        added = await self._conn.execute(
            insert_into(self._conn, contracts)
            .values(number=terms.number, **values)
            .on_conflict_do_update(index_elements=[contracts.c.number], set_=values, where=~_STANDS)
            .returning(contracts)
        )
        row = added.one_or_none()
        return None if row is None else _to_contract(row)

    async def change(
        self, contract_id: int, terms: ContractTerms, *, check_at: datetime | None
    ) -> None:
        """Other terms under the same number. check_at: see `look_again`."""
        await self._conn.execute(
            update(contracts)
            .where(contracts.c.id == contract_id)
            .values(
                amount_fen=terms.amount_fen,
                signed_on=terms.signed_on,
                prepayment_fen=terms.prepayment_fen,
                prepayment_due_on=terms.prepayment_due_on,
                post_paid=terms.post_paid,
                check_at=check_at,
            )
        )

    async def withdraw(self, contract_id: int, *, at: datetime) -> None:
        """Off the record: nobody finds it, and its payment is looked for no more."""
        await self._conn.execute(
            update(contracts)
            .where(contracts.c.id == contract_id)
            .values(withdrawn_at=at, check_at=None)
        )

    async def look_again(self, contract_id: int, check_at: datetime | None) -> None:
        """Look at its payment then; None: no more, until something changes."""
        await self._conn.execute(
            update(contracts).where(contracts.c.id == contract_id).values(check_at=check_at)
        )

    async def to_check(self, until: datetime) -> Sequence[Contract]:
        """Those whose payment must have come by then, the longest due first."""
        query = (
            select(contracts)
            .where(contracts.c.check_at.is_not(None), contracts.c.check_at <= until)
            .order_by(contracts.c.check_at, contracts.c.id)
            .limit(MOST_AT_ONCE)
        )
        return [_to_contract(row) for row in await self._conn.execute(query)]

    async def next_check_at(self) -> datetime | None:
        query = select(func.min(contracts.c.check_at)).where(contracts.c.check_at.is_not(None))
        moment: datetime | None = (await self._conn.execute(query)).scalar()
        return moment

    async def received(self, contract_ids: Iterable[int]) -> dict[int, int]:
        """contract id -> fen that came in, less reversals; other currencies are no amount."""
        found = dict.fromkeys(contract_ids, 0)
        for chunk in in_chunks(found):
            query = (
                select(erp_receipts.c.contract_id, func.sum(erp_receipts.c.amount_fen).label("fen"))
                .where(
                    erp_receipts.c.contract_id.in_(chunk),
                    erp_receipts.c.currency == HOME_CURRENCY,
                )
                .group_by(erp_receipts.c.contract_id)
            )
            found |= {row.contract_id: int(row.fen) for row in await self._conn.execute(query)}
        return found

    async def _list(self, which: ColumnElement[bool]) -> list[Contract]:
        query = (
            select(contracts).where(which, _STANDS).order_by(contracts.c.signed_on, contracts.c.id)
        )
        return [_to_contract(row) for row in await self._conn.execute(query)]


def _to_contract(row: AnyRow) -> Contract:
    return Contract(
        id=row.id,
        account_id=row.account_id,
        terms=ContractTerms(
            number=row.number,
            amount_fen=row.amount_fen,
            signed_on=row.signed_on,
            prepayment_fen=row.prepayment_fen,
            prepayment_due_on=row.prepayment_due_on,
            post_paid=row.post_paid,
        ),
        recorded_at=row.recorded_at,
    )
