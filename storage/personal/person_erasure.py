"""One of ours, gone as far as may be. What wages, contracts and audits are proven
by stays under a pseudonym; what somebody said to the bot, where they were and how they are reached
goes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import PersonStatus
from bot.domain.privacy import Called, pseudonym_of
from bot.errors import Refused
from storage.dialects import among, holds
from storage.personal import erasing
from storage.personal.erasing import Counts
from storage.personal.person_columns import ACCOUNTS, GOES_WHOLE, MENTIONS, PERSONAL
from storage.personal.person_traces import (
    PersonTraces,
    loose_hashes,
    of_accounts,
    recorded_hashes,
    recordings,
    referring,
)
from storage.tables import (
    accounts,
    cards,
    drafts,
    payout_disputes,
    people,
    settings_rows,
)

_CLOSED = ("upheld", "partly_upheld", "rejected", "withdrawn")


async def erase(conn: AsyncConnection, traces: PersonTraces, at: datetime) -> Counts:
    """How many rows of each table lost something. Raises Refused for who is still with us, or whose
    customers wait for somebody."""
    await _refuse(conn, traces)
    await erasing.overwrite(conn)
    hashes = await _own_files(conn, traces)
    counts = Counter(await erasing.empty_chats(conn, traces))
    counts.update(await _cards_shown(conn, traces))
    for table, column in GOES_WHOLE.items():
        counts.update(await erasing.delete_where(conn, table, column == traces.person_id))
    for table, chosen in of_accounts(conn, traces):
        counts.update(await erasing.delete_where(conn, table, chosen))
    memos = [f"joined:{one.platform}:{one.user_id}" for one in traces.accounts]
    counts.update(await erasing.delete_among(conn, settings_rows.c.name, memos))
    for column, changes in PERSONAL.items():
        theirs = column == traces.person_id
        counts[str(column.table.name)] += await erasing.change(conn, column.table, theirs, changes)
    counts.update(await _rename(conn, traces))
    counts.update(await _let_the_name_go(conn, traces))
    counts.update(await erasing.let_go(conn, hashes, at))
    told = dict(counts)
    await erasing.shred(conn, traces, traces.subject, told, at)
    return told


async def _refuse(conn: AsyncConnection, traces: PersonTraces) -> None:
    named = traces.named
    if traces.status != str(PersonStatus.LEFT):
        raise Refused(
            f"{named}还在通讯录里 (still in the directory)，不能删除。请先在企业微信、钉钉的"
            "管理后台把这位成员删除，等通讯录同步（成员变动即时，全量每天 3:00），再运行一次。"
            f"在职员工要一份自己的资料：gendan export-person {traces.person_id} 文件名。"
        )
    theirs = (accounts.c.owner_id == traces.person_id, accounts.c.merged_into_id.is_(None))
    held = select(func.count()).select_from(accounts)
    if count := await conn.scalar(held.where(*theirs, accounts.c.in_pool_since.is_(None))):
        raise Refused(
            f"{named}名下还有 {count} 家客户没有交接 (not handed over)。"
            f"请先让他的主管在聊天里发「交接 {named} 给 同事姓名」，再运行一次。"
        )
    disputes = (payout_disputes.c.person_id == traces.person_id,
                payout_disputes.c.state.not_in(_CLOSED))  # fmt: skip
    if await conn.scalar(select(func.count()).select_from(payout_disputes).where(*disputes)):
        raise Refused(f"{named}还有没结的奖金申诉 (open dispute)。请等裁定之后再运行一次。")


async def _own_files(conn: AsyncConnection, traces: PersonTraces) -> list[str]:
    """Their voice, unless it is evidence; and what they sent that became no record."""
    voices = await recordings(conn, traces)
    mine = await conn.execute(select(drafts.c.id).where(drafts.c.person_id == traces.person_id))
    besides = {drafts: list(mine.scalars())}
    sent = {*await loose_hashes(conn, traces), *await recorded_hashes(conn, traces)}
    rest = await erasing.unused(conn, sent, of=(), besides=besides)
    return sorted({*await erasing.unproving(conn, voices), *rest})


async def _cards_shown(conn: AsyncConnection, traces: PersonTraces) -> Counts:
    """In their own chats."""
    own = [
        cards.c.address.like(f"{one.platform}:%:u:{_escaped(one.user_id)}", escape="\\")
        for one in traces.accounts
    ]
    return await erasing.delete_where(conn, cards, or_(false(), *own))


async def _rename(conn: AsyncConnection, traces: PersonTraces) -> Counts:
    """A pseudonym wherever somebody else's words name them; where their name is also another's,
    only in rows that refer to them."""
    counts: Counter[str] = Counter()
    pseudonym = pseudonym_of(traces.person_id)
    own = dict(referring(traces.person_id))
    for column in MENTIONS:
        table = column.table
        within = [holds(column, word) for word in traces.words]
        within += [own[table] & holds(column, name) for name in traces.called.names if table in own]
        replaced = Called(names=traces.called.names)
        counts[str(table.name)] += await _replace(conn, column, within, replaced, pseudonym)
    for column in ACCOUNTS:
        for one in traces.accounts:
            within = [holds(column, one.user_id) & _of_platform(column.table, one.platform)]
            replaced = Called(accounts=(one.user_id,))
            counts[str(column.table.name)] += await _replace(
                conn, column, within, replaced, pseudonym
            )
    return dict(counts)


async def _replace(
    conn: AsyncConnection,
    column: Column[Any],
    within: list[ColumnElement[bool]],
    called: Called,
    pseudonym: str,
) -> int:
    changes = {column: lambda value: called.replaced(value, pseudonym)}
    return await erasing.change(conn, column.table, or_(false(), *within), changes)


def _of_platform(table: Table, platform: str) -> ColumnElement[bool]:
    """Addresses name their platform; the archive is WeCom's."""
    addresses = ("conversation", "address", "source_id")
    address = next((table.c[name] for name in addresses if name in table.c), None)
    if address is not None:
        return address.contains(f"{platform}:")
    if "platform" in table.c:
        return table.c.platform == platform
    return ~false() if platform == "wecom" else false()


async def _let_the_name_go(conn: AsyncConnection, traces: PersonTraces) -> Counts:
    name = pseudonym_of(traces.person_id)
    itself = among(conn, people.c.id, [traces.person_id])
    named = itself & ((people.c.name != name) | people.c.mobile.is_not(None))
    gone = await conn.execute(update(people).where(named).values(name=name, mobile=None))
    return {"people": gone.rowcount}


def _escaped(user_id: str) -> str:
    return user_id.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
