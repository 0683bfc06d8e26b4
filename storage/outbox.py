"""The outbox: what is to be sent, in order for each address.

Order of an address is the order in which its messages became due: by the later of queue
time and not_before, then by id. So a message scheduled for tomorrow holds nobody up today,
and tomorrow takes its place before what is queued after it. `due_at` holds that moment.

A failed try moves `due_at` to the next try, and the address waits for it. The message that
was tried was the head, and heads are all that is ever tried: an address has at most one
queued message with attempts, and that one is its head until it is sent or given up.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import (
    Address,
    Card,
    CardUpdate,
    Load,
    Markdown,
    OutboundMessage,
    Platform,
    Receipt,
    Text,
    content_from_json,
    content_to_json,
)
from bot.ports import AppKey, Outgoing
from bot.watching import trace_under_way
from storage.dialects import AnyRow, among, begins_with, fixed, in_chunks, prepared_insert
from storage.tables import outbox

LOOKED_BACK = 100_000
"""Messages among which the last ones of a chat are looked for: no index leads there, and one would
cost every message that is sent."""

EXPIRED = "expired"
NO_WORDS = content_to_json(Text(""))
"""The content of a message whose words were removed; nobody is sent it."""

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
_OF_APP = and_(
    _IS_QUEUED, outbox.c.platform == bindparam("platform"), outbox.c.app == bindparam("app")
)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # puts the whole queue of an application behind us
_NEXT_APP = (
    select(outbox.c.platform, outbox.c.app)
    .where(
        _IS_QUEUED,
        tuple_(outbox.c.platform, outbox.c.app, outbox.c.due_at)
        > tuple_(bindparam("platform"), bindparam("app"), bindparam("due_at", _NEVER)),
    )
    .order_by(outbox.c.platform, outbox.c.app)
    .limit(1)
)
_DUE_HEADS = (
    select(outbox)
    .where(
        _OF_APP,
        outbox.c.due_at <= bindparam("at"),
        or_(outbox.c.attempts > 0, and_(~_OTHER_IS_EARLIER, ~_OTHER_IS_RETRIED)),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
)
_NEXT_DUE_AT = (
    select(outbox.c.due_at)
    .where(_OF_APP, or_(outbox.c.attempts > 0, ~_OTHER_IS_RETRIED))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(1)
)
_QUEUE = prepared_insert(outbox, lambda new: new.on_conflict_do_nothing(), unread=True)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent, for whoever asks who read it. handle: the platform's own. title: how
    it begins."""

    handle: str
    title: str
    sent_at: datetime


def _title_of(content: Load) -> str:
    told = content.title if isinstance(content, Markdown | Card) else ""
    if isinstance(content, Text):
        told = content.text
    return (told.strip().splitlines() or [""])[0][:30]


