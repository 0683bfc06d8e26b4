"""Which customer a conversation belongs to, and since when by whose word.

A company has one corp on each platform, as for `identities`, so a platform and its id say which
conversation is meant, whichever application tells of it. A merge of customers points the
bindings at the one that stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bindings import BoundBy, ChatBinding, ChatKind
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import accounts, chat_bindings

_ROWS = 500
"""In one INSERT; eight parameters each, well below what a statement may have."""

_COLUMNS = [chat_bindings.c[field.name] for field in fields(ChatBinding)]
_HOLDS = chat_bindings.c.ended_at.is_(None)
_OF_CHAT = select(*_COLUMNS).where(
    _HOLDS,
    chat_bindings.c.platform == bindparam("platform"),
    chat_bindings.c.chat_key == bindparam("chat_key"),
)


class ChatBindings:
    """Repository of which customer a conversation belongs to, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def customer_of(self, platform: str, chat_key: str) -> int | None:
        """The customer that the conversation belongs to now; None for nobody's."""
        binding = await self.get(platform, chat_key)
        return binding.account_id if binding else None

    async def customers_of(self, platform: str, chat_keys: Iterable[str]) -> dict[str, int]:
        """chat key -> customer, of those that are bound now; a read for each 500."""
        found: dict[str, int] = {}
        for chunk in in_chunks(chat_keys):
            rows = await self._conn.execute(
                select(chat_bindings.c.chat_key, chat_bindings.c.account_id).where(
                    _HOLDS,
                    chat_bindings.c.platform == str(platform),
                    chat_bindings.c.chat_key.in_(chunk),
                )
            )
            found |= {row.chat_key: row.account_id for row in rows}
        return found

    async def get(self, platform: str, chat_key: str) -> ChatBinding | None:
        """The one that holds."""
        key = {"platform": str(platform), "chat_key": chat_key}
        row = (await self._conn.execute(_OF_CHAT, key)).one_or_none()
        return _to_binding(row) if row else None

    async def of_customer(self, account_id: int) -> list[ChatBinding]:
        """Those that hold, the oldest first."""
        return await self._list(chat_bindings.c.account_id == account_id, _HOLDS)

    async def of_source(self, source_id: str) -> list[ChatBinding]:
        """What was bound in one go, as far as it still holds."""
        return await self._list(chat_bindings.c.source_id == source_id, _HOLDS)

    async def page(
        self, *, customer: str = "", before: int | None = None, limit: int
    ) -> list[ChatBinding]:
        """Those that hold, the newest first. customer: part of a name. before: those with a lower
        number."""
        query = select(*_COLUMNS).where(_HOLDS)
        if customer:
            query = query.join(accounts, accounts.c.id == chat_bindings.c.account_id).where(
                accounts.c.name.contains(customer, autoescape=True)
            )
        if before is not None:
            query = query.where(chat_bindings.c.id < before)
        rows = await self._conn.execute(query.order_by(chat_bindings.c.id.desc()).limit(limit))
        return [_to_binding(row) for row in rows]

    async def last_of_person(self, person_id: int) -> list[ChatBinding]:
        """What somebody bound last, in one go, as far as it still holds."""
        last = await self._conn.execute(
            select(chat_bindings.c.source_id)
            .where(chat_bindings.c.bound_by == person_id, _HOLDS)
            .order_by(chat_bindings.c.id.desc())
            .limit(1)
        )
        source_id = last.scalar_one_or_none()
        return await self.of_source(source_id) if source_id is not None else []

    async def groups(self) -> dict[tuple[str, str], int]:
        """(platform, chat id) -> customer, of every bound group."""
        rows = await self._conn.execute(
            select(
                chat_bindings.c.platform, chat_bindings.c.chat_key, chat_bindings.c.account_id
            ).where(_HOLDS, chat_bindings.c.kind == str(ChatKind.GROUP))
        )
        return {(row.platform, row.chat_key): row.account_id for row in rows}

    async def bind(
        self,
        chats: Sequence[tuple[str, str, ChatKind, int, BoundBy]],
        *,
        by: int,
        at: datetime,
        source_id: str,
    ) -> list[ChatBinding]:
        """(platform, chat key, kind, customer, how) each. What is bound already stays as it
        is and is left out of the answer; to move it, end it first."""
        statement = insert_into(self._conn, chat_bindings).on_conflict_do_nothing(
            index_elements=[chat_bindings.c.platform, chat_bindings.c.chat_key],
            index_where=_HOLDS,
        )
        added: list[ChatBinding] = []
        for start in range(0, len(chats), _ROWS):
            values: list[dict[str, Any]] = [
                {
                    "platform": str(platform), "chat_key": chat_key, "kind": str(kind),
                    "account_id": account_id, "how": str(how), "bound_by": by, "bound_at": at,
                    "source_id": source_id,
                }
                for platform, chat_key, kind, account_id, how in chats[start : start + _ROWS]
            ]  # fmt: skip
            rows = await self._conn.execute(statement.values(values).returning(*_COLUMNS))
            added += [_to_binding(row) for row in rows]
        return added

    async def end(self, bindings: Iterable[ChatBinding], *, by: int, at: datetime) -> int:
        """They hold no more; how many did until now."""
        ended = 0
        for chunk in in_chunks(binding.id for binding in bindings):
            changed = await self._conn.execute(
                update(chat_bindings)
                .where(chat_bindings.c.id.in_(chunk), _HOLDS)
                .values(ended_at=at, ended_by=by)
            )
            ended += changed.rowcount
        return ended

    async def _list(self, *which: Any) -> list[ChatBinding]:
        rows = await self._conn.execute(
            select(*_COLUMNS).where(*which).order_by(chat_bindings.c.id)
        )
        return [_to_binding(row) for row in rows]


def _to_binding(row: AnyRow) -> ChatBinding:
    told = row._asdict()
    return ChatBinding(**told | {"kind": ChatKind(row.kind), "how": BoundBy(row.how)})
