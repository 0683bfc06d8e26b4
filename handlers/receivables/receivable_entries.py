"""What happens to a contract stands in its customer's stream, beside all else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from bot.domain.receivables import Contract, Receipt
from handlers.desk import Office
from handlers.erp.erp_entries import enter
from handlers.texts import receivables as texts
from storage.unit_of_work import UnitOfWork

READ = "read"
"""The slot of an entry that keeps what a machine read on a contract."""


async def enter_receipt(
    tx: UnitOfWork,
    office: Office,
    contract: Contract,
    receipt: Receipt,
    *,
    system: str,
    at: datetime,
) -> None:
    """A line that is told again with another amount is another entry."""
    day = office.calendar.moment(receipt.received_on, time.min)
    await enter(
        tx,
        contract.account_id,
        texts.receipt_title(receipt),
        texts.receipt_entry(receipt, contract.terms.number),
        occurred_at=min(day, at),
        at=at,
        key=f"erp:{system}:{receipt.number}:{receipt.line}:{receipt.amount_fen}",
    )


async def enter_review(
    tx: UnitOfWork, contract: Contract, text: str, at: datetime, *, key: str, by: int | None = None
) -> None:
    """A review was opened or has ended."""
    await enter(
        tx,
        contract.account_id,
        texts.REVIEW_ENTRY,
        text,
        occurred_at=at,
        at=at,
        key=f"review:{key}",
        by=by,
    )


async def enter_contract(
    tx: UnitOfWork,
    contract: Contract,
    at: datetime,
    *,
    by: int,
    source: str,
    amends: bool = False,
    sha256: str = "",
    read: Mapping[str, object] | None = None,
) -> None:
    """A contract came on record, or (amends) got other terms. source: the delivery that brought it.
    sha256: of the file it was read from; read: what a machine made of it, as evidence packs have
    it."""
    title = texts.AMENDMENT_ENTRY if amends else texts.CONTRACT_ENTRY
    text = texts.contract_entry(contract.terms)
    key = f"contract:{contract.id}:{source}"
    files = (sha256,) if sha256 else ()
    slots = {READ: dict(read)} if read else {}
    await enter(
        tx,
        contract.account_id,
        title,
        text,
        occurred_at=at,
        at=at,
        key=key,
        by=by,
        files=files,
        slots=slots,
    )
