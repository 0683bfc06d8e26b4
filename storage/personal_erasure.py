"""A customer's personal data, gone (semantics B17).

Erased are the people of a customer: contacts, free text, files, the chats it was told in. What
proves contracts, receipts and wages stays, without them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import ERASURE, Audit
from storage.dialects import AnyRow, among, in_chunks, not_among
from storage.outbox import NO_WORDS
from storage.personal_columns import GOES_WHOLE, OF_CUSTOMER, PERSONAL
from storage.personal_traces import Traces, chat_of, external_rows, file_hashes, pages, rows_of
from storage.tables import (
    accounts,
    archive_chats,
    archive_files,
    archive_messages,
    audit,
    cards,
    dialogs,
    file_uses,
    files,
    group_words,
    inbox,
    outbox,
)


async def erase(
    conn: AsyncConnection, traces: Traces, at: datetime
) -> tuple[dict[str, int], list[str]]:
    """How many rows of each table lost something, and the hashes of the files that nobody
    else uses: their bytes are the caller's to delete, once this is committed."""
    if conn.dialect.name == "sqlite":
        await conn.execute(text("PRAGMA secure_delete = ON"))  # not in free pages either
    hashes, chat = await _own_files(conn, traces), [row.id async for row in chat_of(conn, traces)]
    entries = [row.seq async for row in _audit_of(conn, traces)]
    counts = {
        "accounts": await _change(conn, accounts, among(conn, accounts.c.id, traces.ids[accounts])),
    }
    for table, chosen in external_rows(conn, traces):
        erased = await conn.execute(delete(table).where(chosen))
        counts[str(table.name)] = erased.rowcount
    for table in OF_CUSTOMER:
        gone = await _delete(conn, table.c.account_id, traces.ids[accounts])
        counts[str(table.name)] = gone
    chats = traces.ids[archive_chats]
    for column in (archive_files.c.chat_id, archive_messages.c.chat_id, archive_chats.c.id):
        counts[str(column.table.name)] = await _delete(conn, column, chats)
    for table, chosen in rows_of(conn, traces):
        if table not in GOES_WHOLE:
            counts[str(table.name)] = await _change(conn, table, chosen)
    for some in in_chunks(chat):
        await conn.execute(update(inbox).where(inbox.c.id.in_(some)).values(body=b""))
    counts |= await _erase_what_was_shown(conn, traces)
    counts["files"] = await _let_go(conn, hashes, at)
    counts |= {"inbox": len(chat), "audit": len(entries)}
    await _tell(conn, traces, counts, entries, at)
    return counts, hashes


async def _tell(
    conn: AsyncConnection,
    traces: Traces,
    counts: dict[str, int],
    entries: Sequence[int],
    at: datetime,
) -> None:
    chain = Audit(conn)
    await chain.erase(entries)
    await chain.append(
        at=at,
        actor="admin:cli",
        action=ERASURE,
        subject=f"account:{traces.ids[accounts][0]}",
        before=None,
        after={"audit_entries": list(entries), "rows": counts},
    )
    await chain.seal()


async def _change(conn: AsyncConnection, table: Table, chosen: Any) -> int:
    """Row by row, since JSON is rewritten here and not in the database."""
    changes = {column.name: PERSONAL[column] for column in table.c if column in PERSONAL}
    if not changes:
        return 0
    key = list(table.primary_key.columns)
    columns = [*key, *(table.c[name] for name in changes if table.c[name] not in key)]
    rows = (await conn.execute(select(*columns).where(chosen))).all()
    count = 0
    for row in rows:
        was = row._asdict()
        now = {name: change(was[name]) for name, change in changes.items()}
        if any(now[name] != was[name] for name in now):
            here = [column == was[column.name] for column in key]
            await conn.execute(update(table).where(*here).values(now))
            count += 1
    return count


async def _erase_what_was_shown(conn: AsyncConnection, traces: Traces) -> dict[str, int]:
    """What the bot said, what cards show, what groups and dialogs remember."""
    subjects = traces.subjects()
    said = [
        row.id
        async for row in pages(conn, outbox, outbox.c.id)
        if traces.in_talk(row.address, row.queued_at) or traces.told_in(row.content)
    ]
    for some in in_chunks(said):
        ours = outbox.c.id.in_(some)
        waiting = update(outbox).where(ours, outbox.c.state == "queued")
        await conn.execute(waiting.values(state="dropped", reason="erased"))
        await conn.execute(update(outbox).where(ours).values(content=NO_WORDS))
    shown = [
        row.card_id
        async for row in pages(conn, cards, cards.c.card_id)
        if row.subject in subjects or traces.told_in(_plain(row.data))
    ]
    heard = [
        row.id
        async for row in pages(conn, group_words, group_words.c.id)
        if traces.in_talk(row.conversation, row.said_at) or traces.told_in(row.text)
    ]
    chats = [chat for chat, _, _ in traces.talks]
    return {
        "outbox": len(said),
        "cards": await _delete(conn, cards.c.card_id, shown),
        "group_words": await _delete(conn, group_words.c.id, heard),
        "dialogs": await _delete(conn, dialogs.c.conversation, chats),
    }


async def _delete(conn: AsyncConnection, column: Column[Any], values: Sequence[Any]) -> int:
    count = 0
    for some in in_chunks(values):
        gone = delete(column.table).where(column.in_(some))
        count += (await conn.execute(gone)).rowcount
    return count


async def _audit_of(conn: AsyncConnection, traces: Traces) -> AsyncIterator[AnyRow]:
    subjects = traces.subjects()
    async for row in pages(conn, audit, audit.c.seq):
        told = traces.told_in(row.before) or traces.told_in(row.after)
        if row.salt and row.action != ERASURE and (row.subject in subjects or told):
            yield row


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


async def _let_go(conn: AsyncConnection, hashes: Sequence[str], at: datetime) -> int:
    count = 0
    for some in in_chunks(hashes):
        there = (files.c.sha256.in_(some), files.c.erased_at.is_(None))
        gone = update(files).where(*there).values(name="", erased_at=at)
        count += (await conn.execute(gone)).rowcount
    return count


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
