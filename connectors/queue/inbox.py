"""The inbox on JetStream: doors wait for the stream, and the stream for the database."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from prometheus_client import Counter, Gauge

from bot.clock import Clock, wait_for
from bot.domain.sharing import Division
from bot.errors import BotError, Unavailable
from bot.messages import Envelope
from bot.ports import Accept, Release
from bot.tasks import cancel_all, going_on
from connectors.queue import wire
from connectors.queue.access import Access
from connectors.queue.partition import Partition
from connectors.queue.session import AWAY, Full, Session, State, session

MOST_IN_FLIGHT = 5_000  # on their way to the stream; beyond it doors answer 500
AGAIN_S = 0.3
READY_S = 5.0
FINISH_S = 3.0
WATCH_S = 5.0
ROOM_AGAIN = 0.95
"""Of the limit: below it a stream that was full counts as open again."""

_UP = Gauge("gendan_queue_up", "Whether NATS JetStream takes messages.")
_WAITING = Gauge("gendan_queue_messages", "Messages in the stream that are not in the inbox yet.")
_BYTES = Gauge("gendan_queue_bytes", "What they take.")
_OLDEST = Gauge("gendan_queue_oldest_seconds", "How long the first of them has waited.")
_OFFERED = Counter("gendan_queue_offered_total", "What doors gave to the stream.", ["outcome"])
_STORED, _KNOWN = _OFFERED.labels("stored"), _OFFERED.labels("known")

log = logging.getLogger(__name__)


class StreamInbox:
    """The inbox on JetStream, beside the one in the database. `accept` for the doors, while it is
    `running`; from the stream messages go `into` the dispatcher's `accept`.

    holds: whether this process has a partition at present; `shares_changed` when that changes.
    """

    def __init__(
        self, access: Access, division: Division, clock: Clock, *, holds: Callable[[str], bool]
    ) -> None:
        self._access = access
        self._division = division
        self._clock = clock
        self._holds = holds
        self._session: Session | None = None
        self._is_full = False
        self._reason = AWAY
        self._changed = asyncio.Event()
        self._lost: set[str] = set()
        self._partitions: dict[str, Partition] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_door = AtDoor()
        self._into: Accept = _nowhere
        self._is_up = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def trouble(self) -> str:
        """Why nothing can be taken in; "" when all is well."""
        if self._session is None or self._session.lost.is_set():
            return self._reason
        return "full" if self._is_full else ""

    def is_on_its_way(self, conversation: str) -> bool:
        """Whether something that was said there has not come back from the stream."""
        return self._at_door.is_on_its_way(conversation)

    async def accept(self, envelope: Envelope) -> Release:
        """Durable when it returns; see `bot.ports.Accept`."""
        opened = self._session
        if opened is None:
            _OFFERED.labels("away").inc()
            raise Unavailable(self._reason)
        if opened.waiting >= MOST_IN_FLIGHT:
            _OFFERED.labels("too many").inc()
            raise Unavailable("too many messages on their way to NATS")
        data = _packed(envelope)
        if data is None or len(data) > opened.most_bytes:
            return await self._past(envelope)
        return await self._publish(opened, envelope, data)

    async def _publish(self, opened: Session, envelope: Envelope, data: bytes) -> Release:
        key, conversation = wire.message_id(envelope), envelope.conversation
        lease = self._division.of_conversation(conversation)
        if lease in self._partitions:
            self._at_door.enter(key, conversation)
        try:
            subject = wire.subject_of(self._access.root, lease)
            is_new = await opened.publish(subject, data, message_id=key)
        except BaseException as error:
            self._at_door.leave(key)
            self._at_door.came_back(key, conversation)
            if isinstance(error, Full):
                self._is_full = True
            _OFFERED.labels("full" if isinstance(error, Full) else "failed").inc()
            raise
        (_STORED if is_new else _KNOWN).inc()
        if not is_new:
            self._at_door.came_back(key, conversation)
        return partial(self._at_door.leave, key)

    async def _past(self, envelope: Envelope) -> Release:
        """What the stream cannot hold goes straight to the database."""
        _OFFERED.labels("past").inc()
        return await self._into(envelope)

    def shares_changed(self, _gained: frozenset[str], lost: frozenset[str]) -> None:
        """What was lost and gained again in between is begun anew."""
        self._lost |= lost
        self._changed.set()

    def into(self, accept: Accept) -> None:
        """Where messages go from the stream; before `running`."""
        self._into = accept

    async def _run(self) -> None:
        """Each connection is a session of its own, in which all partitions are begun anew."""
        for server in itertools.cycle(self._access.servers):
            if self._stopping.is_set():
                break
            try:
                async with session(self._access, server) as opened:
                    log.info("the queue is there", extra={"action": "queue"})
                    await self._serve(opened)
            except BotError as error:
                self._note(str(error))
            except Exception as error:
                log.exception("the queue failed", extra={"action": "queue"})
                self._note(type(error).__name__)
            finally:
                self._session = None
                _UP.set(0)
            await wait_for(self._stopping, AGAIN_S)

    async def _finish(self) -> None:
        """What is in hand is taken in; what the database does not take now stays in the stream."""
        tasks = set(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=FINISH_S)
            await cancel_all(late)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """`run` beside what is done meanwhile, which begins once NATS is there or has been waited
        for."""
        task = asyncio.create_task(self._run(), name="queue")
        try:
            await wait_for(self._is_up, READY_S)
            yield
        finally:
            self._stopping.set()
            self._changed.set()
            await task

    def _note(self, reason: str) -> None:
        if reason != self._reason:
            log.warning("the queue is away", extra={"action": "queue", "reason": reason})
        self._reason = reason

    async def _serve(self, opened: Session) -> None:
        """Until the connection is lost or all is to end."""
        self._session, self._is_full = opened, False
        self._is_up.set()
        _UP.set(1)
        watch = going_on("queue watch", partial(self._watch, opened))
        lost = asyncio.create_task(opened.lost.wait(), name="queue lost")
        lost.add_done_callback(lambda _: self._changed.set())
        try:
            while not (self._stopping.is_set() or opened.lost.is_set()):
                self._changed.clear()
                self._follow_shares(opened)
                await self._changed.wait()
            if not self._stopping.is_set():
                self._note("the connection to NATS was lost")
        finally:
            self._session = None
            self._end(list(self._partitions))
            if self._stopping.is_set():
                await self._finish()
            await cancel_all([watch, lost])

    def _follow_shares(self, opened: Session) -> None:
        lost, self._lost = self._lost, set()
        wanted = [name for name in self._division.inboxes if self._holds(name)]
        self._end([name for name in self._partitions if name in lost or name not in wanted])
        for name in wanted:
            if name not in self._partitions:
                self._begin(opened, name)

    def _begin(self, opened: Session, name: str) -> None:
        partition = Partition(
            opened,
            wire.subject_of(self._access.root, name),
            self._into,
            done=self._at_door.after,
            holds=partial(self._holds, name),
            clock=self._clock,
        )
        task = asyncio.create_task(partition.run(), name=f"queue {name}")
        self._partitions[name] = partition
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, names: Sequence[str]) -> None:
        """Not waited for: what one still has in hand may go on beside the next, which begins
        with the same messages."""
        for name in names:
            self._partitions.pop(name).end()
            self._at_door.forget()

    async def _watch(self, opened: Session) -> None:
        """How much waits, for the figures and for `trouble`."""
        limit = self._access.max_mb * 1024 * 1024
        while True:
            try:
                state = await opened.state()
            except BotError as error:
                log.warning("the stream does not tell of itself", extra=_fields(error))
            else:
                _tell(state, self._clock)
                if state.bytes < limit * ROOM_AGAIN:
                    self._is_full = False
            await asyncio.sleep(WATCH_S)


class AtDoor:
    """What this process has given to the stream and takes from there itself: work on it begins
    once the platform has its answer, and until it came back it counts as being at work."""

    def __init__(self) -> None:
        self._unanswered: dict[str, list[Release]] = {}
        self._on_way: dict[str, set[str]] = {}

    def enter(self, key: str, conversation: str) -> None:
        self._unanswered.setdefault(key, [])
        self._on_way.setdefault(conversation, set()).add(key)

    def leave(self, key: str) -> None:
        for release in self._unanswered.pop(key, ()):
            release()

    def after(self, envelope: Envelope, release: Release) -> None:
        """It came back and is in the database."""
        key = wire.message_id(envelope)
        self.came_back(key, envelope.conversation)
        unanswered = self._unanswered.get(key)
        if unanswered is None:
            release()
        else:
            unanswered.append(release)

    def came_back(self, key: str, conversation: str) -> None:
        keys = self._on_way.get(conversation, set())
        keys.discard(key)
        if not keys:
            self._on_way.pop(conversation, None)

    def is_on_its_way(self, conversation: str) -> bool:
        return conversation in self._on_way

    def forget(self) -> None:
        """Others may take from the stream what this process gave to it."""
        self._on_way.clear()


async def _nowhere(_: Envelope) -> Release:
    raise Unavailable("the bot is not ready")


def _packed(envelope: Envelope) -> bytes | None:
    """None for text that is no Unicode."""
    try:
        return wire.pack(envelope)
    except TypeError:
        return None


def _tell(state: State, clock: Clock) -> None:
    _WAITING.set(state.messages)
    _BYTES.set(state.bytes)
    waited = (clock.now() - state.oldest_at).total_seconds() if state.oldest_at else 0.0
    _OLDEST.set(max(waited, 0.0))


def _fields(error: BaseException) -> dict[str, object]:
    return {"action": "queue", "error": str(error)}


async def look(access: Access) -> str:
    """For the doctor: what the stream is like. Makes it if it is not there. Raises Unavailable."""
    failure: Unavailable | None = None
    for server in access.servers:
        try:
            async with session(access, server) as opened:
                state = await opened.state()
                return f"流 {access.stream} 可用，{state.messages} 条等待"
        except Unavailable as error:
            failure = error
    raise failure or Unavailable("no server")
