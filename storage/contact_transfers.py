"""Contacts that are to be another member's: asked for here, carried out by the platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import AnyRow, in_chunks
from storage.tables import contact_transfers

CONTACT, GROUP = "contact", "group"


class TransferState(StrEnum):
    """How far a transfer of a contact is."""

    ASKED = "asked"  # not yet told to the platform
    SENT = "sent"  # the platform carries it out within a day, unless the customer refuses
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A contact that is to be another member's. has_left: whether the member it is taken from has
    left, for whom the platform has calls of its own. due_at: when to go on with it; None: it is
    over. kind: CONTACT, or GROUP, whose external_id is the chat's."""

    id: int
    platform: str
    external_id: str
    from_user: str
    to_user: str
    has_left: bool
    asked_by: int
    asked_at: datetime
    state: TransferState = TransferState.ASKED
    reason: str = ""
    due_at: datetime | None = None
    kind: str = CONTACT


_COLUMNS = [contact_transfers.c[field.name] for field in fields(Transfer)]


class ContactTransfers:
    """Repository of transfers of contacts, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def ask(self, transfers: Iterable[Transfer]) -> int:
        """How many; whoever is on the way already is passed over."""
        rows = [
            {field.name: getattr(one, field.name) for field in fields(Transfer)}
            for one in transfers
        ]
        underway: set[tuple[str, str, str]] = set()
        for chunk in in_chunks(row["external_id"] for row in rows):
            known = await self._conn.execute(
                select(*_COLUMNS).where(
                    contact_transfers.c.external_id.in_(chunk),
                    contact_transfers.c.due_at.is_not(None),
                )
            )
            underway |= {(row.platform, row.external_id, row.from_user) for row in known}
        fresh = [
            {key: value for key, value in row.items() if key != "id"}
            for row in rows
            if (row["platform"], row["external_id"], row["from_user"]) not in underway
        ]
        if fresh:
            await self._conn.execute(insert(contact_transfers), fresh)
        return len(fresh)

    async def due(self, platforms: Iterable[str], *, at: datetime, limit: int) -> list[Transfer]:
        rows = await self._conn.execute(
            select(*_COLUMNS)
            .where(
                contact_transfers.c.due_at <= at,
                contact_transfers.c.platform.in_(sorted(platforms)),
            )
            .order_by(contact_transfers.c.due_at, contact_transfers.c.id)
            .limit(limit)
        )
        return [_to_transfer(row) for row in rows]

    async def next_at(self, platforms: Iterable[str]) -> datetime | None:
        found: datetime | None = await self._conn.scalar(
            select(func.min(contact_transfers.c.due_at)).where(
                contact_transfers.c.due_at.is_not(None),
                contact_transfers.c.platform.in_(sorted(platforms)),
            )
        )
        return found

    async def underway(self, platform: str, external_id: str) -> list[Transfer]:
        rows = await self._conn.execute(
            select(*_COLUMNS).where(
                contact_transfers.c.platform == platform,
                contact_transfers.c.external_id == external_id,
                contact_transfers.c.due_at.is_not(None),
            )
        )
        return [_to_transfer(row) for row in rows]

    async def set(
        self,
        transfer_ids: Iterable[int],
        state: TransferState,
        *,
        due_at: datetime | None = None,
        reason: str = "",
    ) -> None:
        for chunk in in_chunks(transfer_ids):
            await self._conn.execute(
                update(contact_transfers)
                .where(contact_transfers.c.id.in_(chunk))
                .values(state=str(state), due_at=due_at, reason=reason[:200])
            )


def _to_transfer(row: AnyRow) -> Transfer:
    return Transfer(**row._asdict() | {"state": TransferState(row.state)})
