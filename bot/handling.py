"""What becomes of one stored envelope: parse, fetch, transaction, handler, queue the reply; or
another attempt, an explanation, a dead letter."""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.clock import Clock, wait_for
from bot.errors import FilesAway, InvalidInput, PermanentError, TransientError, UserError
from bot.fetching import Fetching, Stopped, one_of
from bot.messages import (
    Envelope,
    ForecastLine,
    InboundMessage,
    Incoming,
    OutboundMessage,
    Text,
)
from bot.ports import (
    AppKey,
    ChatConnector,
    EnvelopeReader,
    FileStore,
    Pending,
    Preparation,
    SecondReader,
    Store,
    Transcriber,
    UnitOfWork,
)
from bot.watching import Aside, Watcher, kind_of

Tx = TypeVar("Tx", bound=UnitOfWork)
Handle = Callable[[Tx, Incoming], Awaitable[Sequence[OutboundMessage]]]

MAX_ATTEMPTS = 5
BACKOFF_S = 2.0  # 2, 4, 8, 16 s between the attempts
IN_FLIGHT = 32
_ANOTHERS_S = 0.1  # until this process hears that a conversation is no longer its own

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the engine itself has to say to a sender."""

    apology: Callable[[str], str]  # reference -> text


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt, after a while."""

    in_s: float
    pending: Pending


class _HandledBefore(Aside):
    """Somebody else was faster: roll back."""


class Handling(Generic[Tx]):
    """Takes one stored envelope to its end. `handle` is what handlers/ made of its table of routes.
    preparations: done for a message, in turn, before its transaction. readers: of doors through
    which nobody is answered, beside the connectors. queued: told that the outbox may have something
    to send. stopping: set when no new work is to be begun."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        connectors: Mapping[AppKey, ChatConnector],
        files: FileStore,
        handle: Handle[Tx],
        clock: Clock,
        wording: Wording,
        transcriber: Transcriber | None = None,
        second_reader: SecondReader | None = None,
        preparations: Sequence[Preparation] = (),
        readers: Mapping[AppKey, EnvelopeReader] | None = None,
        queued: Callable[[], None] = lambda: None,
        backoff_s: float = BACKOFF_S,
        watcher: Watcher | None = None,
    ) -> None:
        self.store = store
        self._connectors = connectors
        self._readers: Mapping[AppKey, EnvelopeReader] = {**(readers or {}), **connectors}
        self._handle = handle
        self._clock = clock
        self._wording = wording
        self._queued = queued
        self._backoff_s = backoff_s
        self.watcher = watcher or Watcher()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self.stopping = asyncio.Event()
        self._fetching = Fetching(
            connectors,
            files,
            clock,
            self.stopping,
            transcriber=transcriber,
            second_reader=second_reader,
            preparations=preparations,
        )

    async def work(self, pending: Pending) -> Retry | None:
        """Handle one envelope; None when it is over."""
        try:
            with self.watcher.handling(pending.envelope, pending.attempts):
                await self._dispatch(pending)
        except Stopped:
            return None
        except _HandledBefore:
            if pending.fence is not None:  # whoever has it now is known here in a moment
                await wait_for(self.stopping, _ANOTHERS_S)
            return None
        except FilesAway as error:
            return self.without_store(pending, error)
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

    async def _try_again(self, pending: Pending, error: Exception) -> Retry | None:
        reason = f"{type(error).__name__}: {error}"
        attempts = pending.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            told = f"after {attempts} attempts: {reason}"
            return await self._bury(pending, error, told, tell=True)
        wait_s = self._backoff_s * 2.0 ** (attempts - 1)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, 60.0))
        try:
            async with self.store.begin() as tx:
                until = self._clock.now() + timedelta(seconds=wait_s)
                await tx.delivery.postpone(
                    pending.id, until=until, reason=reason, received_at=pending.envelope.received_at
                )
        except Exception as lost:  # noqa: BLE001 - the row is still there; only the note is not
            return self.without_store(pending, lost)
        return Retry(wait_s, replace(pending, attempts=attempts))

    def without_store(self, pending: Pending, error: Exception) -> Retry:
        """Try later through no fault of the message: the attempt does not count."""
        what = "the store of files" if isinstance(error, FilesAway) else "the database"
        log.error("%s takes nothing", what, extra=_fields(pending, error))
        return Retry(self._backoff_s * 4, pending)

    async def _bury(
        self, pending: Pending, error: Exception, reason: str, *, tell: bool
    ) -> Retry | None:
        """Make it a dead letter, and tell the sender if they wait for an answer."""
        reference = uuid.uuid4().hex[:8]
        apology = self._apology(pending, reference) if tell else []
        try:
            async with self.store.begin() as tx:
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
            return self.without_store(pending, lost)
        self.watcher.buried("inbox", kind_of(error))
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
        async with one_of(self._slots, self.stopping):
            try:
                async with self.store.begin() as tx:
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
        async with self.store.begin() as tx:
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
        except (KeyError, ValueError):  # ValueError: a platform that this version does not know
            raise PermanentError(f"no application is configured for {envelope.channel}") from None


def split_all(
    connectors: Mapping[AppKey, ChatConnector], messages: Sequence[OutboundMessage]
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
