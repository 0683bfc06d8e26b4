"""What an ERP tells of a customer stands in the customer's stream, each news once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain.activities import Activity, Grade
from storage.unit_of_work import UnitOfWork


async def enter(
    tx: UnitOfWork,
    account_id: int,
    title: str,
    text: str,
    *,
    occurred_at: datetime,
    at: datetime,
    key: str,
    by: int | None = None,
    opportunity_id: int | None = None,
    files: tuple[str, ...] = (),
    slots: Mapping[str, object] | None = None,
) -> None:
    """Known by `key`: the same news again is no second entry. by: who did it, None for the
    ERP."""
    await tx.activities.add(
        Activity(
            id=0,
            account_id=account_id,
            opportunity_id=opportunity_id,
            actor_id=by,
            unit="",
            title=title,
            text=text,
            occurred_at=occurred_at,
            recorded_at=at,
            source_id=key,
            file_hashes=files,
            slots=dict(slots or {}),
            grade=Grade.FILE_ATTACHED if files else Grade.SELF_REPORTED,
        )
    )
