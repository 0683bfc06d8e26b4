"""Archived conversations, inside one transaction: who speaks in them, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.archive import Conversation
from storage.dialects import AnyRow, fixed, in_chunks, insert_into
from storage.tables import archive_bookmarks, archive_chats, chat_groups


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation on record. account_id: whose it is, None while nobody has said."""

    id: int
    conversation: Conversation
    account_id: int | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ChatNow:
    """A conversation as it was last seen. account_id: None says nothing about whose it is."""

    conversation: Conversation
    last_at: datetime
    account_id: int | None


class ArchiveChats:
    """Repository of archived conversations."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def rooms(
        self, corp: str, platform: str, *, spoken_since: datetime, limit: int
    ) -> list[tuple[str, datetime | None]]:
        """(room, when its name was last told) of groups in which somebody spoke since then; those
        that were never told of first."""
        known = and_(
            chat_groups.c.platform == platform, chat_groups.c.chat_id == archive_chats.c.room
        )
        rows = await self._conn.execute(
            select(archive_chats.c.room, chat_groups.c.seen_at)
            .join(chat_groups, known, isouter=True)
            .where(
                archive_chats.c.corp == corp,
                archive_chats.c.room != fixed(""),
                archive_chats.c.last_at >= spoken_since,
            )
            .order_by(chat_groups.c.seen_at.is_not(None), chat_groups.c.seen_at)
            .limit(limit)
        )
        return [(room, seen_at) for room, seen_at in rows]

    async def by_key(self, corp: str, keys: Iterable[str]) -> dict[str, Chat]:
        """Of those on record."""
        found: dict[str, Chat] = {}
        for chunk in in_chunks(keys):
            query = select(archive_chats).where(
                archive_chats.c.corp == corp, archive_chats.c.key.in_(chunk)
            )
            found |= {row.key: _to_chat(row) for row in await self._conn.execute(query)}
        return found

    async def called(self, keys: Iterable[str]) -> list[Chat]:
        """The conversations with one of these keys, of whichever company's archive."""
        found: list[Chat] = []
        corps = select(archive_bookmarks.c.corp)
        for chunk in in_chunks(keys):
            query = select(archive_chats).where(
                archive_chats.c.corp.in_(corps), archive_chats.c.key.in_(chunk)
            )
            found += [_to_chat(row) for row in await self._conn.execute(query)]
        return found

    async def of_customer(self, account_id: int) -> list[Chat]:
        query = select(archive_chats).where(archive_chats.c.account_id == account_id)
        return [_to_chat(row) for row in await self._conn.execute(query)]

    async def get_for_update(self, chat_id: int) -> Chat:
        """Locked, so that nobody binds it while a message of it becomes ready."""
        query = select(archive_chats).where(archive_chats.c.id == chat_id).with_for_update()
        return _to_chat((await self._conn.execute(query)).one())

    async def put(self, now: Sequence[ChatNow], at: datetime) -> None:
        """Conversations as they are now. Whose one is stays, where nobody says anything new."""
        if not now:
            return
        new = insert_into(self._conn, archive_chats)
        rows = [
            {
                "corp": one.conversation.corp,
                "key": one.conversation.key,
                "room": one.conversation.room,
                "outsiders": list(one.conversation.outsiders),
                "members": list(one.conversation.members),
                "last_at": one.last_at,
                "account_id": one.account_id,
                "bound_at": at if one.account_id is not None else None,
            }
            for one in now
        ]
        set_: dict[str, Any] = {
            name: new.excluded[name] for name in ("outsiders", "members", "last_at")
        }
        for name in ("account_id", "bound_at"):
            set_[name] = func.coalesce(new.excluded[name], archive_chats.c[name])
        await self._conn.execute(
            new.on_conflict_do_update(
                index_elements=[archive_chats.c.corp, archive_chats.c.key], set_=set_
            ),
            rows,
        )

    async def bind(self, chat_id: int, account_id: int | None, at: datetime) -> None:
        """Say whose conversation it is; None: nobody's again."""
        await self._conn.execute(
            update(archive_chats)
            .where(archive_chats.c.id == chat_id)
            .values(account_id=account_id, bound_at=at)
        )


def _to_chat(row: AnyRow) -> Chat:
    conversation = Conversation(
        row.corp, row.key, row.room, tuple(row.outsiders), tuple(row.members)
    )
    return Chat(row.id, conversation, row.account_id, row.last_at)
