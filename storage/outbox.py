"""The outbox: what is to be sent, in order for each address.

Order of an address is the order in which its messages became due: by the later of queue
time and not_before, then by id. So a message scheduled for tomorrow holds nobody up today,
and tomorrow takes its place before what is queued after it. `due_at` holds that moment.

A failed try moves `due_at` to the next try, and the address waits for it. The message that
was tried was the head, and heads are all that is ever tried: an address has at most one
queued message with attempts, and that one is its head until it is sent or given up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal_column, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import (
    Address,
    Card,
    CardUpdate,
    Content,
    OutboundMessage,
    Platform,
    Receipt,
    content_from_json,
    content_to_json,
)
from bot.ports import AppKey, Outgoing
from storage.dialects import AnyRow, fixed, insert_into
from storage.tables import outbox

EXPIRED = "expired"
SUPERSEDED = "superseded"

_other = outbox.alias("other")
_IS_QUEUED = outbox.c.state == fixed("queued")
_OTHER_IS_QUEUED = and_(
    _other.c.state == fixed("queued"), _other.c.address == outbox.c.address
)  # fmt: skip
_OTHER_IS_RETRIED = (
    select(_other.c.id)
    .where(_OTHER_IS_QUEUED, _other.c.attempts > literal_column("0"), _other.c.id != outbox.c.id)
    .exists()
)
_OTHER_IS_EARLIER = (
    select(_other.c.id)
    .where(
        _OTHER_IS_QUEUED,
        tuple_(_other.c.due_at, _other.c.id) < tuple_(outbox.c.due_at, outbox.c.id),
    )
    .exists()
)


class Outbox:
    """States of outbound messages: queued -> sent, dead or dropped."""

    _conn: AsyncConnection

    async def queue(self, messages: Sequence[OutboundMessage], *, at: datetime) -> None:
        """Append; known dedupe keys are passed over. A response code that goes out with a
        card update is used up, as the platform takes each once."""
        if not messages:
            return
        await self._conn.execute(
            insert_into(self._conn, outbox).on_conflict_do_nothing(),
            [_to_row(message, at) for message in messages],
        )
        for message in messages:
            await self._use_up(message.content)

    async def answered(self, source_id: str) -> bool:
        """Whether an answer to this delivery was ever queued."""
        of_it = outbox.c.dedupe_key.startswith(f"{source_id}:", autoescape=True)
        found = await self._conn.scalar(select(outbox.c.id).where(of_it).limit(1))
        return found is not None

    async def take_due(
        self, *, at: datetime, limit: int, busy: Collection[AppKey] = ()
    ) -> Sequence[Outgoing]:
        """The due heads, one for each address, without those of busy applications. What has
        expired is dropped on the way."""
        due = and_(_IS_QUEUED, outbox.c.due_at <= at)
        await self._drop(due, outbox.c.expires_at <= at, at=at, reason=EXPIRED)
        first_try = and_(~_OTHER_IS_EARLIER, ~_OTHER_IS_RETRIED)
        rows = await self._conn.execute(
            select(outbox)
            .where(due, or_(outbox.c.attempts > 0, first_try), *_none_of(busy))
            .order_by(outbox.c.due_at, outbox.c.id)
            .limit(limit)
        )
        return [await self._with_code(_to_outgoing(row)) for row in rows.all()]

    async def next_outgoing_at(self, *, busy: Collection[AppKey] = ()) -> datetime | None:
        """When the next head is due; past moments mean now. Without busy applications."""
        moment: datetime | None = await self._conn.scalar(
            select(outbox.c.due_at)
            .where(_IS_QUEUED, or_(outbox.c.attempts > 0, ~_OTHER_IS_RETRIED), *_none_of(busy))
            .order_by(outbox.c.due_at, outbox.c.id)
            .limit(1)
        )
        return moment

    async def mark_sent(self, outbox_id: int, receipt: Receipt, *, at: datetime) -> None:
        await self._conn.execute(
            update(outbox)
            .where(outbox.c.id == outbox_id)
            .values(
                state="sent",
                finished_at=at,
                handle=receipt.handle,
                response_code=receipt.response_code,
                undelivered=list(receipt.undelivered) or None,
            )
        )

    async def retry_later(
        self, outbox_id: int, *, until: datetime, reason: str, counted: bool = True
    ) -> None:
        """Count a failed try. What will have expired by then is dropped now, so that it does
        not hold up its address. Not counted, it has one attempt at least: a message with
        attempts is the head of its address."""
        one = outbox.c.id == outbox_id
        attempts: ColumnElement[int] = outbox.c.attempts + 1
        if not counted:
            attempts = case((outbox.c.attempts > 0, outbox.c.attempts), else_=1)
        await self._conn.execute(
            update(outbox).where(one).values(attempts=attempts, due_at=until, reason=reason)
        )
        await self._drop(one, outbox.c.expires_at <= until, at=until, reason=EXPIRED)

    async def try_now(self, app: AppKey, *, at: datetime) -> None:
        """What waits for another try through this application is due at once."""
        platform, name = app
        await self._conn.execute(
            update(outbox)
            .where(
                _IS_QUEUED,
                outbox.c.attempts > literal_column("0"),
                outbox.c.due_at > at,
                outbox.c.platform == platform,
                outbox.c.app == name,
            )
            .values(due_at=at)
        )

    async def send_again(self, *, since: datetime | None, at: datetime) -> int:
        """Queue dead letters anew, unless they have expired; how many. since: only those given
        up since."""
        dead = [outbox.c.state == fixed("dead")]
        if since is not None:
            dead.append(outbox.c.finished_at >= since)
        still_good = or_(outbox.c.expires_at.is_(None), outbox.c.expires_at > at)
        queued = await self._conn.execute(
            update(outbox)
            .where(*dead, still_good)
            .values(state="queued", attempts=0, due_at=at, finished_at=None)
        )
        return queued.rowcount

    async def give_up(self, outbox_id: int, *, at: datetime, reason: str) -> None:
        """Make it a dead letter."""
        await self._conn.execute(
            update(outbox)
            .where(outbox.c.id == outbox_id)
            .values(
                state="dead", attempts=outbox.c.attempts + 1, finished_at=at, reason=reason
            )
        )  # fmt: skip

    async def drop_subject(self, subject: str, *, at: datetime) -> int:
        """Drop what is still queued about a subject; how many."""
        about = and_(_IS_QUEUED, outbox.c.subject == subject)
        return await self._drop(about, at=at, reason=SUPERSEDED)

    async def latest_response_code(self, card_id: str) -> str:
        """The newest code, not yet used, that the platform gave for updating this card; ""
        if there is none. Good for 72 h from when the card was sent."""
        code = await self._conn.scalar(
            select(outbox.c.response_code)
            .where(outbox.c.card_id == card_id, outbox.c.response_code != fixed(""))
            .order_by(outbox.c.id.desc())
            .limit(1)
        )
        return code or ""

    async def _with_code(self, outgoing: Outgoing) -> Outgoing:
        """A card update without a response code takes the one its card came with, and keeps
        it for its retries. Only now is it known: the card itself may just have been sent."""
        content = outgoing.content
        if not isinstance(content, CardUpdate) or content.response_code:
            return outgoing
        code = await self.latest_response_code(content.card.card_id)
        if not code:
            return outgoing
        content = replace(content, response_code=code)
        await self._conn.execute(
            update(outbox)
            .where(outbox.c.id == outgoing.id)
            .values(content=content_to_json(content))
        )
        await self._use_up(content)
        return replace(outgoing, content=content)

    async def _use_up(self, content: Content) -> None:
        if isinstance(content, CardUpdate) and content.response_code:
            await self._conn.execute(
                update(outbox)
                .where(
                    outbox.c.card_id == content.card.card_id,
                    outbox.c.response_code == content.response_code,
                )
                .values(response_code="")
            )

    async def _drop(self, *which: ColumnElement[bool], at: datetime, reason: str) -> int:
        dropped = await self._conn.execute(
            update(outbox).where(*which).values(state="dropped", finished_at=at, reason=reason)
        )
        return dropped.rowcount


def _none_of(busy: Collection[AppKey]) -> list[ColumnElement[bool]]:
    return [tuple_(outbox.c.platform, outbox.c.app).not_in(list(busy))] if busy else []


def _to_row(message: OutboundMessage, at: datetime) -> dict[str, Any]:
    to = message.to
    return {
        "dedupe_key": message.dedupe_key,
        "platform": str(to.platform),
        "app": to.app,
        "user_id": to.user_id,
        "chat_id": to.chat_id,
        "webhook": to.webhook,
        "address": to.key,
        "content": content_to_json(message.content),
        "subject": message.subject,
        "card_id": _card_id(message.content),
        "queued_at": at,
        "due_at": max(at, message.not_before or at),
        "expires_at": message.expires_at,
        "state": "queued",
    }


def _card_id(content: Content) -> str | None:
    if isinstance(content, Card):
        return content.card_id
    return content.card.card_id if isinstance(content, CardUpdate) else None


def _to_outgoing(row: AnyRow) -> Outgoing:
    to = Address(
        platform=Platform(row.platform),
        app=row.app,
        user_id=row.user_id,
        chat_id=row.chat_id,
        webhook=row.webhook,
    )
    content = content_from_json(row.content)
    return Outgoing(row.id, row.dedupe_key, to, content, row.attempts)
