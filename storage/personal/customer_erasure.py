"""A customer's personal data, gone.

Erased are the people of a customer: contacts, free text, files, the chats it was told in. What
proves contracts, receipts and wages stays, without them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import among, not_among
from storage.personal import erasing
from storage.personal.customer_columns import GOES_WHOLE, OF_CUSTOMER, PERSONAL
from storage.personal.customer_traces import Traces, external_rows, file_hashes, naming_rows
from storage.personal.erasing import Counts
from storage.tables import (
    accounts,
    archive_chats,
    archive_files,
    archive_messages,
    file_uses,
)


async def erase(conn: AsyncConnection, traces: Traces, at: datetime) -> Counts:
    """How many rows of each table lost something."""
    await erasing.overwrite(conn)
    of = traces.ids[accounts]
    hashes = await _own_files(conn, traces)
    numbers = await _numbers(conn, traces)
    counts = await erasing.empty_chats(conn, traces)
    counts["accounts"] = await erasing.change(
        conn, accounts, among(conn, accounts.c.id, of), PERSONAL
    )
    for table, chosen in external_rows(conn, traces):
        counts |= await erasing.delete_where(conn, table, chosen)
    for table in OF_CUSTOMER:
        counts |= await erasing.delete_among(conn, table.c.account_id, of)
    chats = traces.ids[archive_chats]
    for column in (archive_files.c.chat_id, archive_messages.c.chat_id, archive_chats.c.id):
        counts |= await erasing.delete_among(conn, column, chats)
    for table, chosen in naming_rows(conn, traces):
        if table not in GOES_WHOLE:
            counts[str(table.name)] = await erasing.change(conn, table, chosen, PERSONAL)
    counts |= await erasing.unfile(conn, of, numbers)
    counts |= await erasing.let_go(conn, hashes, at)
    await erasing.shred(conn, traces, traces.subject, counts, at)
    return counts


async def _numbers(conn: AsyncConnection, traces: Traces) -> list[str]:
    """Of its people, and its own."""
    phones = select(accounts.c.phone).where(among(conn, accounts.c.id, traces.ids[accounts]))
    return [*traces.words, *(await conn.execute(phones)).scalars()]


async def _own_files(conn: AsyncConnection, traces: Traces) -> list[str]:
    """Those that no other customer has, and no other conversation."""
    hashes = await file_hashes(conn, traces)
    used = select(file_uses.c.sha256).where(
        among(conn, file_uses.c.sha256, hashes),
        not_among(conn, file_uses.c.account_id, traces.ids[accounts]),
    )
    elsewhere = set((await conn.execute(used)).scalars())
    sent = select(archive_files.c.sha256).where(
        among(conn, archive_files.c.sha256, hashes),
        not_among(conn, archive_files.c.chat_id, traces.ids[archive_chats]),
    )
    elsewhere |= set((await conn.execute(sent)).scalars())
    return [one for one in hashes if one not in elsewhere]
