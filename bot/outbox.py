"""Sends what is queued; retries with an end; buries what cannot be sent.

Sending is at least once: a crash between sending and marking repeats a message, which is
why every row carries a dedupe key and hands it to the platform where that helps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.clock import Clock, wait_for
from bot.errors import PermanentError, RateLimited, TransientError
from bot.messages import OutboundMessage, Receipt
from bot.ports import AppKey, ChatConnector, Outgoing, Store, UnitOfWork

Tx = TypeVar("Tx", bound=UnitOfWork)
OnDead = Callable[[Tx, Outgoing, str, datetime], Awaitable[Sequence[OutboundMessage]]]

MAX_ATTEMPTS = 14  # the last one about an hour after the first
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
BATCH = 64
IDLE_S = 5.0  # looks again at least this often, whatever the timer said
NOTE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. Exactly one of receipt, retry_s and dead says it. counted: a
    retry that is one of MAX_ATTEMPTS."""

    outgoing: Outgoing
    receipt: Receipt | None = None
    retry_s: float | None = None
    counted: bool = True
    dead: bool = False
    reason: str = ""


class Outbox(Generic[Tx]):
    """One sender for each application, so that a platform which hangs holds up no other.
    `on_dead` may answer with a note to an operator."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        connectors: Mapping[AppKey, ChatConnector],
        clock: Clock,
        on_dead: OnDead[Tx] | None = None,
    ) -> None:
        self._store = store
        self._connectors = connectors
        self._clock = clock
        self._on_dead = on_dead
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()
        self._senders: dict[AppKey, asyncio.Task[None]] = {}
        self._down: set[AppKey] = set()

    def wake(self) -> None:
        """Something was queued, or the clock jumped."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever. Cancelled, it ends once what is being sent is noted, so that it is
        not sent again."""
        try:
            while True:
                self._wake.clear()
                try:
                    if not await self._start_due(self._clock.now()):
                        await self._wait()
                except Exception:
                    log.exception("the outbox could not be read", extra={"action": "outbox"})
                    await asyncio.sleep(IDLE_S)
        finally:
            while self._senders:
                await asyncio.wait(self._senders.values())

    async def drain(self) -> None:
        """Send until nothing is left that is due by now."""
        at = self._clock.now()
        while True:
            await self._start_due(at)
            upcoming = await self.next_at()
            if upcoming is None or upcoming > at:
                return
            if self._senders:
                await asyncio.wait(self._senders.values(), return_when=asyncio.FIRST_COMPLETED)

    async def next_at(self) -> datetime | None:
        """When the next queued message may go."""
        async with self._store.begin() as tx:
            return await tx.delivery.next_outgoing_at()

    async def _start_due(self, at: datetime) -> int:
        """Start sending the due heads of all applications that are not busy; how many."""
        async with self._taking:
            async with self._store.begin() as tx:
                due = await tx.delivery.take_due(at=at, limit=BATCH, busy=self._senders.keys())
            batches: dict[AppKey, list[Outgoing]] = {}
            for outgoing in due:
                batches.setdefault(_app_of(outgoing), []).append(outgoing)
            for app, batch in batches.items():
                self._senders[app] = asyncio.create_task(self._send(app, batch), name=f"send {app}")
            return len(due)

    async def _wait(self) -> None:
        async with self._store.begin() as tx:
            upcoming = await tx.delivery.next_outgoing_at(busy=self._senders.keys())
        wait_s = IDLE_S
        if upcoming is not None:
            wait_s = min(IDLE_S, max(0.05, (upcoming - self._clock.now()).total_seconds()))
        await wait_for(self._wake, wait_s)

    async def _send(self, app: AppKey, batch: Sequence[Outgoing]) -> None:
        try:
            outcomes = await asyncio.gather(*(self._try(app, outgoing) for outgoing in batch))
            await self._note_all(outcomes)
            for outcome in outcomes:
                if outcome.dead:
                    await self._tell(outcome)
        finally:
            del self._senders[app]
            self.wake()

    async def _try(self, app: AppKey, outgoing: Outgoing) -> Outcome:
        connector = self._connectors.get(app)
        if connector is None:
            return Outcome(outgoing, dead=True, reason=f"no application {app[0]}:{app[1]}")
        try:
            receipt = await connector.send(
                outgoing.to, outgoing.content, dedupe_key=outgoing.dedupe_key
            )
        except RateLimited as error:
            wait_s = error.retry_after_s or 60.0
            return Outcome(outgoing, retry_s=wait_s, counted=False, reason=str(error))
        except TransientError as error:
            self._say_once(app, up=False, error=error)
            return self._later(outgoing, error)
        except PermanentError as error:
            return Outcome(outgoing, dead=True, reason=str(error))
        except Exception as error:
            log.exception("sending failed", extra=_fields(outgoing))
            return self._later(outgoing, error)
        self._say_once(app, up=True)
        return Outcome(outgoing, receipt=receipt)

    def _later(self, outgoing: Outgoing, error: Exception) -> Outcome:
        attempts = outgoing.attempts + 1
        reason = f"{type(error).__name__}: {error}"
        if attempts >= MAX_ATTEMPTS:
            return Outcome(outgoing, dead=True, reason=f"after {attempts} attempts: {reason}")
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempts - 1))
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait_s = max(wait_s, error.retry_after_s)
        return Outcome(outgoing, retry_s=wait_s, reason=reason)

    async def _note_all(self, outcomes: Sequence[Outcome]) -> None:
        """What was sent and is not noted would be sent again, so the database is given time."""
        for pause_s in NOTE_PAUSES_S:
            try:
                async with self._store.begin() as tx:
                    for outcome in outcomes:
                        await self._note(tx, outcome)
                return
            except Exception:
                log.exception("could not note what was sent", extra={"action": "outbox"})
                await asyncio.sleep(pause_s)

    async def _note(self, tx: Tx, outcome: Outcome) -> None:
        at = self._clock.now()
        outgoing = outcome.outgoing
        if outcome.receipt is not None:
            await tx.delivery.mark_sent(outgoing.id, outcome.receipt, at=at)
        elif outcome.retry_s is not None:
            until = at + timedelta(seconds=outcome.retry_s)
            await tx.delivery.retry_later(
                outgoing.id, until=until, reason=outcome.reason, counted=outcome.counted
            )
        else:
            log.error("outgoing message given up", extra=_fields(outgoing, outcome.reason))
            await tx.delivery.give_up(outgoing.id, at=at, reason=outcome.reason)

    async def _tell(self, outcome: Outcome) -> None:
        """An operator hears of a message that was given up; failing that, the log has it."""
        if self._on_dead is None:
            return
        try:
            async with self._store.begin() as tx:
                at = self._clock.now()
                notes = await self._on_dead(tx, outcome.outgoing, outcome.reason, at)
                await tx.delivery.queue(notes, at=at)
        except Exception:
            log.exception("could not tell of a dead letter", extra=_fields(outcome.outgoing))

    def _say_once(self, key: AppKey, *, up: bool, error: object = None) -> None:
        """One line when a platform goes away, one when it is back."""
        if up and key in self._down:
            self._down.discard(key)
            log.info("platform is back", extra={"action": "send", "channel": ":".join(key)})
        elif not up and key not in self._down:
            self._down.add(key)
            fields = {"action": "send", "channel": ":".join(key), "error": str(error)}
            log.warning("platform does not take messages", extra=fields)


def _app_of(outgoing: Outgoing) -> AppKey:
    return str(outgoing.to.platform), outgoing.to.app


def _fields(outgoing: Outgoing, reason: str = "") -> dict[str, object]:
    return {
        "action": "send",
        "channel": f"{outgoing.to.platform}:{outgoing.to.app}",
        "conversation_id": outgoing.to.key,
        "dedupe_key": outgoing.dedupe_key,
        "attempts": outgoing.attempts,
        "reason": reason,
    }
