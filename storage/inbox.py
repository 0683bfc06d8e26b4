"""The inbox: envelopes as stored, until each is handled or given up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import Envelope
from bot.ports import Pending
from storage.dialects import AnyRow, fixed
from storage.tables import inbox

MAX_UNFINISHED = 10_000

_IS_NEW = inbox.c.state == fixed("new")
_PENDING = (
    inbox.c.id, inbox.c.channel, inbox.c.delivery_id, inbox.c.conversation, inbox.c.sent_at,
    inbox.c.received_at, inbox.c.body, inbox.c.attempts, inbox.c.replayed,
)  # fmt: skip
_SETTLE = update(inbox).where(inbox.c.id == bindparam("settled_id"), _IS_NEW)


ROW_KEY = (inbox.c.id, inbox.c.channel, inbox.c.delivery_id)


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


def ids_in_order(envelopes: Sequence[Envelope], added: Sequence[AnyRow]) -> list[int | None]:
    """The ids of a batch, from the ROW_KEYs that were added."""
    ids: dict[tuple[str, str], int] = {
        (row.channel, row.delivery_id): row.id for row in added
    }  # fmt: skip
    return [ids.pop((one.channel, one.delivery_id), None) for one in envelopes]


class Inbox:
    """States of stored envelopes: new -> done or dead; back to new by a replay."""

    _conn: AsyncConnection

    async def unfinished(self, *, besides: Container[int] = frozenset()) -> Sequence[Pending]:
        """In order of sent_at then arrival, 10,000 at a time, without `besides`. Those are told
        by the index alone: twenty thousand waiting ones are asked for every few seconds."""
        order = (inbox.c.sent_at, inbox.c.id)
        ids = await self._conn.scalars(select(inbox.c.id).where(_IS_NEW).order_by(*order))
        page = list(itertools.islice((id for id in ids if id not in besides), MAX_UNFINISHED))
        if not page:
            return []
        query = select(*_PENDING).where(inbox.c.id.in_(page), _IS_NEW).order_by(*order)
        return [_to_pending(row) for row in await self._conn.execute(query)]

    async def pending(self, inbox_id: int) -> Pending | None:
        rows = await self._conn.execute(select(*_PENDING).where(inbox.c.id == inbox_id, _IS_NEW))
        row = rows.one_or_none()
        return None if row is None else _to_pending(row)

    async def finish(self, inbox_id: int, *, at: datetime, note: str = "") -> bool:
        """Mark handled. False when it was no longer new. note: a lasting remark such as a lost
        attachment."""
        return await self._settle(inbox_id, state="done", at=at, reason=note)

    async def bury(self, inbox_id: int, *, at: datetime, reason: str) -> bool:
        """Make it a dead letter. False when it was no longer new."""
        return await self._settle(inbox_id, state="dead", at=at, reason=reason)

    async def postpone(self, inbox_id: int, *, until: datetime, reason: str) -> None:
        """Count a failed attempt."""
        await self._conn.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id, _IS_NEW)
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
            chosen.append(inbox.c.id.in_(ids))
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

    async def _settle(self, inbox_id: int, *, state: str, at: datetime, reason: str) -> bool:
        settled = await self._conn.execute(
            _SETTLE,
            {
                "settled_id": inbox_id,
                "state": state,
                "finished_at": at,
                "reason": reason,
                "next_attempt_at": None,
            },
        )
        return settled.rowcount == 1


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
