"""What happens to a contract stands in its customer's stream, beside all else."""

from __future__ import annotations

from datetime import datetime, time

from bot.domain.activities import Activity
from bot.domain.receivables import Contract, Receipt
from handlers.desk import Office
from handlers.texts import receivables as texts
from storage.unit_of_work import UnitOfWork


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
    await _enter(
        tx,
        contract,
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
    await _enter(
        tx, contract, texts.REVIEW_ENTRY, text, occurred_at=at, at=at, key=f"review:{key}", by=by
    )


async def enter_contract(
    tx: UnitOfWork, contract: Contract, at: datetime, *, by: int, amended_by: str = ""
) -> None:
    """A contract came on record. amended_by: the delivery that changed its terms."""
    title = texts.AMENDMENT_ENTRY if amended_by else texts.CONTRACT_ENTRY
    text = texts.contract_entry(contract.terms)
    key = f"contract:{contract.id}:{amended_by}"
    await _enter(tx, contract, title, text, occurred_at=at, at=at, key=key, by=by)


async def _enter(
    tx: UnitOfWork,
    contract: Contract,
    title: str,
    text: str,
    *,
    occurred_at: datetime,
    at: datetime,
    key: str,
    by: int | None = None,
) -> None:
    """Known by `key`: the same news again is no second entry."""
    await tx.activities.add(
        Activity(
            id=0,
            account_id=contract.account_id,
            opportunity_id=None,
            actor_id=by,
            unit="",
            title=title,
            text=text,
            occurred_at=occurred_at,
            recorded_at=at,
            source_id=key,
        )
    )
