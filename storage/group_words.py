"""What was said to the bot in groups, kept for a week: «上面那个记一下»."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into
from storage.tables import group_words

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a group. source_id: of its delivery."""

    person_id: int
    source_id: str
    text: str
    said_at: datetime


class GroupWords:
    """The last messages of each group, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, conversation: str, heard: Heard) -> None:
        """Once for each source; what is older than a week goes."""
        await self._conn.execute(
            insert_into(self._conn, group_words)
            .values(
                conversation=conversation,
                person_id=heard.person_id,
                source_id=heard.source_id,
                text=heard.text,
                said_at=heard.said_at,
                recorded=False,
            )
            .on_conflict_do_nothing(index_elements=[group_words.c.source_id])
        )
        await self._conn.execute(
            delete(group_words).where(
                group_words.c.conversation == conversation,
                group_words.c.said_at < heard.said_at - KEPT_FOR,
            )
        )

    async def mark_recorded(self, source_id: str) -> None:
        """A draft was made of it."""
        await self._conn.execute(
            update(group_words).where(group_words.c.source_id == source_id).values(recorded=True)
        )

    async def all_of(self, conversation: str) -> list[Heard]:
        """All that is still kept, oldest first."""
        rows = await self._conn.execute(
            select(
                group_words.c.person_id,
                group_words.c.source_id,
                group_words.c.text,
                group_words.c.said_at,
            )
            .where(group_words.c.conversation == conversation)
            .order_by(group_words.c.said_at, group_words.c.id)
        )
        return [Heard(*row) for row in rows]

    async def not_recorded(
        self, conversation: str, *, since: datetime, before: datetime, limit: int
    ) -> list[Heard]:
        """Of which no draft was made, newest first."""
        rows = await self._conn.execute(
            select(
                group_words.c.person_id,
                group_words.c.source_id,
                group_words.c.text,
                group_words.c.said_at,
            )
            .where(
                group_words.c.conversation == conversation,
                group_words.c.said_at.between(since, before),
                group_words.c.recorded.is_(False),
            )
            .order_by(group_words.c.said_at.desc(), group_words.c.id.desc())
            .limit(limit)
        )
        return [Heard(*row) for row in rows]
