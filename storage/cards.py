"""What each card of ours shows now, and what we await in a chat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into
from storage.tables import cards, dialogs


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as last sent or updated. subject: what it is about, e.g. "draft:12".
    address: `Address.key` of its chat. state: "open" or "closed". data: JSON values."""

    card_id: str
    revision: int
    subject: str
    address: str
    state: str
    data: dict[str, Any]
    updated_at: datetime


class Cards:
    """Cards by their id, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def put(
        self,
        card_id: str,
        *,
        revision: int,
        subject: str,
        address: str,
        state: str,
        data: dict[str, Any],
        at: datetime,
    ) -> None:
        """Remember what it shows now."""
        values = {
            "revision": revision,
            "subject": subject,
            "address": address,
            "state": state,
            "data": data,
            "updated_at": at,
        }
        await self._conn.execute(
            insert_into(self._conn, cards)
            .values(card_id=card_id, **values)
            .on_conflict_do_update(index_elements=[cards.c.card_id], set_=values)
        )

    async def get(self, card_id: str) -> ShownCard | None:
        rows = await self._conn.execute(select(cards).where(cards.c.card_id == card_id))
        row = rows.one_or_none()
        return None if row is None else ShownCard(**row._mapping)


class Dialogs:
    """What we await from one person in one chat, beside drafts; inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, conversation: str, person_id: int) -> dict[str, Any] | None:
        state: dict[str, Any] | None = await self._conn.scalar(
            select(dialogs.c.state).where(*_of(conversation, person_id))
        )
        return state

    async def put(
        self, conversation: str, person_id: int, state: dict[str, Any], at: datetime
    ) -> None:
        values = {"state": state, "updated_at": at}
        await self._conn.execute(
            insert_into(self._conn, dialogs)
            .values(conversation=conversation, person_id=person_id, **values)
            .on_conflict_do_update(
                index_elements=[dialogs.c.conversation, dialogs.c.person_id], set_=values
            )
        )

    async def clear(self, conversation: str, person_id: int) -> None:
        await self._conn.execute(delete(dialogs).where(*_of(conversation, person_id)))


def _of(conversation: str, person_id: int) -> tuple[Any, Any]:
    return dialogs.c.conversation == conversation, dialogs.c.person_id == person_id
