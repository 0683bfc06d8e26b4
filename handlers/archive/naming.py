"""What archived groups are called and who is in them, where nobody else tells: groups of members
alone. Groups with customers are told with the external contacts.

A group's name changes without a word to the archive, so each is asked about again once a week in
which somebody spoke there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.external import ChatGroup
from bot.errors import BotError
from bot.messages import OutboundMessage, Platform
from bot.router import Begin, Job
from storage.unit_of_work import UnitOfWork

AT_ONCE = 20
ASK_AGAIN = timedelta(days=7)

log = logging.getLogger(__name__)


class TellsRooms(Protocol):
    """An archive that can be asked about its groups."""

    @property
    def corp(self) -> str: ...

    async def room(self, room: str) -> ChatGroup | None:
        """With its members; None where it is none of members alone. Raises BotError."""
        ...


class RoomNames:
    """Asks the platform what archived groups are called."""

    def __init__(self, archive: TellsRooms, begin: Begin[UnitOfWork], clock: Clock) -> None:
        self._archive = archive
        self._begin = begin
        self._clock = clock
        self._others: dict[str, datetime] = {}  # that are told elsewhere, and when we asked

    def job(self) -> Job[UnitOfWork]:
        name = f"names of archived groups {self._archive.corp}"
        return Job(name, {"minute": "*/10"}, _nothing, prepare=self._prepare, next_due=_in_no_hurry)

    async def look(self) -> int:
        """Asks about those that are due; about how many."""
        at = self._clock.now()
        async with self._begin() as tx:
            rooms = await tx.archive_chats.rooms(
                self._archive.corp, Platform.WECOM, spoken_since=at - ASK_AGAIN, limit=500
            )
        due = [
            room
            for room, seen_at in rooms
            if (known := self._others.get(room, seen_at)) is None or at - known >= ASK_AGAIN
        ]
        for room in due[:AT_ONCE]:
            await self._ask(room, at)
        return len(due[:AT_ONCE])

    async def _ask(self, room: str, at: datetime) -> None:
        group = await self._archive.room(room)
        if group is None:
            self._others[room] = at
            return
        async with self._begin() as tx:
            await tx.chat_groups.save(group, at=at)

    async def _prepare(self, _: Begin[UnitOfWork], __: datetime) -> None:
        try:
            await self.look()
        except BotError as error:
            fields = {"action": "archive", "error": str(error)}
            log.warning("names of archived groups could not be asked", extra=fields)


async def _nothing(_: UnitOfWork, __: datetime) -> Sequence[OutboundMessage]:
    return ()


async def _in_no_hurry(_: UnitOfWork) -> datetime | None:
    """A jumping clock need not stop here."""
    return None
