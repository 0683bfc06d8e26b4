"""One of a customer's people, gone. The customer and its deals stay, and of
what was recorded about them all that is no word of this person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import among
from storage.personal import erasing
from storage.personal.contact_traces import ContactTraces, external_rows, file_hashes, having
from storage.personal.customer_columns import PERSONAL
from storage.personal.erasing import Change, Counts
from storage.tables import (
    accounts,
    activities,
    archive_chats,
    archive_files,
    archive_messages,
    drafts,
)


async def erase(conn: AsyncConnection, traces: ContactTraces, at: datetime) -> Counts:
    """How many rows of each table lost something."""
    await erasing.overwrite(conn)
    of = traces.customer.ids[accounts]
    hashes = await _own_files(conn, traces, of)
    counts = await erasing.empty_chats(conn, traces)
    for table, keys in traces.own.items():
        counts |= await erasing.delete_where(conn, table, having(conn, table, keys))
    counts |= await erasing.delete_among(conn, archive_chats.c.id, traces.alone)
    await _leave_groups(conn, traces)
    for table, chosen in external_rows(conn, traces):
        counts |= await erasing.delete_where(conn, table, chosen)
    for table, keys in traces.named.items():
        chosen = having(conn, table, keys)
        counts[str(table.name)] = await erasing.change(conn, table, chosen, PERSONAL)
    counts |= await erasing.unfile(conn, of, traces.called)
    counts |= await erasing.let_go(conn, hashes, at)
    await erasing.shred(conn, traces, traces.subject, counts, at)
    return counts


async def _own_files(conn: AsyncConnection, traces: ContactTraces, of: list[int]) -> list[str]:
    besides = {
        activities: traces.named.get(activities, []),
        drafts: traces.named.get(drafts, []),
        archive_files: traces.own.get(archive_messages, []),
    }
    return await erasing.unused(conn, await file_hashes(conn, traces), of=of, besides=besides)


async def _leave_groups(conn: AsyncConnection, traces: ContactTraces) -> None:
    """Who else was there stays."""
    here = _without({*traces.called, *(key for _, key in traces.external)})
    chats = traces.customer.ids[archive_chats]
    for column, changes in (
        (archive_chats.c.id, {archive_chats.c.outsiders: here, archive_chats.c.members: here}),
        (archive_messages.c.chat_id, {archive_messages.c.recipients: here}),
    ):
        await erasing.change(conn, column.table, among(conn, column, chats), changes)


def _without(ids: Collection[str]) -> Change:
    def rest(value: Any) -> list[Any]:
        return [one for one in value if one not in ids]

    return rest
