"""One envelope: store, answer, parse, fetch, lock, transaction, handler, queue the reply.

Order holds within a conversation: each has a lane, a lane works on one envelope at a time,
the earliest sent first. Different lanes run side by side.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from bot.clock import Clock, wait_for
from bot.errors import (
    FilesAway,
    InvalidInput,
    PermanentError,
    TransientError,
    Unavailable,
    UserError,
)
from bot.fetching import Fetching, Stopped, one_of
from bot.lane import Lane
from bot.messages import (
    Envelope,
    ForecastLine,
    InboundMessage,
    Incoming,
    OutboundMessage,
    Text,
)
from bot.ports import (
    ChatConnector,
    EnvelopeReader,
    FileStore,
    Pending,
    Preparation,
    Release,
    SecondReader,
    Shares,
    Store,
    Transcriber,
    UnitOfWork,
)
from bot.watching import Aside, Watcher, kind_of

Tx = TypeVar("Tx", bound=UnitOfWork)
Handle = Callable[[Tx, Incoming], Awaitable[Sequence[OutboundMessage]]]
HandOver = Callable[[str, int], None]
"""Told of a conversation that another process handles, and what was stored for it."""

MAX_ATTEMPTS = 5
BACKOFF_S = 2.0  # 2, 4, 8, 16 s between the attempts
MAX_WAITING = 50_000  # envelopes in memory; beyond it doors answer 500 and platforms resend
IN_FLIGHT = 32
_ANOTHERS_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the engine itself has to say to a sender."""

    apology: Callable[[str], str]  # reference -> text


@dataclass(frozen=True, slots=True)
class _Again:
    """Another attempt, after a while."""

    in_s: float
    pending: Pending


class _HandledBefore(Aside):
    """Somebody else was faster: roll back."""


