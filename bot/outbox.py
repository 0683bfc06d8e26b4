"""Sends what is queued; retries with an end; buries what cannot be sent.

Sending is at least once: a crash between sending and marking repeats a message, which is
why every row carries a dedupe key and hands it to the platform where that helps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.clock import Clock, wait_for
from bot.errors import (
    AuthFailed,
    BotError,
    FilesAway,
    PermanentError,
    RateLimited,
    Rejected,
    TransientError,
)
from bot.messages import ForecastLine, OutboundMessage, Receipt
from bot.messages.masked_content import masked_content
from bot.ports import (
    AppKey,
    ChatConnector,
    ErpForecasts,
    Outgoing,
    Shares,
    Store,
    Trouble,
    UnitOfWork,
)
from bot.tasks import see_through
from bot.watching import Watcher, kind_of

Tx = TypeVar("Tx", bound=UnitOfWork)

MAX_ATTEMPTS = 14  # the last one about four hours after the first
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 7200.0
REFUSED_WAIT_S = 300.0  # while an operator mends credentials, permissions or addresses
FILES_WAIT_S = 60.0  # while the store of files is away; such tries do not count
LONG_DOWN = timedelta(minutes=1)
BATCH = 64
IDLE_S = 5.0  # looks again at least this often, whatever the timer said
LONGEST_LIMIT = timedelta(hours=1)
NOTE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

log = logging.getLogger(__name__)


OnTrouble = Callable[[Tx, Trouble, datetime], Awaitable[Sequence[OutboundMessage]]]
"""Answers with notes to operators."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. Exactly one of receipt, retry_s and dead says it. counted: a
    retry that is one of MAX_ATTEMPTS. tell: an operator must do something. kind: of a dead one's
    error."""

    outgoing: Outgoing
    receipt: Receipt | None = None
    retry_s: float | None = None
    counted: bool = True
    dead: bool = False
    tell: bool = False
    reason: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _NotNow:
    """The applications that are busy, or another process's."""

    busy: Container[object]
    is_ours: Callable[[AppKey], bool]

    def __contains__(self, app: object) -> bool:
        return app in self.busy or (isinstance(app, tuple) and not self.is_ours(app))


