"""One partition of the stream, in the hands of one process: from there into the database, in order.

The stream keeps what is not acknowledged, and a message is acknowledged once the database has it.
So whoever begins a new consumer gets all that is not in the database, from the first one on. That
is done whenever anything may have been missed (another process had the partition, a connection was
lost, a number is missing), so that nothing is handed over before its predecessor. What was in the
database already is known there by its delivery id.

The server lets a work queue have one consumer for each subject. Whoever takes over deletes the one
of its predecessor, whose process may be dead, or only slow: then what it still has in hand is in
the database before ours, or after ours and known.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import Counter

from bot.clock import Clock, wait_for
from bot.errors import Unavailable
from bot.messages import Envelope
from bot.ports import Accept, Release
from connectors.queue import wire
from connectors.queue.session import Session

if TYPE_CHECKING:
    from nats.aio.msg import Msg

IN_HAND = 256
"""Messages of a partition that were delivered and are not acknowledged; the rest waits there."""

HEARTBEAT_S = 5.0
ACK_WAIT_S = 600.0  # nothing is delivered again while it is in hand; who comes next begins anew
FORGOTTEN_S = 60.0  # after which the server drops the consumer of a process that is gone
PAUSE_S = 0.5
TRIES = 5
"""After so many a message that alone cannot be stored becomes a dead letter."""

_NOT_UNIQUE = 10100
_BEGUN = Counter("gendan_queue_consumers_begun_total", "Consumers of the stream that were made.")
_TAKEN = Counter("gendan_queue_taken_total", "Messages that went from the stream to the inbox.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Came:
    """A delivery of the stream. place: its sequence there; number: which delivery it is."""

    message: Msg
    place: int
    number: int

    @classmethod
    def of(cls, message: Msg) -> Came:
        sequence = message.metadata.sequence
        return cls(message, sequence.stream, sequence.consumer)


class _Gap(Exception):
    """Something may have been missed: begin anew."""


class Partition:
    """Takes one partition of the stream into the database. accept: where messages go; done: told of
    each that is there, with what releases it. holds: whether this process has the partition
    still."""

    def __init__(
        self,
        session: Session,
        subject: str,
        accept: Accept,
        *,
        done: Callable[[Envelope, Release], None],
        holds: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._session = session
        self._subject = subject
        self._accept = accept
        self._done = done
        self._holds = holds
        self._clock = clock
        self._came: deque[Msg] = deque()
        self._stirred = asyncio.Event()
        self._ended = asyncio.Event()
        self._seen = 0

    def end(self) -> None:
        """What is in hand is still taken in, or left in the stream."""
        self._ended.set()
        self._stirred.set()

    @property
    def _is_over(self) -> bool:
        return self._ended.is_set() or self._session.lost.is_set()

    async def run(self) -> None:
        """Until `end`, or until the connection is lost."""
        while not self._is_over:
            if self._holds():
                try:
                    async with self._consumer():
                        await self._take_all()
                except _Gap as gap:
                    log.info("a consumer is begun anew", extra=self._fields(str(gap)))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                    if not self._is_over:
                        log.warning("no consumer", extra=self._fields(repr(error)))
            await wait_for(self._ended, PAUSE_S)

    async def _take_all(self) -> None:
        while not self._is_over and self._holds():
            for batch in self._rounds(await self._next()):
                await asyncio.gather(*(self._take(came, envelope) for came, envelope in batch))

    @contextlib.asynccontextmanager
    async def _consumer(self) -> AsyncIterator[None]:
        """A new one, whose deliveries come to `_came` meanwhile."""
        self._came.clear()
        self._seen = 0
        inbox = f"_INBOX.{secrets.token_hex(11)}"
        name = f"{self._subject.replace('.', '-')}-{secrets.token_hex(4)}"
        listening = await self._session.client.subscribe(inbox, cb=self._hear)
        try:
            await self._make(name, inbox)
            _BEGUN.inc()
            try:
                yield
            finally:
                await self._drop(name)
        finally:
            with contextlib.suppress(Exception):  # the connection is gone, and this with it
                await listening.unsubscribe()

    async def _make(self, name: str, inbox: str) -> None:
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
        from nats.js.errors import APIError

        config = ConsumerConfig(
            name=name,
            filter_subject=self._subject,
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_deliver=-1,
            max_ack_pending=IN_HAND,
            idle_heartbeat=HEARTBEAT_S,
            inactive_threshold=FORGOTTEN_S,
            mem_storage=True,  # what it knows is not needed again
        )
        jetstream, stream = self._session.jetstream, self._session.stream
        try:
            await jetstream.add_consumer(stream, config)
        except APIError as error:
            if error.err_code != _NOT_UNIQUE:
                raise
            for other in await jetstream.consumers_info(stream):
                if other.config.filter_subject == self._subject:
                    await self._drop(other.name)
            await jetstream.add_consumer(stream, config)

    async def _drop(self, name: str) -> None:
        with contextlib.suppress(Exception):  # it is gone, or the server drops it by itself
            if not self._session.lost.is_set():
                await self._session.jetstream.delete_consumer(self._session.stream, name)

    async def _hear(self, message: Msg) -> None:
        self._came.append(message)
        self._stirred.set()

    async def _next(self) -> list[Came]:
        """What has come, in order. Raises _Gap when something is missing, or nothing was heard
        of the server for two heartbeats."""
        if not self._came:
            self._stirred.clear()
            await wait_for(self._stirred, HEARTBEAT_S * 2 + 1)
            if not self._stirred.is_set() and not self._is_over:
                raise _Gap("no heartbeat")
        found = []
        while self._came:
            message = self._came.popleft()
            if not message.reply:
                self._heard_beat(message)
                continue
            came = Came.of(message)
            if came.number != self._seen + 1:
                raise _Gap("a delivery is missing")
            self._seen = came.number
            found.append(came)
        return found

    def _heard_beat(self, message: Msg) -> None:
        last = (message.headers or {}).get("Nats-Last-Consumer")
        if last is not None and int(last) != self._seen:
            raise _Gap("the last delivery is missing")

    def _rounds(self, found: Sequence[Came]) -> list[list[tuple[Came, Envelope]]]:
        """Each has a conversation once: its next message is stored after it, never beside it."""
        rounds: list[list[tuple[Came, Envelope]]] = []
        next_round: dict[str, int] = {}
        for came in found:
            envelope = self._read(came)
            number = next_round.get(envelope.conversation, 0)
            next_round[envelope.conversation] = number + 1
            if number == len(rounds):
                rounds.append([])
            rounds[number].append((came, envelope))
        return rounds

    def _read(self, came: Came) -> Envelope:
        try:
            return wire.unpack(came.message.data)
        except ValueError as error:
            return self._dead(came, f"unreadable in the queue: {error}")

    def _dead(self, came: Came, reason: str) -> Envelope:
        log.error("a message of the queue becomes a dead letter", extra=self._fields(reason))
        return wire.dead_letter(
            self._session.stream,
            came.place,
            came.message.data,
            at=self._clock.now(),
            reason=reason,
        )

    async def _take(self, came: Came, envelope: Envelope) -> None:
        """Into the database, then acknowledged, then released: what is stored is released even
        if all ends in between, since nobody else would; what is not stays in the stream."""
        release = await self._store(came, envelope)
        if release is None:
            return
        with contextlib.suppress(Exception):  # else it comes again, and is known
            await came.message.ack()
        _TAKEN.inc()
        self._done(envelope, release)

    async def _store(self, came: Came, envelope: Envelope) -> Release | None:
        """None when it was to end before the database took it."""
        tries = 0
        while not self._is_over:
            try:
                return await self._accept(envelope)
            except Unavailable:  # too many wait: none of its fault
                pass
            except Exception as error:  # noqa: BLE001 - judged by whether the database works
                tries += 1
                log.warning("not stored", extra=self._fields(type(error).__name__))
                if tries >= TRIES and (kept := await self._bury(came, error)) is not None:
                    return kept
            await wait_for(self._ended, PAUSE_S * min(2 ** max(tries - 1, 0), 8))
        return None

    async def _bury(self, came: Came, error: Exception) -> Release | None:
        """As a dead letter, which can be stored only if the database works: then it was the
        message. None: it is the database."""
        reason = f"the database refuses it: {type(error).__name__}"
        try:
            return await self._accept(self._dead(came, reason))
        except Exception:  # noqa: BLE001 - told by the try before
            return None

    def _fields(self, reason: str) -> dict[str, object]:
        return {"action": "queue", "subject": self._subject, "reason": reason}
