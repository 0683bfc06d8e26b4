"""One envelope: store, answer, parse, fetch, lock, transaction, handler, queue the reply.

Order holds within a conversation: each has a lane, a lane works on one envelope at a time,
the earliest sent first. Different lanes run side by side.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.clock import Clock
from bot.errors import BotError, InvalidInput, PermanentError, TransientError, UserError
from bot.messages import (
    Attachment,
    Envelope,
    Fetched,
    InboundMessage,
    Incoming,
    OutboundMessage,
    Text,
)
from bot.ports import ChatConnector, FileStore, Pending, Release, Store, Transcriber, UnitOfWork

Tx = TypeVar("Tx", bound=UnitOfWork)
Handle = Callable[[Tx, Incoming], Awaitable[Sequence[OutboundMessage]]]

MAX_ATTEMPTS = 5
BACKOFF_S = 2.0  # 2, 4, 8, 16 s between the attempts
MAX_WAITING = 50_000  # envelopes in memory; beyond it doors answer 503 and platforms resend
IN_FLIGHT = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the engine itself has to say to a sender."""

    apology: Callable[[str], str]  # reference -> text


class Dispatcher(Generic[Tx]):
    """Owns the lanes. `handle` is what handlers/ made of its table of routes."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        connectors: Mapping[tuple[str, str], ChatConnector],
        files: FileStore,
        handle: Handle[Tx],
        clock: Clock,
        wording: Wording,
        transcriber: Transcriber | None = None,
        queued: Callable[[], None] = lambda: None,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self._store = store
        self._connectors = connectors
        self._files = files
        self._handle = handle
        self._clock = clock
        self._wording = wording
        self._transcriber = transcriber
        self._queued = queued
        self._backoff_s = backoff_s
        self._lanes: dict[str, list[tuple[datetime, int, Pending]]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._waiting = 0
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def accept(self, envelope: Envelope) -> Release:
        """Store durably; see `bot.ports.Accept`."""
        if self._waiting >= MAX_WAITING:
            raise TransientError("too many messages waiting")
        stored = await self._store.append(envelope)
        if stored is None or envelope.unreadable is not None:
            return _nothing
        pending = Pending(id=stored, envelope=envelope, attempts=0)
        return lambda: self.feed(pending)

    def feed(self, pending: Pending) -> None:
        """Put a stored envelope into its lane."""
        if self._stopping:
            return
        self._waiting += 1
        self._idle.clear()
        key = pending.envelope.conversation
        lane = self._lanes.setdefault(key, [])
        heapq.heappush(lane, (pending.envelope.sent_at, pending.id, pending))
        if len(lane) == 1:
            worker = asyncio.create_task(self._run_lane(key, lane), name=f"lane {key}")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def recover(self) -> int:
        """Feed what was stored and not finished, at start and after `replay`."""
        waiting = await self._store.unfinished(at=self._clock.now())
        known = {entry[1] for lane in self._lanes.values() for entry in lane}
        fresh = [pending for pending in waiting if pending.id not in known]
        for pending in fresh:
            self.feed(pending)
        return len(fresh)

    async def drained(self) -> None:
        """Wait until no envelope is waiting or in work."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Finish what is in work; the rest stays stored for the next start."""
        self._stopping = True
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _run_lane(self, key: str, lane: list[tuple[datetime, int, Pending]]) -> None:
        # The entry stays on the heap while in work, so that `feed` starts no second worker;
        # an earlier one that arrives meanwhile must not be popped in its place.
        while lane and not self._stopping:
            entry = lane[0]
            async with self._slots:
                again_in_s = await self._work(entry[2])
            if again_in_s is not None:
                await self._pause(again_in_s)
                lane.remove(entry)
                pending = replace(entry[2], attempts=entry[2].attempts + 1)
                lane.append((entry[0], entry[1], pending))
            else:
                lane.remove(entry)
                self._waiting -= 1
            heapq.heapify(lane)
        self._lanes.pop(key, None)
        if not self._lanes:
            self._idle.set()

    async def _pause(self, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            if self._stopping:
                return
            await asyncio.sleep(0.1)

    async def _work(self, pending: Pending) -> float | None:
        """Handle one envelope; seconds until the next attempt, or None when it is over."""
        try:
            await self._dispatch(pending)
        except TransientError as error:
            return await self._try_again(pending, error)
        except InvalidInput as error:
            await self._bury(pending, f"unreadable: {error}", tell=False)
        except PermanentError as error:
            log.error("handling failed for good", extra=_fields(pending, error))
            await self._bury(pending, str(error), tell=True)
        except Exception as error:
            log.exception("handling failed", extra=_fields(pending, error))
            return await self._try_again(pending, error)
        return None

    async def _try_again(self, pending: Pending, error: Exception) -> float | None:
        reason = f"{type(error).__name__}: {error}"
        attempts = pending.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            await self._bury(pending, f"after {attempts} attempts: {reason}", tell=True)
            return None
        wait_s = self._backoff_s * 2.0 ** (attempts - 1)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, 60.0))
        try:
            async with self._store.begin() as tx:
                until = self._clock.now() + timedelta(seconds=wait_s)
                await tx.delivery.postpone(pending.id, until=until, reason=reason)
        except Exception as lost:  # noqa: BLE001 - the row is still there; only the note is not
            log.warning("could not note a failed attempt", extra=_fields(pending, lost))
        return wait_s

    async def _bury(self, pending: Pending, reason: str, *, tell: bool) -> None:
        """Make it a dead letter, and tell the sender if they wait for an answer."""
        reference = uuid.uuid4().hex[:8]
        log.warning("dead letter", extra={**_fields(pending), "reference": reference})
        try:
            async with self._store.begin() as tx:
                at = self._clock.now()
                await tx.delivery.bury(pending.id, at=at, reason=f"{reason} [{reference}]")
                if tell:
                    apology = self._apology(pending, reference)
                    await tx.delivery.queue(apology, at=at)
            self._queued()
        except Exception as lost:
            log.exception("could not bury", extra=_fields(pending, lost))

    def _apology(self, pending: Pending, reference: str) -> list[OutboundMessage]:
        try:
            message = self._connector(pending.envelope).parse(pending.envelope)
        except BotError:
            return []
        if not message.sender_id:
            return []
        return [
            OutboundMessage(
                dedupe_key=f"{_source(pending.envelope)}:apology:{reference}",
                to=message.origin,
                content=Text(self._wording.apology(reference)),
            )
        ]

    async def _dispatch(self, pending: Pending) -> None:
        connector = self._connector(pending.envelope)
        message = connector.parse(pending.envelope)
        incoming = await self._fetch(connector, message, pending)
        note = "; ".join(file.lost for file in incoming.files if file.lost)
        try:
            async with self._store.begin() as tx:
                answers = await self._handle(tx, incoming)
                await tx.delivery.queue(self._parts(answers), at=incoming.at)
                await tx.delivery.finish(pending.id, at=incoming.at, note=note)
        except UserError as refusal:
            await self._explain(pending, message, str(refusal))
        self._queued()

    async def _explain(self, pending: Pending, message: InboundMessage, text: str) -> None:
        """The user's mistake rolled everything back; tell them why."""
        at = self._clock.now()
        answer = OutboundMessage(
            dedupe_key=f"{_source(pending.envelope)}:refused",
            to=message.origin,
            content=Text(text),
        )
        async with self._store.begin() as tx:
            await tx.delivery.queue(self._parts([answer]), at=at)
            await tx.delivery.finish(pending.id, at=at)

    def _parts(self, messages: Sequence[OutboundMessage]) -> list[OutboundMessage]:
        return split_all(self._connectors, messages)

    def _connector(self, envelope: Envelope) -> ChatConnector:
        try:
            return self._connectors[(envelope.platform, envelope.app)]
        except KeyError:
            raise PermanentError(f"no application is configured for {envelope.channel}") from None

    async def _fetch(
        self, connector: ChatConnector, message: InboundMessage, pending: Pending
    ) -> Incoming:
        """Everything that needs the network, before any transaction."""
        last_try = pending.attempts + 1 >= MAX_ATTEMPTS
        files = [
            await self._fetch_file(connector, attachment, last_try=last_try)
            for attachment in message.attachments
        ]
        directory = None
        if message.change is not None:
            if message.change.everything or message.change.department_ids:
                directory = await connector.read_directory()
            else:
                gone = message.change.left_user_ids
                directory = await connector.read_users([*message.change.user_ids, *gone])
        return Incoming(
            message=message,
            source_id=_source(pending.envelope),
            at=self._clock.now(),
            files=tuple(files),
            directory=directory,
        )

    async def _fetch_file(
        self, connector: ChatConnector, attachment: Attachment, *, last_try: bool
    ) -> Fetched:
        try:
            data, name = await connector.download(attachment)
            stored = await self._files.put(data, name=attachment.name or name)
        except TransientError as error:
            if not last_try:
                raise
            return Fetched(attachment, lost=f"{attachment.kind}: {error}")
        except (PermanentError, UserError) as error:
            return Fetched(attachment, lost=f"{attachment.kind}: {error}")
        transcript = attachment.transcript
        if attachment.kind == "voice" and not transcript and self._transcriber is not None:
            transcript = await self._transcriber.transcribe(data, name=stored.name)
        table = data if stored.name.lower().endswith(".csv") else b""
        return Fetched(attachment, stored=stored, transcript=transcript, table=table)


def split_all(
    connectors: Mapping[tuple[str, str], ChatConnector], messages: Sequence[OutboundMessage]
) -> list[OutboundMessage]:
    """Each message in the parts its platform can carry, in order, keyed part by part."""
    parts: list[OutboundMessage] = []
    for message in messages:
        connector = connectors.get((message.to.platform, message.to.app))
        contents = connector.split(message.content) if connector else [message.content]
        for number, content in zip(itertools.count(), contents):
            key = message.dedupe_key if number == 0 else f"{message.dedupe_key}#{number}"
            parts.append(replace(message, dedupe_key=key, content=content))
    return parts


def _source(envelope: Envelope) -> str:
    return f"{envelope.channel}:{envelope.delivery_id}"


def _fields(pending: Pending, error: BaseException | None = None) -> dict[str, object]:
    return {
        "action": "dispatch",
        "channel": pending.envelope.channel,
        "delivery_id": pending.envelope.delivery_id,
        "conversation_id": pending.envelope.conversation,
        "attempts": pending.attempts,
        **({"error": repr(error)} if error else {}),
    }


def _nothing() -> None:
    """A known delivery, or one that can never be read: nothing to work on."""