class Dispatcher(Generic[Tx]):
    """Owns the lanes. `handle` is what handlers/ made of its table of routes. preparations: done
    for a message, in turn, before its transaction. readers: of doors through which nobody is
    answered, beside the connectors. shares: which conversations are handled here, where several
    processes share the database; hand_over: told of what another one is to handle."""

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
        second_reader: SecondReader | None = None,
        preparations: Sequence[Preparation] = (),
        readers: Mapping[tuple[str, str], EnvelopeReader] | None = None,
        queued: Callable[[], None] = lambda: None,
        backoff_s: float = BACKOFF_S,
        shares: Shares | None = None,
        hand_over: HandOver | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._watcher = watcher or Watcher()
        self._shares = shares
        self._hand_over = hand_over
        self._store = store
        self._connectors = connectors
        self._readers: Mapping[tuple[str, str], EnvelopeReader] = {**(readers or {}), **connectors}
        self._handle = handle
        self._clock = clock
        self._wording = wording
        self._queued = queued
        self._backoff_s = backoff_s
        self._lanes: dict[str, Lane] = {}
        self._waiting: set[int] = set()  # ids of all that is in a lane or about to be
        self._doubts = self._looked_after = 0  # times the store failed; those cleared up since
        self._workers: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._stopping = asyncio.Event()
        self._fetching = Fetching(
            connectors,
            files,
            clock,
            self._stopping,
            transcriber=transcriber,
            second_reader=second_reader,
            preparations=preparations,
        )
        self._progress = asyncio.Event()

    async def accept(self, envelope: Envelope) -> Release:
        """Store durably; see `bot.ports.Accept`."""
        if len(self._waiting) >= MAX_WAITING:
            raise Unavailable("too many messages waiting")
        with self._watcher.accepting(envelope):
            stored = await self._append(envelope)
        release = self._release_of(stored, envelope)
        if self._looked_after < self._doubts:
            try:
                await self._look_for_doubtful()
            except BaseException:  # whoever asked has gone: nobody else will let it go
                release()
                raise
        return release

    async def _append(self, envelope: Envelope) -> int | None:
        try:
            return await self._store.append(envelope)
        except Exception:
            self._doubts += 1
            raise

    def _release_of(self, stored: int | None, envelope: Envelope) -> Release:
        if stored is not None and envelope.unreadable is not None:
            self._watcher.buried("inbox", "unreadable")
        if stored is None or envelope.unreadable is not None or stored in self._waiting:
            return _nothing
        if self._hand_over is not None and not self._is_ours(envelope.conversation):
            return partial(self._hand_over, envelope.conversation, stored)
        self._waiting.add(stored)  # so that `recover` leaves it to the door
        return lambda: self._feed(Pending(id=stored, envelope=envelope, attempts=0))

    async def _look_for_doubtful(self) -> None:
        """What the store took though it seemed to fail nobody here knows of, and when it is sent
        again it is a known delivery. What is let go later must not overtake it."""
        doubts = self._doubts
        try:
            await self.recover()
        except Exception:
            log.exception("the inbox could not be read", extra={"action": "recover"})
        else:
            self._looked_after = max(self._looked_after, doubts)

    async def take(self, inbox_ids: Sequence[int]) -> None:
        """What another process took in for a conversation of ours."""
        for pending in await self._store.pending_of(inbox_ids):
            if pending.id not in self._waiting:
                self._waiting.add(pending.id)
                self._feed(pending)

    def drop_others(self) -> None:
        """Conversations that are ours no more: what waits in them stays stored. What is in work
        goes on, and its end is refused if somebody else has begun with it."""
        for key, lane in self._lanes.items():
            if not self._is_ours(key):
                self._waiting -= lane.clear()
        self._progress.set()

    def _is_ours(self, conversation: str) -> bool:
        return self._shares is None or self._shares.fence_of(conversation) is not None

    def _feed(self, pending: Pending) -> None:
        """Put a stored envelope into its lane."""
        if self._stopping.is_set():
            return
        key = pending.envelope.conversation
        if not self._is_ours(key):  # any more
            self._waiting.discard(pending.id)
            if self._hand_over is not None:
                self._hand_over(key, pending.id)
            return
        if key not in self._lanes:
            self._lanes[key] = Lane()
            worker = asyncio.create_task(self._run_lane(key, self._lanes[key]), name=f"lane {key}")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        self._lanes[key].push(pending)

    def is_at_work(self, conversation: str) -> bool:
        """Whether something that was said there is being handled or waits for it."""
        return conversation in self._lanes

    async def recover(self) -> int:
        """Feed what was stored and not finished, before the doors open and after `replay`; how
        many. What is postponed is tried at once, so that nothing overtakes it."""
        fed = 0
        while len(self._waiting) < MAX_WAITING:
            # As of now: what is finished while the database is read may still look unfinished.
            page = await self._store.unfinished(
                besides=frozenset(self._waiting), ours=self._is_ours if self._shares else None
            )
            if not page:
                break
            for pending in page:
                if pending.id not in self._waiting:
                    self._waiting.add(pending.id)
                    self._feed(pending)
                    fed += 1
        return fed

    async def drained(self) -> None:
        """Wait until all that was accepted by now is handled."""
        left = set(self._waiting)
        while left := left & self._waiting:
            self._progress.clear()
            await self._progress.wait()

    async def stop(self) -> None:
        """Finish what is in work; the rest stays stored for the next start."""
        self._stopping.set()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _run_lane(self, key: str, lane: Lane) -> None:
        at_work: Pending | None = None
        try:
            while lane and not self._stopping.is_set():
                at_work = lane.pop()
                if self._shares is not None:
                    at_work = await self._first_of(self._shares, lane, at_work)
                if at_work is not None:
                    await self._advance(lane, at_work)
                    at_work = None
        finally:  # a lane that dies of an error leaves all to `recover`
            del self._lanes[key]
            self._waiting -= lane.clear() | ({at_work.id} if at_work is not None else set())
            self._progress.set()

    async def _advance(self, lane: Lane, pending: Pending) -> None:
        again = await self._work(pending)
        if again is None:
            self._waiting.discard(pending.id)
            self._progress.set()
        else:
            await wait_for(self._stopping, again.in_s)
            lane.push(again.pending)

    async def _first_of(self, shares: Shares, lane: Lane, pending: Pending) -> Pending | None:
        """What stands first in the conversation of `pending`, which another process may have
        taken in; None when this round is over. Asked of the database each time: what somebody
        said to another process a moment ago must not be overtaken here."""
        key = pending.envelope.conversation
        try:
            first = await self._store.first_of(key)
        except Exception as error:  # noqa: BLE001 - it is stored, and asked for again
            again = self._without_store(pending, error)
            await wait_for(self._stopping, again.in_s)
            lane.push(pending)
            return None
        fence = shares.fence_of(key)
        if first is None or fence is None:
            self._waiting.discard(pending.id)
            self._progress.set()
            return None
        if first.id != pending.id:
            lane.push(pending)
        return replace(first, fence=fence)

    async def _work(self, pending: Pending) -> _Again | None:
        """Handle one envelope; None when it is over."""
        try:
            with self._watcher.handling(pending.envelope, pending.attempts):
                await self._dispatch(pending)
        except Stopped:
            return None
        except _HandledBefore:
            if self._shares is not None:  # whoever has it now is known here in a moment
                await wait_for(self._stopping, _ANOTHERS_S)
            return None
        except FilesAway as error:
            return self._without_store(pending, error)
        except TransientError as error:
            return await self._try_again(pending, error)
        except InvalidInput as error:
            return await self._bury(pending, error, f"unreadable: {error}", tell=False)
        except PermanentError as error:
            log.error("handling failed for good", extra=_fields(pending, error))
            return await self._bury(pending, error, str(error), tell=True)
        except Exception as error:
            log.exception("handling failed", extra=_fields(pending, error))
            return await self._try_again(pending, error)
        return None

    async def _try_again(self, pending: Pending, error: Exception) -> _Again | None:
        reason = f"{type(error).__name__}: {error}"
        attempts = pending.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            told = f"after {attempts} attempts: {reason}"
            return await self._bury(pending, error, told, tell=True)
        wait_s = self._backoff_s * 2.0 ** (attempts - 1)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, 60.0))
        try:
            async with self._store.begin() as tx:
                until = self._clock.now() + timedelta(seconds=wait_s)
                await tx.delivery.postpone(
                    pending.id, until=until, reason=reason, received_at=pending.envelope.received_at
                )
        except Exception as lost:  # noqa: BLE001 - the row is still there; only the note is not
            return self._without_store(pending, lost)
        return _Again(wait_s, replace(pending, attempts=attempts))

    def _without_store(self, pending: Pending, error: Exception) -> _Again:
        """No fault of the message: it waits, and the attempt does not count."""
        what = "the store of files" if isinstance(error, FilesAway) else "the database"
        log.error("%s takes nothing", what, extra=_fields(pending, error))
        return _Again(self._backoff_s * 4, pending)

    async def _bury(
        self, pending: Pending, error: Exception, reason: str, *, tell: bool
    ) -> _Again | None:
        """Make it a dead letter, and tell the sender if they wait for an answer."""
        reference = uuid.uuid4().hex[:8]
        apology = self._apology(pending, reference) if tell else []
        try:
            async with self._store.begin() as tx:
                at = self._clock.now()
                if await tx.delivery.bury(
                    pending.id,
                    at=at,
                    reason=f"{reason} [{reference}]",
                    fence=pending.fence,
                    received_at=pending.envelope.received_at,
                ):
                    await tx.delivery.queue(apology, at=at)
        except Exception as lost:  # noqa: BLE001 - the row is still there
            return self._without_store(pending, lost)
        self._watcher.buried("inbox", kind_of(error))
        log.warning("dead letter", extra={**_fields(pending), "reference": reference})
        self._queued()
        return None

    def _apology(self, pending: Pending, reference: str) -> list[OutboundMessage]:
        try:
            message = self._reader(pending.envelope).parse(pending.envelope)
        except Exception:  # noqa: BLE001 - it may be the very reason of the burial
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
        message = self._reader(pending.envelope).parse(pending.envelope)
        incoming = await self._fetching.fetch(
            message,
            source_id=_source(pending.envelope),
            last_try=pending.attempts + 1 >= MAX_ATTEMPTS,
        )
        note = "; ".join(file.lost for file in incoming.files if file.lost)
        async with one_of(self._slots, self._stopping):
            try:
                async with self._store.begin() as tx:
                    answers = await self._answers(tx, pending, incoming, note)
                    await self._finish(tx, pending, answers, at=incoming.at, note=note)
            except UserError as refusal:
                await self._explain(pending, message, str(refusal))
        self._queued()

    async def _answers(
        self, tx: Tx, pending: Pending, incoming: Incoming, note: str
    ) -> Sequence[OutboundMessage]:
        """What the handler says. A word that was answered before acts no second time, since it
        may speak of what is there now: «确认», «撤销»."""
        if pending.replayed and await tx.delivery.answered(incoming.source_id):
            return []
        answers = await self._handle(tx, incoming)
        if not note:
            return answers
        # A replay that gets the whole message has other things to say under the usual keys.
        return [replace(one, dedupe_key=f"{one.dedupe_key}:incomplete") for one in answers]

    async def _explain(self, pending: Pending, message: InboundMessage, text: str) -> None:
        """The user's mistake rolled everything back; tell them why."""
        at = self._clock.now()
        answer = OutboundMessage(
            dedupe_key=f"{_source(pending.envelope)}:refused",
            to=message.origin,
            content=Text(text),
        )
        async with self._store.begin() as tx:
            await self._finish(tx, pending, [answer], at=at)

    async def _finish(
        self,
        tx: Tx,
        pending: Pending,
        answers: Sequence[OutboundMessage],
        *,
        at: datetime,
        note: str = "",
    ) -> None:
        await tx.delivery.queue(split_all(self._connectors, answers), at=at)
        if not await tx.delivery.finish(
            pending.id,
            at=at,
            note=note,
            fence=pending.fence,
            received_at=pending.envelope.received_at,
        ):
            raise _HandledBefore

    def _reader(self, envelope: Envelope) -> EnvelopeReader:
        try:
            return self._readers[(envelope.platform, envelope.app)]
        except (KeyError, ValueError):
            raise PermanentError(f"no application is configured for {envelope.channel}") from None


def split_all(
    connectors: Mapping[tuple[str, str], ChatConnector], messages: Sequence[OutboundMessage]
) -> list[OutboundMessage]:
    """Each message in the parts its platform can carry, in order, keyed part by part."""
    parts: list[OutboundMessage] = []
    for message in messages:
        connector = connectors.get((message.to.platform, message.to.app))
        if connector is None or isinstance(message.content, ForecastLine):
            parts.append(message)
            continue
        contents = connector.split(message.content)
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
