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

from bot.clock import Clock
from bot.errors import PermanentError, RateLimited, TransientError
from bot.messages import OutboundMessage, Receipt
from bot.ports import ChatConnector, Outgoing, Store, UnitOfWork

Tx = TypeVar("Tx", bound=UnitOfWork)
OnDead = Callable[[Tx, Outgoing, str, datetime], Awaitable[Sequence[OutboundMessage]]]

MAX_ATTEMPTS = 14  # the last one about an hour after the first
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
BATCH = 64
IDLE_S = 5.0  # looks again at least this often, whatever the timer said

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. Exactly one of receipt, retry_s and dead says it."""

    outgoing: Outgoing
    receipt: Receipt | None = None
    retry_s: float | None = None
    dead: bool = False
    reason: str = ""


class Outbox(Generic[Tx]):
    """One sender loop over the queue. `on_dead` may answer with a note to an operator."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        connectors: Mapping[tuple[str, str], ChatConnector],
        clock: Clock,
        on_dead: OnDead[Tx] | None = None,
    ) -> None:
        self._store = store
        self._connectors = connectors
        self._clock = clock
        self._on_dead = on_dead
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._down: set[tuple[str, str]] = set()

    def wake(self) -> None:
        """Something was queued, or the clock jumped."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever; ends by cancellation between two batches."""
        while True:
            self._wake.clear()
            try:
                sent = await self.send_due()
            except Exception:
                log.exception("the outbox could not be read", extra={"action": "outbox"})
                sent = 0
            if not sent:
                await self._wait()

    async def send_due(self) -> int:
        """Try the due heads of all addresses once; how many were tried."""
        async with self._one_at_a_time:
            async with self._store.begin() as tx:
                due = await tx.delivery.take_due(at=self._clock.now(), limit=BATCH)
            if not due:
                return 0
            outcomes = await asyncio.gather(*(self._try(outgoing) for outgoing in due))
            async with self._store.begin() as tx:
                for outcome in outcomes:
                    await self._note(tx, outcome)
            return len(due)

    async def drain(self, *, until: datetime | None = None) -> None:
        """Send until nothing is due any more."""
        while await self.send_due():
            if until is not None and self._clock.now() > until:
                return

    async def next_at(self) -> datetime | None:
        """When the next queued message may go."""
        async with self._store.begin() as tx:
            return await tx.delivery.next_outgoing_at()

    async def _wait(self) -> None:
        upcoming = await self.next_at()
        wait_s = IDLE_S
        if upcoming is not None:
            wait_s = min(IDLE_S, max(0.05, (upcoming - self._clock.now()).total_seconds()))
        try:
            await asyncio.wait_for(self._wake.wait(), wait_s)
        except TimeoutError:
            return

    async def _try(self, outgoing: Outgoing) -> Outcome:
        key = (str(outgoing.to.platform), outgoing.to.app)
        connector = self._connectors.get(key)
        if connector is None:
            return Outcome(outgoing, dead=True, reason=f"no application {key[0]}:{key[1]}")
        try:
            receipt = await connector.send(
                outgoing.to, outgoing.content, dedupe_key=outgoing.dedupe_key
            )
        except RateLimited as error:
            return Outcome(outgoing, retry_s=error.retry_after_s or 60.0, reason=str(error))
        except TransientError as error:
            self._say_once(key, up=False, error=error)
            return self._later(outgoing, error)
        except PermanentError as error:
            return Outcome(outgoing, dead=True, reason=str(error))
        except Exception as error:
            log.exception("sending failed", extra=_fields(outgoing))
            return self._later(outgoing, error)
        self._say_once(key, up=True)
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

    async def _note(self, tx: Tx, outcome: Outcome) -> None:
        at = self._clock.now()
        outgoing = outcome.outgoing
        if outcome.receipt is not None:
            await tx.delivery.mark_sent(outgoing.id, outcome.receipt, at=at)
        elif outcome.retry_s is not None:
            until = at + timedelta(seconds=outcome.retry_s)
            await tx.delivery.retry_later(outgoing.id, until=until, reason=outcome.reason)
        else:
            log.error("outgoing message given up", extra=_fields(outgoing, outcome.reason))
            await tx.delivery.give_up(outgoing.id, at=at, reason=outcome.reason)
            if self._on_dead is not None:
                notes = await self._on_dead(tx, outgoing, outcome.reason, at)
                await tx.delivery.queue(notes, at=at)

    def _say_once(self, key: tuple[str, str], *, up: bool, error: object = None) -> None:
        """One line when a platform goes away, one when it is back."""
        if up and key in self._down:
            self._down.discard(key)
            log.info("platform is back", extra={"action": "send", "channel": ":".join(key)})
        elif not up and key not in self._down:
            self._down.add(key)
            fields = {"action": "send", "channel": ":".join(key), "error": str(error)}
            log.warning("platform does not take messages", extra=fields)


def _fields(outgoing: Outgoing, reason: str = "") -> dict[str, object]:
    return {
        "action": "send",
        "channel": f"{outgoing.to.platform}:{outgoing.to.app}",
        "conversation_id": outgoing.to.key,
        "dedupe_key": outgoing.dedupe_key,
        "attempts": outgoing.attempts,
        "reason": reason,
    }
