"""The figures of stages worked out anew from the events: by a command, and at a start that finds
events from before they were kept."""

from __future__ import annotations

from datetime import datetime

from bot.domain.calendar import WorkingCalendar
from bot.router import Begin
from handlers.libraries.libraries import LibraryShelf
from storage.unit_of_work import UnitOfWork

BATCH = 1_000
"""Customers in one transaction, so that a bot that is running waits half a second at most."""

VERSION = 1
"""Of what is kept; raised when it changes, so that the next start rebuilds."""

_KEPT = "figures.version"


async def rebuild(
    begin: Begin[UnitOfWork], libraries: LibraryShelf, calendar: WorkingCalendar, at: datetime
) -> int:
    """How many events were counted. A bot may run meanwhile: each customer is written anew from
    its events in one transaction."""

    def rank_of(ref: str, stage: str) -> int | None:
        return libraries.of(ref).rank(stage)

    counted, first = 0, 1
    async with begin() as tx:
        last = await tx.figures_rebuild.last_id()
        lacks_notes = await tx.figures_rebuild.lacks_notes()
    while first <= last:
        until = first + BATCH - 1
        async with begin() as tx:
            if lacks_notes:
                await tx.figures_rebuild.note(first, until, rank_of, calendar)
            rebuilt = await tx.figures_rebuild.run(first, until)
        counted += rebuilt.events
        if rebuilt.astray:
            async with begin() as tx:
                await tx.figures_rebuild.correct_furthest(rebuilt.astray)
        first = until + 1
    async with begin() as tx:
        await tx.settings.put(_KEPT, VERSION, at)
    return counted


async def catch_up(
    begin: Begin[UnitOfWork], libraries: LibraryShelf, calendar: WorkingCalendar, at: datetime
) -> None:
    """At start: rebuild, unless this version's figures were kept from the first event on."""
    async with begin() as tx:
        kept = await tx.settings.get(_KEPT)
    if kept != VERSION:
        await rebuild(begin, libraries, calendar, at)
