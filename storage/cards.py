"""What each card of ours shows now, and what we await in a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Card
from storage.dialects import prepared_insert
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.tables import cards, dialogs

_SHOWN = ("revision", "subject", "address", "state", "data", "updated_at")
_PUT = prepared_insert(
    cards,
    lambda new: new.on_conflict_do_update(
        index_elements=[cards.c.card_id], set_={name: new.excluded[name] for name in _SHOWN}
    ),
    unread=True,
)
_GET = prepared(select(cards).where(cards.c.card_id == bindparam("key")))
_PUT_STATE = prepared_insert(
    dialogs,
    lambda new: new.on_conflict_do_update(
        index_elements=[dialogs.c.conversation, dialogs.c.person_id],
        set_={name: new.excluded[name] for name in ("state", "updated_at")},
    ),
    unread=True,
)
_GET_STATE = prepared(
    select(dialogs.c.state).where(
        dialogs.c.conversation == bindparam("conversation"),
        dialogs.c.person_id == bindparam("person_id"),
    )
)


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


_COLUMNS = tuple(field.name for field in fields(ShownCard))


def _row(shown: ShownCard) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in _COLUMNS}


class Cards:
    """Repository of our cards, by their id, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def show(
        self,
        card: Card,
        address: str,
        *,
        subject: str,
        at: datetime,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Remember a card as it is sent, or shown in place of what stands under its id. address:
        `Address.key` of its chat. data: JSON values that a press on it will need."""
        state = "closed" if card.closed else "open"
        await self.put(
            ShownCard(card.card_id, card.revision, subject, address, state, data or {}, at)
        )

    async def close(self, shown: ShownCard, *, data: dict[str, Any], at: datetime) -> None:
        """No press on it acts any more; what it shows stays as it is."""
        await self.put(replace(shown, state="closed", data=data, updated_at=at))

    async def put(self, shown: ShownCard) -> None:
        """Remember what it shows now."""
        await self._conn.execute(_PUT(self._conn), _row(shown))

    async def put_all(self, shown: Sequence[ShownCard]) -> None:
        """The same of many."""
        if shown:
            await self._conn.execute(_PUT(self._conn), [_row(card) for card in shown])

    async def get(self, card_id: str) -> ShownCard | None:
        rows = await self._conn.execute(_GET, {"key": card_id})
        row = rows.one_or_none()
        return None if row is None else ShownCard(**row._asdict())


class Dialogs:
    """What we await from one person in one chat, beside drafts; inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self.states: dict[tuple[str, int], dict[str, Any] | None] = memory_of(conn, dialogs)

    async def get(self, conversation: str, person_id: int) -> dict[str, Any] | None:
        chat = conversation, person_id
        if chat not in self.states:
            key = {"conversation": conversation, "person_id": person_id}
            self.states[chat] = await self._conn.scalar(_GET_STATE, key)
        return self.states[chat]

    async def put(
        self, conversation: str, person_id: int, state: dict[str, Any], at: datetime
    ) -> None:
        values = {
            "conversation": conversation,
            "person_id": person_id,
            "state": state,
            "updated_at": at,
        }
        await self._conn.execute(_PUT_STATE(self._conn), values)

    async def clear(self, conversation: str, person_id: int) -> None:
        await self._conn.execute(
            delete(dialogs).where(
                dialogs.c.conversation == conversation, dialogs.c.person_id == person_id
            )
        )
