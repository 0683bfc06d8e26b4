"""How much is kept of conversations that belong to no customer so far."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import in_chunks
from storage.tables import archive_chats, archive_messages, group_words


class KeptWords:
    """Queries of conversations that belong to no customer so far, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def in_archive(self, keys: Iterable[str]) -> dict[str, int]:
        """Key of an archived conversation -> its messages that stand in no stream."""
        found: dict[str, int] = {}
        for chunk in in_chunks(keys):
            rows = await self._conn.execute(
                select(archive_chats.c.key, func.count())
                .join(archive_messages, archive_messages.c.chat_id == archive_chats.c.id)
                .where(archive_chats.c.key.in_(chunk), archive_messages.c.entered_at.is_(None))
                .group_by(archive_chats.c.key)
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    async def in_groups(self, conversations: Iterable[str]) -> dict[str, int]:
        """`Address.key` of a group -> what was said to the robot there and is still kept."""
        found: dict[str, int] = {}
        for chunk in in_chunks(conversations):
            rows = await self._conn.execute(
                select(group_words.c.conversation, func.count())
                .where(group_words.c.conversation.in_(chunk))
                .group_by(group_words.c.conversation)
            )
            found |= {row[0]: row[1] for row in rows}
        return found
