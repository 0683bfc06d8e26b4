"""The statements that every erasure is made of."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, Table, cast, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.identifiers import one_phone
from storage.audit import ERASURE, Audit
from storage.dialects import AnyRow, among, in_chunks, not_among
from storage.outbox import NO_WORDS
from storage.personal.told import (
    Told,
    answers_of,
    audit_of,
    cards_of,
    chat_of,
    dialogs_of,
    group_words_of,
)
from storage.tables import (
    account_keys,
    accounts,
    activities,
    archive_files,
    cards,
    dialogs,
    drafts,
    evidence,
    file_uses,
    files,
    group_words,
    inbox,
    outbox,
    payout_dispute_notes,
    payout_disputes,
)

Change = Callable[[Any], Any]
Changes = Mapping[Column[Any], Change]
Counts = dict[str, int]
DISPUTES = (payout_disputes, payout_dispute_notes)


def gone(_: Any) -> str:
    return ""


def nothing_left(_: Any) -> list[Any]:
    return []


def no_fields(_: Any) -> dict[str, str]:
    return {}


async def overwrite(conn: AsyncConnection) -> None:
    """From now on, in this transaction, SQLite leaves nothing in free pages either."""
    if conn.dialect.name == "sqlite":
        await conn.execute(text("PRAGMA secure_delete = ON"))


async def delete_where(conn: AsyncConnection, table: Table, chosen: ColumnElement[bool]) -> Counts:
    return {str(table.name): (await conn.execute(delete(table).where(chosen))).rowcount}


async def delete_among(conn: AsyncConnection, column: Column[Any], values: Iterable[Any]) -> Counts:
    return await delete_where(conn, column.table, among(conn, column, values))


async def change(
    conn: AsyncConnection, table: Table, chosen: ColumnElement[bool], changes: Changes
) -> int:
    """How many rows lost something. Row by row, since JSON is rewritten here and not in the
    database."""
    here = {column.name: made for column, made in changes.items() if column.table is table}
    if not here:
        return 0
    key = list(table.primary_key.columns)
    columns = [*key, *(table.c[name] for name in here if table.c[name] not in key)]
    count = 0
    for row in (await conn.execute(select(*columns).where(chosen))).all():
        was = row._asdict()
        now = {name: made(was[name]) for name, made in here.items()}
        if any(now[name] != was[name] for name in now):
            itself = [column == was[column.name] for column in key]
            await conn.execute(update(table).where(*itself).values(now))
            count += 1
    return count


async def empty_chats(conn: AsyncConnection, told: Told) -> Counts:
    """What came in and went out, what cards show and what groups remember."""
    heard = await _ids(chat_of(conn, told), "id")
    said = await _ids(answers_of(conn, told), "id")
    for some in in_chunks(heard):
        await conn.execute(update(inbox).where(inbox.c.id.in_(some)).values(body=b""))
    for some in in_chunks(said):
        ours = outbox.c.id.in_(some)
        waiting = update(outbox).where(ours, outbox.c.state == "queued")
        await conn.execute(waiting.values(state="dropped", reason="erased"))
        await conn.execute(update(outbox).where(ours).values(content=NO_WORDS))
    counts = {"inbox": len(heard), "outbox": len(said)}
    shown = await _ids(cards_of(conn, told), "card_id")
    remembered = await _ids(group_words_of(conn, told), "id")
    counts |= await delete_among(conn, dialogs.c.conversation, await dialogs_of(conn, told))
    counts |= await delete_among(conn, cards.c.card_id, shown)
    return counts | await delete_among(conn, group_words.c.id, remembered)


async def unfile(conn: AsyncConnection, account_ids: Sequence[int], words: Iterable[str]) -> Counts:
    """Customers are filed under the numbers of their people, too; what they are still filed under
    rightly is found again."""
    keys = {key for word in words for key in (word, one_phone(word)) if key}
    theirs = among(conn, account_keys.c.account_id, account_ids)
    counts = await delete_where(
        conn, account_keys, theirs & among(conn, account_keys.c.key, sorted(keys))
    )
    if counts["account_keys"]:
        these = among(conn, accounts.c.id, account_ids)
        await conn.execute(update(accounts).where(these).values(keyed_at=None))
    return counts


async def unused(
    conn: AsyncConnection,
    hashes: Iterable[str],
    *,
    of: Sequence[int],
    besides: Mapping[Table, Iterable[int]],
) -> list[str]:
    """Those that no other customer has and nothing else shows or proves. of: the customer with
    those merged into it. besides: rows that do not count, of activities and drafts, and of archived
    messages by the table of their files."""
    wanted = set(hashes)
    elsewhere = await _in_lists(conn, (activities, drafts, *DISPUTES), besides)
    used = among(conn, file_uses.c.sha256, wanted), not_among(conn, file_uses.c.account_id, of)
    sent = (
        among(conn, archive_files.c.sha256, wanted),
        not_among(conn, archive_files.c.message_id, besides.get(archive_files, ())),
    )
    proving = (among(conn, evidence.c.sha256, wanted),)
    for table, which in ((file_uses, used), (archive_files, sent), (evidence, proving)):
        elsewhere |= set((await conn.execute(select(table.c.sha256).where(*which))).scalars())
    return sorted(wanted - elsewhere)


async def unproving(conn: AsyncConnection, hashes: Iterable[str]) -> list[str]:
    """Those that are no evidence and were handed in with no dispute."""
    wanted = set(hashes)
    elsewhere = await _in_lists(conn, DISPUTES, besides={})
    proving = select(evidence.c.sha256).where(among(conn, evidence.c.sha256, wanted))
    return sorted(wanted - elsewhere - set((await conn.execute(proving)).scalars()))


async def _in_lists(
    conn: AsyncConnection, tables: Iterable[Table], besides: Mapping[Table, Iterable[int]]
) -> set[str]:
    """Hashes stand in JSON, which no index knows."""
    found: set[str] = set()
    for table in tables:
        apart = set(besides.get(table, ()))
        has_any = cast(table.c.file_hashes, String) != "[]"
        for row in await conn.execute(select(table.c.id, table.c.file_hashes).where(has_any)):
            found.update(row.file_hashes if row.id not in apart else ())
    return found


async def let_go(conn: AsyncConnection, hashes: Sequence[str], at: datetime) -> Counts:
    """The names of files; their bytes are the caller's to delete, once this is committed."""
    there = among(conn, files.c.sha256, hashes) & files.c.erased_at.is_(None)
    let = await conn.execute(update(files).where(there).values(name="", erased_at=at))
    return {"files": let.rowcount}


async def let_go_of(conn: AsyncConnection) -> list[str]:
    """By any erasure: one that was cut short left the bytes."""
    rows = await conn.execute(select(files.c.sha256).where(files.c.erased_at.is_not(None)))
    return sorted(rows.scalars())


async def shred(
    conn: AsyncConnection, told: Told, subject: str, counts: Counts, at: datetime
) -> None:
    """What entries of the audit say of the subject: salt and content go, the chain holds. The last
    entry names them."""
    entries = await _ids(audit_of(conn, told), "seq")
    counts["audit"] = len(entries)
    chain = Audit(conn)
    await chain.erase(entries)
    await chain.append(
        at=at,
        actor="admin:cli",
        action=ERASURE,
        subject=subject,
        before=None,
        after={"audit_entries": entries, "rows": counts},
    )
    await chain.seal()


async def _ids(rows: AsyncIterable[AnyRow], name: str) -> list[Any]:
    return [getattr(row, name) async for row in rows]
