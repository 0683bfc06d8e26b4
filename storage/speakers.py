"""Who speaks, and what waits for them in that chat: one statement, since every message asks."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import Person
from storage.cards import Dialogs
from storage.drafts import IS_LOOSE, IS_OPEN, Drafts
from storage.people import BY_IDENTITY, People
from storage.prepared import prepared
from storage.tables import dialogs, drafts, loose_files, people

_SPEAKER = prepared(
    BY_IDENTITY.add_columns(
        select(dialogs.c.state)
        .where(
            dialogs.c.conversation == bindparam("conversation"),
            dialogs.c.person_id == people.c.id,
        )
        .scalar_subquery()
        .label("awaited"),
        select(drafts.c.id)
        .where(
            IS_OPEN,
            drafts.c.conversation == bindparam("conversation"),
            drafts.c.person_id == people.c.id,
        )
        .exists()
        .label("has_open"),
        select(loose_files.c.id)
        .where(
            IS_LOOSE,
            loose_files.c.conversation == bindparam("conversation"),
            loose_files.c.person_id == people.c.id,
        )
        .exists()
        .label("has_loose"),
    )
)


class Speakers:
    """Queries of who speaks and what waits for them in the chat, inside one transaction. Nearly
    always nothing waits, and then nobody asks again."""

    def __init__(
        self, conn: AsyncConnection, *, people: People, drafts: Drafts, dialogs: Dialogs
    ) -> None:
        self._conn = conn
        self._people = people
        self._drafts = drafts
        self._dialogs = dialogs

    async def find(self, platform: str, user_id: str, *, conversation: str) -> Person | None:
        """The sender of a message. Those who left are found too; their status says so."""
        key = {"platform": str(platform), "user_id": user_id, "conversation": conversation}
        rows = (await self._conn.execute(_SPEAKER, key)).all()
        if not rows:
            return None
        person = self._people.known(rows)
        chat = conversation, person.id
        self._dialogs.states[chat] = rows[0].awaited
        if not rows[0].has_open:
            self._drafts.open[chat] = ()
        if not rows[0].has_loose:
            self._drafts.loose[chat] = ()
        return person
