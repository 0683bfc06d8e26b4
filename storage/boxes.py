"""Inbox and outbox as an operator looks at them: how much waits where, and what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import among, by_no_index, fixed
from storage.outbox import NO_WORDS
from storage.tables import chat_groups, external_contacts, inbox, outbox, ticks, tokens

RECENT = 20_000
"""Of the newest deliveries; a channel that is not among them has been silent for long."""

MOST_KINDS = 50
MOST_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits. place: a channel of the inbox, or platform:application of the outbox."""

    box: str
    place: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class DeadKind:
    """Dead letters of one place and reason. reason: without the number by which a single one is
    found in the log."""

    box: str
    place: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class DeadOne:
    """One dead letter. address: of an outgoing one; the conversation of one that came. emptied: its
    words were removed, so that it cannot be tried again."""

    box: str
    id: int
    place: str
    address: str
    reason: str
    attempts: int
    died_at: datetime | None
    emptied: bool = False


class Boxes:
    """Queries of inbox and outbox for operators, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def queues(self) -> list[Queue]:
        """Each by its place; the oldest by when it came or was queued."""
        came = await self._conn.execute(
            select(inbox.c.channel, func.count(), func.min(inbox.c.received_at))
            .where(inbox.c.state == fixed("new"))
            .group_by(inbox.c.channel)
            .order_by(inbox.c.channel)
        )
        went = await self._conn.execute(
            select(outbox.c.platform, outbox.c.app, func.count(), func.min(outbox.c.queued_at))
            .where(outbox.c.state == fixed("queued"))
            .group_by(outbox.c.platform, outbox.c.app)
            .order_by(outbox.c.platform, outbox.c.app)
        )
        return [
            *(Queue("inbox", *row) for row in came),
            *(Queue("outbox", f"{row[0]}:{row[1]}", row[2], row[3]) for row in went),
        ]

    async def last_received(self) -> dict[str, datetime]:
        """Channel -> its newest delivery, of channels that are among the RECENT ones."""
        newest = await self._conn.scalar(select(func.max(inbox.c.id))) or 0
        rows = await self._conn.execute(
            select(inbox.c.channel, func.max(inbox.c.received_at))
            .where(inbox.c.id > newest - RECENT)
            .group_by(inbox.c.channel)
        )
        return {row[0]: row[1] for row in rows}

    async def last_sent(self) -> dict[str, datetime]:
        """platform:application -> the newest message that was sent, among the RECENT ones."""
        newest = await self._conn.scalar(select(func.max(outbox.c.id))) or 0
        rows = await self._conn.execute(
            select(outbox.c.platform, outbox.c.app, func.max(outbox.c.finished_at))
            .where(outbox.c.id > newest - RECENT, outbox.c.state == "sent")
            .group_by(outbox.c.platform, outbox.c.app)
        )
        return {f"{row[0]}:{row[1]}": row[2] for row in rows}

    async def tokens(self) -> dict[str, datetime]:
        """Name -> until when it is good."""
        rows = await self._conn.execute(select(tokens.c.name, tokens.c.expires_at))
        return {row.name: row.expires_at for row in rows}

    async def last_ticks(self, jobs: Sequence[str]) -> dict[str, datetime]:
        """Job -> the last tick that was acted on."""
        found = {}
        for job in jobs:
            at = await self._conn.scalar(
                select(func.max(ticks.c.scheduled_at)).where(ticks.c.job == job)
            )
            if at is not None:
                found[job] = at
        return found

    async def contacts_known(self) -> tuple[int, int]:
        """External contacts and groups that are not gone."""
        contacts = select(func.count()).where(external_contacts.c.gone_at.is_(None))
        groups = select(func.count()).where(chat_groups.c.gone_at.is_(None))
        return (
            int(await self._conn.scalar(contacts) or 0),
            int(await self._conn.scalar(groups) or 0),
        )

    async def dead_kinds(self) -> list[DeadKind]:
        """The most frequent first."""
        found = []
        for box, table in (("inbox", inbox), ("outbox", outbox)):
            place, reason = _place(table), _shared_reason(table)
            rows = await self._conn.execute(
                select(place, reason, func.count())
                .where(table.c.state == fixed("dead"))
                .group_by(place, reason)
                .order_by(func.count().desc())
                .limit(MOST_KINDS)
            )
            found += [DeadKind(box, *row) for row in rows]
        return sorted(found, key=lambda one: (-one.count, one.box, one.place, one.reason))

    async def dead_page(self, box: str, *, before: int | None, limit: int) -> list[DeadOne]:
        """The newest first. before: only those with a lower number."""
        table = _table(box)
        address = inbox.c.conversation if box == "inbox" else outbox.c.address
        which = [table.c.state == fixed("dead")]
        if before is not None:
            which.append(table.c.id < before)
        rows = await self._conn.execute(
            select(
                table.c.id, _place(table), address, table.c.reason, table.c.attempts,
                table.c.finished_at, _is_emptied(table),
            )
            .where(*which)
            .order_by(table.c.id.desc())
            .limit(limit)
        )  # fmt: skip
        return [DeadOne(box, *row) for row in rows]

    async def dead_of_kind(self, kind: DeadKind) -> list[int]:
        """The numbers of the oldest MOST_AT_ONCE."""
        table = _table(kind.box)
        rows = await self._conn.execute(
            select(table.c.id)
            .where(
                table.c.state == fixed("dead"),
                by_no_index(self._conn, _place(table)) == kind.place,
                _shared_reason(table) == kind.reason,
            )
            .order_by(table.c.id)
            .limit(MOST_AT_ONCE)
        )
        return list(rows.scalars())

    async def dead_ids(self, box: str, ids: Sequence[int]) -> list[int]:
        """Of these, those that are dead letters."""
        table = _table(box)
        rows = await self._conn.execute(
            select(table.c.id).where(
                table.c.state == fixed("dead"), among(self._conn, table.c.id, ids)
            )
        )
        return list(rows.scalars())

    async def emptied(self, box: str, ids: Sequence[int]) -> list[int]:
        """Of these, those whose words were removed."""
        table = _table(box)
        which = among(self._conn, table.c.id, ids), _is_emptied(table)
        rows = await self._conn.execute(select(table.c.id).where(*which).order_by(table.c.id))
        return list(rows.scalars())


def _table(box: str) -> Table:
    return {"inbox": inbox, "outbox": outbox}[box]


def _is_emptied(table: Table) -> ColumnElement[bool]:
    return func.length(inbox.c.body) == 0 if table is inbox else outbox.c.content == NO_WORDS


def _shared_reason(table: Table) -> ColumnElement[str]:
    """What letters have in common that were buried one by one: «… [3f1c09ab]» without the end."""
    reason, numbered = table.c.reason, table.c.reason.like(literal_column("'% [________]'"))
    shared = func.substr(reason, literal_column("1"), func.length(reason) - literal_column("11"))
    return case((numbered, shared), else_=reason)


def _place(table: Table) -> ColumnElement[str]:
    return inbox.c.channel if table is inbox else outbox.c.platform + ":" + outbox.c.app