class Outbox:
    """States of outbound messages: queued -> sent, dead or dropped."""

    _conn: AsyncConnection

    async def queue(self, messages: Sequence[OutboundMessage], *, at: datetime) -> None:
        """Append; known dedupe keys are passed over. A response code that goes out with a
        card update is used up, as the platform takes each once."""
        if not messages:
            return
        await self._conn.execute(_QUEUE(self._conn), [_to_row(message, at) for message in messages])
        for message in messages:
            await self._use_up(message.content)

    async def answered(self, source_id: str) -> bool:
        """Whether an answer to this delivery was ever queued."""
        of_it = begins_with(outbox.c.dedupe_key, f"{source_id}:")
        found = await self._conn.scalar(select(outbox.c.id).where(of_it).limit(1))
        return found is not None

    async def take_due(
        self, *, at: datetime, limit: int, busy: Container[AppKey] = ()
    ) -> Sequence[Outgoing]:
        """The due heads, one for each address, without those of busy applications. What has
        expired is dropped on the way."""
        await self._drop(_IS_QUEUED, outbox.c.expires_at <= at, at=at, reason=EXPIRED)
        due: list[AnyRow] = []
        for app in await self._idle(busy):
            due += await self._conn.execute(_DUE_HEADS, {**app, "at": at, "most": limit})
        due.sort(key=lambda row: (row.due_at, row.id))
        return [await self._with_code(_to_outgoing(row)) for row in due[:limit]]

    async def next_outgoing_at(self, *, busy: Container[AppKey] = ()) -> datetime | None:
        """When the next head is due; past moments mean now. Without busy applications."""
        moments = [await self._conn.scalar(_NEXT_DUE_AT, app) for app in await self._idle(busy)]
        return min((moment for moment in moments if moment is not None), default=None)

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
            update(outbox)
            .where(one, _IS_QUEUED)
            .values(attempts=attempts, due_at=until, reason=reason)
        )
        await self._drop(one, _IS_QUEUED, outbox.c.expires_at <= until, at=until, reason=EXPIRED)

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

    async def send_again(
        self, *, since: datetime | None, at: datetime, ids: Sequence[int] | None = None
    ) -> int:
        """Queue dead letters anew, unless they have expired or lost their words; how many. since:
        only those given up since. ids: only these."""
        dead = [outbox.c.state == fixed("dead"), outbox.c.content != NO_WORDS]
        if ids is not None:
            dead.append(among(self._conn, outbox.c.id, ids))
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
        """Make it a dead letter, unless another process has sent it."""
        await self._conn.execute(
            update(outbox)
            .where(outbox.c.id == outbox_id, _IS_QUEUED)
            .values(
                state="dead", attempts=outbox.c.attempts + 1, finished_at=at, reason=reason
            )
        )  # fmt: skip

    async def drop_subjects(self, subjects: Iterable[str], *, at: datetime) -> int:
        """Drop what is still queued about any of these; how many."""
        dropped = 0
        for chunk in in_chunks(subjects):
            about = and_(_IS_QUEUED, outbox.c.subject.in_(chunk))
            dropped += await self._drop(about, at=at, reason=SUPERSEDED)
        return dropped

    async def supersede(self, subject: str, *, at: datetime) -> int:
        """Drop what is queued or was given up about a subject, so that no replay brings it
        back; how many."""
        given_up = and_(outbox.c.state == fixed("dead"), outbox.c.subject == subject)
        gone = await self._drop(given_up, at=at, reason=SUPERSEDED)
        return gone + await self.drop_subjects([subject], at=at)

    async def last_to(
        self, addresses: Collection[str], *, since: datetime, but: tuple[str, ...] = ()
    ) -> dict[str, SentMessage]:
        """Address -> the newest message sent there since then that the platform gave a handle of
        its own. but: beginnings of messages that do not count. Only the newest LOOKED_BACK rows
        are looked at."""
        newest = select(func.max(outbox.c.id)).scalar_subquery()
        columns = outbox.c.address, outbox.c.handle, outbox.c.content, outbox.c.finished_at
        found: dict[str, SentMessage] = {}
        for chunk in in_chunks(addresses):
            rows = await self._conn.execute(
                select(*columns)
                .where(
                    outbox.c.id > newest - LOOKED_BACK,
                    outbox.c.address.in_(chunk),
                    outbox.c.state == "sent",
                    outbox.c.finished_at >= since,
                    outbox.c.handle != "",
                    or_(outbox.c.card_id.is_(None), outbox.c.card_id != outbox.c.handle),
                )
                .order_by(outbox.c.id)
            )
            for row in rows:
                title = _title_of(content_from_json(row.content))
                if not title.startswith(but):
                    found[row.address] = SentMessage(row.handle, title, row.finished_at)
        return found

    async def sent_since(self, app: AppKey, since: datetime) -> list[tuple[Address, datetime]]:
        """What went through this application, in order of time. Only the newest LOOKED_BACK rows
        are looked at."""
        newest = select(func.max(outbox.c.id)).scalar_subquery()
        columns = outbox.c.user_id, outbox.c.chat_id, outbox.c.webhook, outbox.c.finished_at
        rows = await self._conn.execute(
            select(*columns)
            .where(
                outbox.c.id > newest - LOOKED_BACK,
                outbox.c.platform == app[0],
                outbox.c.app == app[1],
                outbox.c.state == "sent",
                outbox.c.finished_at >= since,
            )
            .order_by(outbox.c.finished_at)
        )
        platform = Platform(app[0])
        return [
            (Address(platform, app[1], row.user_id, row.chat_id, row.webhook), row.finished_at)
            for row in rows
        ]

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

    async def _idle(self, busy: Container[AppKey]) -> list[dict[str, str]]:
        """The applications, not busy, for which anything is queued, as parameters: one step
        through the index for each. Asked for by application, a long queue of one costs the
        others nothing."""
        found = []
        app = {"platform": "", "app": ""}
        while (row := (await self._conn.execute(_NEXT_APP, app)).one_or_none()) is not None:
            app = {"platform": row.platform, "app": row.app}
            if (row.platform, row.app) not in busy:
                found.append(app)
        return found

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

    async def _use_up(self, content: Load) -> None:
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
        "trace": trace_under_way.get() or None,
    }


def _card_id(content: Load) -> str | None:
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
    return Outgoing(row.id, row.dedupe_key, to, content, row.attempts, row.trace or "")
