"""One connection to one server of NATS, from the moment the stream is ready until it is lost.

The client's own reconnecting is not used: what it sends again or loses on the way cannot be
seen from outside, and a refused login ends it for good. A lost connection ends the session and all
that rests on it; `Link` begins another.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from bot.errors import BotError, TimedOut, Unavailable
from bot.tasks import cancel_all
from connectors.queue.access import Access

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

CONNECT_S = 3.0
ANSWER_S = 3.0
"""For the store's acknowledgement. WeCom waits five seconds for us."""

AWAY = "NATS is away"
LATE = "NATS did not acknowledge in time"
PING_EVERY_S = 4
ROUNDS = 3  # of the loop, from a socket to here
MOST_AT_ONCE = 500
DUPLICATE_WINDOW_S = 300.0
"""How long the store knows a delivery again; the database does so for ever."""

_FULL = 10077  # the server's code for a limit that was reached

log = logging.getLogger(__name__)


class Full(Unavailable):
    """The stream takes no more for now."""


@dataclass(frozen=True, slots=True)
class State:
    """Of the stream. oldest_at: of the first message that waits."""

    messages: int
    bytes: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A message whose sender waits for the store. answer: whether it was new there."""

    subject: str
    data: bytes
    headers: dict[str, str]
    answer: asyncio.Future[bool]


class Session:
    """One connection to NATS. `lost` is set once the connection is gone."""

    def __init__(self, client: Client, access: Access) -> None:
        self.client = client
        self.stream = access.stream
        self.lost = asyncio.Event()
        self.jetstream: JetStreamContext = client.jetstream(timeout=ANSWER_S)
        self._access = access
        self._numbers = itertools.count()
        self._offered: deque[Offer] = deque()
        self._asked: dict[str, Offer] = {}
        self._enough = 0  # may still be asked for when the next round leaves
        self._stirred = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._inbox = f"_INBOX.{secrets.token_hex(11)}"
        self._sending: asyncio.Task[None] | None = None

    @property
    def most_bytes(self) -> int:
        """Of one message, with its header."""
        return int(self.client.max_payload) - 128

    @property
    def waiting(self) -> int:
        """Messages that are not acknowledged yet."""
        return len(self._offered) + len(self._asked)

    async def publish(self, subject: str, data: bytes, *, message_id: str) -> bool:
        """The store has it when this returns; False when it had it before. Raises Unavailable,
        Full among them, or TimedOut, after which it may be there nevertheless."""
        if self.lost.is_set():
            raise Unavailable(AWAY)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._offered.append(Offer(subject, data, {"Nats-Msg-Id": message_id}, answer))
        self._stirred.set()
        return await answer

    async def state(self) -> State:
        """Raises Unavailable."""
        found = (await self.call(f"STREAM.INFO.{self.stream}"))["state"]
        messages = int(found["messages"])
        oldest_at = datetime.fromisoformat(found["first_ts"]) if messages else None
        return State(messages, int(found["bytes"]), oldest_at)

    async def call(self, what: str) -> dict[str, Any]:
        """Ask JetStream's API. Raises Unavailable."""
        import nats.errors

        try:
            answer = await self.client.request(f"$JS.API.{what}", b"", timeout=ANSWER_S)
        except (nats.errors.Error, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {type(error).__name__}") from None
        said: dict[str, Any] = orjson.loads(answer.data)
        if "error" in said:
            raise Unavailable(f"JetStream refuses: {_words(said)}")
        return said

    async def begin(self) -> None:
        """Listen for acknowledgements, then see that the stream is there, as it is to be."""
        await self.client.subscribe(f"{self._inbox}.*", cb=self._answered)
        await self._see_to_stream()
        self._sending = asyncio.create_task(self._send(), name="queue send")

    async def end(self) -> None:
        """Everybody who still waits is told that it came to nothing."""
        self.lost.set()
        if self._sending is not None:
            await cancel_all([self._sending])
        with contextlib.suppress(Exception):  # it may be closed, or its server gone
            async with asyncio.timeout(ANSWER_S):
                await self.client.close()

    async def _send(self) -> None:
        """No timer: a round is what was offered while half of the one before was acknowledged, and
        what else comes without a pause. Messages that leave together cost a third of the work.
        A store that does not acknowledge in time ends the session: another server may."""
        try:
            while not self.lost.is_set():
                await self._stirred.wait()
                self._stirred.clear()
                while self._offered and not self.lost.is_set():
                    await self._let_join()
                    async with asyncio.timeout(ANSWER_S):
                        await self._send_round()
        except TimeoutError:
            self._give_up(TimedOut(LATE))
        finally:
            self.lost.set()
            self._give_up(Unavailable("the connection to NATS was lost"))

    async def _let_join(self) -> None:
        quiet = 0
        while quiet < ROUNDS:
            before = len(self._offered)
            await asyncio.sleep(0)
            quiet = 0 if len(self._offered) > before else quiet + 1

    async def _send_round(self) -> None:
        offers = [self._offered.popleft() for _ in range(min(len(self._offered), MOST_AT_ONCE))]
        tokens = [f"{next(self._numbers):x}" for _ in offers]
        self._asked.update(zip(tokens, offers, strict=True))
        self._enough = len(self._asked) // 2
        self._acknowledged.clear()
        asyncio.get_running_loop().call_later(ANSWER_S, self._miss, frozenset(tokens))
        for token, one in zip(tokens, offers, strict=True):
            reply = f"{self._inbox}.{token}"
            await self.client.publish(one.subject, one.data, reply, one.headers)
        if len(self._asked) > self._enough:
            await self._acknowledged.wait()

    async def _answered(self, message: Msg) -> None:
        one = self._asked.pop(message.subject.rpartition(".")[2], None)
        if one is not None:
            _settle(one, message)
        if len(self._asked) <= self._enough:
            self._acknowledged.set()

    def _miss(self, tokens: frozenset[str]) -> None:
        """Of a round that left a while ago: is all of it acknowledged?"""
        if not self._asked.keys().isdisjoint(tokens):
            self._give_up(TimedOut(LATE))
            self.lost.set()
            self._stirred.set()
            self._acknowledged.set()

    def _give_up(self, error: Exception) -> None:
        """Everybody who still waits is told that it came to nothing."""
        waiting = [*self._asked.values(), *self._offered]
        self._asked.clear()
        self._offered.clear()
        for one in waiting:
            if not one.answer.done():
                one.answer.set_exception(error)

    async def _see_to_stream(self) -> None:
        """What waits is kept until it is acknowledged, however long; at the limit new messages are
        refused, never old ones dropped."""
        from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
        from nats.js.errors import APIError, NotFoundError

        wanted = StreamConfig(
            name=self.stream,
            subjects=[f"{self._access.root}.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            max_bytes=self._access.max_mb * 1024 * 1024,
            max_msgs=-1,
            num_replicas=self._access.replicas,
            duplicate_window=DUPLICATE_WINDOW_S,
        )
        try:
            have = (await self.jetstream.stream_info(self.stream)).config
        except NotFoundError:
            with contextlib.suppress(APIError):  # somebody else is just making it
                await self.jetstream.add_stream(wanted)
            have = (await self.jetstream.stream_info(self.stream)).config
        if have.retention != RetentionPolicy.WORK_QUEUE:
            raise Unavailable(f"the stream {self.stream} is not ours: it is no work queue")
        keys = ("subjects", "discard", "max_bytes", "num_replicas", "duplicate_window")
        if any(getattr(have, key) != getattr(wanted, key) for key in keys):
            await self.jetstream.update_stream(wanted)


def _settle(offer: Offer, message: Msg) -> None:
    if offer.answer.done():  # by whoever waits no more
        return
    try:
        offer.answer.set_result(_judge(message))
    except BotError as error:
        offer.answer.set_exception(error)


def _judge(answer: Msg) -> bool:
    """Whether it was new to the store. Raises what an acknowledgement says that is none."""
    headers = answer.headers or {}
    if headers.get("Status") == "503":
        raise Unavailable("there is no stream, or nobody leads it")
    said = orjson.loads(answer.data)
    if "error" not in said:
        return not said.get("duplicate", False)
    if said["error"].get("err_code") == _FULL:
        raise Full(f"the stream is full: {_words(said)}")
    raise Unavailable(f"the stream refuses: {_words(said)}")


def _words(said: dict[str, Any]) -> str:
    error = said["error"]
    return f"{error.get('description', '')} ({error.get('err_code', error.get('code'))})"


@contextlib.asynccontextmanager
async def session(access: Access, server: str) -> AsyncIterator[Session]:
    """Raises Unavailable when it does not come about; never with an address, which may hold a
    password."""
    from nats.aio.client import Client

    client = Client()
    opened = Session(client, access)
    try:
        await _connect(client, access, server, opened.lost)
        await _begin(opened)
        yield opened
    finally:
        await opened.end()


async def _connect(client: Client, access: Access, server: str, lost: asyncio.Event) -> None:
    import nats.errors

    async def on_error(error: Exception) -> None:
        log.warning("NATS complains", extra={"action": "queue", "error": type(error).__name__})

    async def on_end() -> None:
        lost.set()

    try:
        async with asyncio.timeout(CONNECT_S):
            await client.connect(
                [server],
                name="gendan",
                error_cb=on_error,
                disconnected_cb=on_end,
                closed_cb=on_end,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                connect_timeout=2,
                ping_interval=PING_EVERY_S,
                max_outstanding_pings=2,
                skip_subject_validation=True,  # they are made here, of nothing from outside
                **access.options(),
            )
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise Unavailable(f"NATS does not let us in: {type(error).__name__}") from None


async def _begin(opened: Session) -> None:
    import nats.errors

    try:
        await opened.begin()
    except (nats.errors.Error, TimeoutError) as error:
        # Of JetStream's own errors the text says what is wrong, and holds no address.
        told = getattr(error, "description", None) or type(error).__name__
        raise Unavailable(f"the stream cannot be set up: {told}") from None