class Outbox(Generic[Tx]):
    """One sender for each application, so that a platform which hangs holds up no other.
    What an operator has to know goes to `on_trouble`. erps: those that take forecast lines.
    shares: which applications are sent through from here, where several processes share the
    database; tell_others: called when something was queued for any of them."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        connectors: Mapping[AppKey, ChatConnector],
        clock: Clock,
        on_trouble: OnTrouble[Tx] | None = None,
        erps: Mapping[AppKey, ErpForecasts] | None = None,
        shares: Shares | None = None,
        tell_others: Callable[[], None] = lambda: None,
        watcher: Watcher | None = None,
    ) -> None:
        self._shares = shares
        self._tell_others = tell_others
        self._watcher = watcher or Watcher()
        self._store = store
        self._connectors = connectors
        self._erps = erps or {}
        self._apps = {*connectors, *self._erps}
        self._clock = clock
        self._on_trouble = on_trouble
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()
        self._senders: dict[AppKey, asyncio.Task[None]] = {}
        self._just_started: set[AppKey] = set(self._apps)
        self._down_since: dict[AppKey, datetime] = {}
        self._acquainted: set[AppKey] = set()

    def wake(self) -> None:
        """Something was queued, or the clock jumped."""
        self._wake.set()
        self._tell_others()

    def look(self) -> None:
        """Another process has queued something, or an application came to us or went from us."""
        self._acquainted = {app for app in self._acquainted if self._is_ours(app)}
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
            await see_through(self._senders.values())

    async def drain(self) -> None:
        """Send until nothing is left that is due by now, and nobody is at it: who fails to
        send may have to tell an operator."""
        at = self._clock.now()
        while True:
            await self._start_due(at)
            if self._senders:
                await asyncio.wait(self._senders.values(), return_when=asyncio.FIRST_COMPLETED)
                continue
            upcoming = await self.next_at()
            if upcoming is None or upcoming > at:
                return

    async def next_at(self) -> datetime | None:
        """When the next queued message may go."""
        async with self._store.begin() as tx:
            return await tx.delivery.next_outgoing_at()

    async def _start_due(self, at: datetime) -> int:
        """Start sending the due heads of all applications that are not busy; how many."""
        if self._all_are_busy():
            return 0
        async with self._taking:
            async with self._store.begin() as tx:
                due = await tx.delivery.take_due(at=at, limit=BATCH, busy=self._not_now())
                for app in {_app_of(outgoing) for outgoing in due}:
                    await self._get_acquainted(tx, app, at)
            batches: dict[AppKey, list[Outgoing]] = {}
            for outgoing in due:
                batches.setdefault(_app_of(outgoing), []).append(outgoing)
            for app, batch in batches.items():
                self._senders[app] = asyncio.create_task(self._send(app, batch), name=f"send {app}")
            return len(due)

    def _all_are_busy(self) -> bool:
        """Then nothing can be taken, and finding that out in the database would cost more the
        more is queued. Whoever ends wakes us."""
        ours = {app for app in self._apps if self._is_ours(app)}
        return bool(self._senders) and self._senders.keys() >= ours

    def _is_ours(self, app: AppKey) -> bool:
        return self._shares is None or self._shares.sends(*app)

    def _not_now(self) -> Container[AppKey]:
        return _NotNow(self._senders, self._is_ours)

    async def _wait(self) -> None:
        wait_s = IDLE_S
        if not self._all_are_busy():
            async with self._store.begin() as tx:
                upcoming = await tx.delivery.next_outgoing_at(busy=self._not_now())
            if upcoming is not None:
                wait_s = min(IDLE_S, max(0.05, (upcoming - self._clock.now()).total_seconds()))
        await wait_for(self._wake, wait_s)

    async def _send(self, app: AppKey, batch: Sequence[Outgoing]) -> None:
        try:
            tried = await asyncio.gather(*(self._try(app, outgoing) for outgoing in batch))
            outcomes = [outcome for outcome in tried if outcome is not None]
            await self._note_all(app, outcomes)
            for outcome in outcomes:
                if outcome.dead or outcome.tell:
                    await self._tell(outcome)
        finally:
            del self._senders[app]
            self.wake()

    async def _get_acquainted(self, tx: Tx, app: AppKey, at: datetime) -> None:
        """What was sent before the start, or by another process, counts against the limits."""
        if app in self._acquainted or app not in self._connectors:
            return
        for to, sent_at in await tx.delivery.sent_since(app, at - LONGEST_LIMIT):
            self._connectors[app].note_sent(to, sent_at)
        self._acquainted.add(app)

    async def _try(self, app: AppKey, outgoing: Outgoing) -> Outcome | None:
        """None: it is another's to send by now."""
        if not self._is_ours(app):
            return None
        try:
            with self._watcher.sending(app, outgoing):
                receipt = await self._hand_over(app, outgoing)
        except RateLimited as error:
            wait_s = error.retry_after_s or 60.0
            return Outcome(outgoing, retry_s=wait_s, counted=False, reason=str(error))
        except FilesAway as error:  # our own: neither the platform nor the message is at fault
            log.error("the store of files gives nothing", extra=_fields(outgoing, str(error)))
            return Outcome(outgoing, retry_s=FILES_WAIT_S, counted=False, reason=str(error))
        except TransientError as error:
            self._note_trouble(app, error)
            return self._later(outgoing, error)
        except AuthFailed as error:
            self._note_trouble(app, error)
            return self._later(outgoing, error, least_s=REFUSED_WAIT_S)
        except PermanentError as error:
            return Outcome(outgoing, dead=True, reason=str(error), kind=kind_of(error))
        except Exception as error:
            log.exception("sending failed", extra=_fields(outgoing))
            return self._later(outgoing, error)
        return Outcome(outgoing, receipt=receipt)

    async def _hand_over(self, app: AppKey, outgoing: Outgoing) -> Receipt:
        """Raises TransientError or PermanentError."""
        if isinstance(outgoing.content, ForecastLine):
            if app in self._erps:
                return await self._erps[app].write(outgoing.content)
        elif app in self._connectors:
            return await self._connectors[app].send(
                outgoing.to, masked_content(outgoing.content), dedupe_key=outgoing.dedupe_key
            )
        raise Rejected(f"no application {app[0]}:{app[1]}")

    def _later(self, outgoing: Outgoing, error: Exception, *, least_s: float = 0.0) -> Outcome:
        attempts = outgoing.attempts + 1
        reason = f"{type(error).__name__}: {error}"
        if attempts >= MAX_ATTEMPTS:
            told = f"after {attempts} attempts: {reason}"
            return Outcome(outgoing, dead=True, reason=told, kind=kind_of(error))
        wait_s = max(least_s, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempts - 1)))
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            wait_s = max(wait_s, error.retry_after_s)
        ask_operator = isinstance(error, AuthFailed)
        return Outcome(outgoing, retry_s=wait_s, tell=ask_operator, reason=reason)

    async def _note_all(self, app: AppKey, outcomes: Sequence[Outcome]) -> None:
        """What was sent and is not noted would be sent again, so the database is given time."""
        for pause_s in NOTE_PAUSES_S:
            try:
                async with self._store.begin() as tx:
                    for outcome in outcomes:
                        await self._note(tx, outcome)
                    if any(outcome.receipt for outcome in outcomes):
                        await self._note_success(tx, app)
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
            self._watcher.buried("outbox", outcome.kind)

    async def _tell(self, outcome: Outcome) -> None:
        """An operator hears of it; failing that, the log has it."""
        if self._on_trouble is None:
            return
        try:
            async with self._store.begin() as tx:
                trouble = Trouble(outcome.outgoing, outcome.reason, given_up=outcome.dead)
                at = self._clock.now()
                await tx.delivery.queue(await self._on_trouble(tx, trouble, at), at=at)
        except Exception:
            log.exception("could not tell of a message not sent", extra=_fields(outcome.outgoing))

    def _note_trouble(self, app: AppKey, error: BotError) -> None:
        """One line in the log when a platform goes away, one when it is back."""
        if app not in self._down_since:
            self._down_since[app] = self._clock.now()
            fields = {"action": "send", "channel": ":".join(app), "error": str(error)}
            log.warning("platform does not take messages", extra=fields)

    async def _note_success(self, tx: Tx, app: AppKey) -> None:
        """After some time away, or after the start, nobody waits longer than needed. Not at
        once, or a message that fails alone would be tried with every other that does not."""
        at = self._clock.now()
        down_since = self._down_since.pop(app, at)
        if down_since < at:
            log.info("platform is back", extra={"action": "send", "channel": ":".join(app)})
        if app in self._just_started or at - down_since > LONG_DOWN:
            await tx.delivery.try_now(app, at=at)
        self._just_started.discard(app)


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
