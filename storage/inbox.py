"""The inbox: envelopes as stored, until each is handled or given up."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Select,
    Uuid,
    and_,
    bindparam,
    column,
    func,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Envelope
from bot.ports import Fence, Pending
from storage.dialects import ONE, AnyRow, among, fixed
from storage.prepared import prepared
from storage.tables import Utc, inbox, leases

MAX_UNFINISHED = 10_000

_IS_NEW = inbox.c.state == fixed("new")
_PENDING = (
    inbox.c.id, inbox.c.channel, inbox.c.delivery_id, inbox.c.conversation, inbox.c.sent_at,
    inbox.c.received_at, inbox.c.body, inbox.c.attempts, inbox.c.replayed,
)  # fmt: skip
_BY_ID = update(inbox).where(inbox.c.id == bindparam("settled_id"), _IS_NEW)
_IN_ITS_MONTH = _BY_ID.where(inbox.c.received_at == bindparam("settled_of"))
_FENCE_HOLDS = (
    select(leases.c.name)
    .where(leases.c.name == bindparam("fence"), leases.c.term == bindparam("fence_term"))
    .exists()
)
_SETTLE = {
    (False, False): prepared(_BY_ID),
    (True, False): prepared(_IN_ITS_MONTH),
    (False, True): prepared(_BY_ID.where(_FENCE_HOLDS)),
    (True, True): prepared(_IN_ITS_MONTH.where(_FENCE_HOLDS)),
}
"""(by its month, under a lease) -> the end of what was begun. It and a take-over see each other:
who takes over afterwards waits for this row and finds it settled, who took over before has made it
void."""

_FIRST_OF = prepared(
    select(*_PENDING)
    .where(inbox.c.conversation == bindparam("conversation"), _IS_NEW)
    .order_by(inbox.c.sent_at, inbox.c.id)
    .limit(ONE)
)


ROW_KEY = (inbox.c.id, inbox.c.channel, inbox.c.delivery_id)


inbox_keys = table(  # PostgreSQL's, see migration 0032; stay when a month of the inbox goes
    "inbox_keys", column("key", Uuid), column("inbox_id", BigInteger), column("received_at", Utc)
)


def ids_of(conn: AsyncConnection, channel: str, delivery_ids: Sequence[str]) -> Select[Any]:
    """Where deliveries of a channel lie."""
    if conn.dialect.name == "sqlite":
        return select(inbox.c.id).where(
            inbox.c.channel == channel, inbox.c.delivery_id.in_(delivery_ids)
        )
    keys = [_key(channel, delivery_id) for delivery_id in delivery_ids]
    return select(inbox_keys.c.inbox_id).where(among(conn, inbox_keys.c.key, keys))


def _key(channel: str, delivery_id: str) -> UUID:
    """As the trigger makes it."""
    return UUID(bytes=hashlib.sha256(f"{channel}\n{delivery_id}".encode()).digest()[:16])


NEW_ROW = (
    "channel", "delivery_id", "conversation", "sent_at", "received_at", "body", "state",
    "finished_at", "reason",
)  # fmt: skip


def to_row(envelope: Envelope, moment: Callable[[datetime], Any]) -> tuple[Any, ...]:
    """The values of a NEW_ROW; what it leaves out begins as the table says.
    Unreadable ones are dead letters from birth.

    moment: how the driver takes a time.
    """
    reason = envelope.unreadable
    received_at = moment(envelope.received_at)
    return (
        envelope.channel,
        envelope.delivery_id,
        envelope.conversation,
        moment(envelope.sent_at),
        received_at,
        envelope.body,
        "new" if reason is None else "dead",
        None if reason is None else received_at,
        reason or "",
    )


def ids_in_order(envelopes: Sequence[Envelope], added: Iterable[Any]) -> list[int | None]:
    """The ids of a batch, from the ROW_KEYs that were added."""
    ids: dict[tuple[str, str], int] = {
        (channel, delivery_id): row_id for row_id, channel, delivery_id in added
    }
    return [ids.pop((one.channel, one.delivery_id), None) for one in envelopes]


class Inbox:
    """States of stored envelopes: new -> done or dead; back to new by a replay."""

    _conn: AsyncConnection

    async def unfinished(
        self,
        *,
        besides: Container[int] = frozenset(),
        ours: Callable[[str], bool] | None = None,
    ) -> Sequence[Pending]:
        """In order of sent_at then arrival, 10,000 at a time, without `besides`. Those are told
        by the index alone: twenty thousand waiting ones are asked for every few seconds. ours:
        only of conversations for which it holds."""
        order = (inbox.c.sent_at, inbox.c.id)
        if ours is None:
            ids = await self._conn.scalars(select(inbox.c.id).where(_IS_NEW).order_by(*order))
            wanted: Iterable[int] = ids
        else:
            all_new = select(inbox.c.id, inbox.c.conversation).where(_IS_NEW).order_by(*order)
            wanted = (
                id for id, conversation in await self._conn.execute(all_new) if ours(conversation)
            )
        page = list(itertools.islice((id for id in wanted if id not in besides), MAX_UNFINISHED))
        return await self.pending_of(page)

    async def pending(self, inbox_id: int) -> Pending | None:
        found = await self.pending_of([inbox_id])
        return found[0] if found else None

    async def pending_of(self, inbox_ids: Sequence[int]) -> Sequence[Pending]:
        """Those of them that are still new, in the same order."""
        if not inbox_ids:
            return []
        query = (
            select(*_PENDING)
            .where(among(self._conn, inbox.c.id, inbox_ids), _IS_NEW)
            .order_by(inbox.c.sent_at, inbox.c.id)
        )
        return [_to_pending(row) for row in await self._conn.execute(query)]

    async def first_of(self, conversation: str) -> Pending | None:
        rows = await self._conn.execute(_FIRST_OF, {"conversation": conversation})
        row = rows.one_or_none()
        return None if row is None else _to_pending(row)

    async def finish(
        self,
        inbox_id: int,
        *,
        at: datetime,
        note: str = "",
        fence: Fence | None = None,
        received_at: datetime | None = None,
    ) -> bool:
        """Mark handled. False when it was no longer new, or the fence is another's. note: a
        lasting remark such as a lost attachment. received_at: of it; PostgreSQL then looks in one
        month alone."""
        values = {"state": "done", "finished_at": at, "reason": note}
        return await self._settle(inbox_id, received_at, fence, values)

    async def bury(
        self,
        inbox_id: int,
        *,
        at: datetime,
        reason: str,
        fence: Fence | None = None,
        received_at: datetime | None = None,
    ) -> bool:
        """Make it a dead letter. False as for `finish`."""
        values = {"state": "dead", "finished_at": at, "reason": reason}
        return await self._settle(inbox_id, received_at, fence, values)

    async def postpone(
        self, inbox_id: int, *, until: datetime, reason: str, received_at: datetime | None = None
    ) -> None:
        """Count a failed attempt. received_at: as for `finish`."""
        in_month = [] if received_at is None else [inbox.c.received_at == received_at]
        await self._conn.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id, _IS_NEW, *in_month)
            .values(attempts=inbox.c.attempts + 1, next_attempt_at=until, reason=reason)
        )

    async def mark_for_replay(
        self, failed: bool, since: datetime | None, ids: Sequence[int]
    ) -> int:
        """Make handled envelopes new again, unless their body was erased; how many.

        ids: these ones. failed: dead letters, and those finished with a note; else all.
        since: of those, the ones finished since. Without ids, failed and since: none.
        """
        chosen: list[Any] = [inbox.c.state != "new", func.length(inbox.c.body) > 0]
        if ids:
            chosen.append(among(self._conn, inbox.c.id, ids))
        elif failed:
            chosen.append(inbox.c.reason != fixed(""))
        elif since is None:
            return 0
        if since is not None:
            chosen.append(inbox.c.finished_at >= since)
        marked = await self._conn.execute(
            update(inbox)
            .where(*chosen)
            .values(
                state="new", attempts=0, next_attempt_at=None, finished_at=None, reason="",
                replayed=and_(inbox.c.state == "done", inbox.c.reason == ""),
            )
        )  # fmt: skip
        return marked.rowcount

    async def _settle(
        self,
        inbox_id: int,
        received_at: datetime | None,
        fence: Fence | None,
        values: dict[str, Any],
    ) -> bool:
        by_month = received_at is not None and self._conn.dialect.name == "postgresql"
        values |= {"settled_id": inbox_id, "next_attempt_at": None}
        if by_month:
            values |= {"settled_of": received_at}
        if fence is not None:
            values |= {"fence": fence.name, "fence_term": fence.term}
        settled = await self._conn.execute(_SETTLE[by_month, fence is not None], values)
        return bool(settled.rowcount == 1)


def _to_pending(row: AnyRow) -> Pending:
    envelope = Envelope(
        channel=row.channel,
        delivery_id=row.delivery_id,
        conversation=row.conversation,
        sent_at=row.sent_at,
        received_at=row.received_at,
        body=bytes(row.body),
    )
    return Pending(row.id, envelope, row.attempts, row.replayed)
