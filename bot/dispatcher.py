"""An envelope is stored, answered, and handled in the lane of its conversation.

Order holds within a conversation: each has a lane, a lane works on one envelope at a time,
the earliest sent first. Different lanes run side by side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic

from bot.clock import wait_for
from bot.errors import Unavailable
from bot.handling import Handling, Tx
from bot.lane import Lane
from bot.messages import Envelope
from bot.ports import Pending, Release, Shares

HandOver = Callable[[str, int], None]
"""Told of a conversation that another process handles, and what was stored for it."""

MAX_WAITING = 50_000  # envelopes in memory; beyond it doors answer 500 and platforms resend

log = logging.getLogger(__name__)


class Dispatcher(Generic[Tx]):
    """Owns the lanes. shares: which conversations are handled here, where several processes share
    the database; hand_over: told of what another one is to handle."""

    def __init__(
        self,
        handling: Handling[Tx],
        *,
        shares: Shares | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        self._handling = handling
        self._store = handling.store
        self._watcher = handling.watcher
        self._stopping = handling.stopping
        self._shares = shares
        self._hand_over = hand_over
        self._lanes: dict[str, Lane] = {}
        self._waiting: set[int] = set()  # ids of all that is in a lane or about to be
        self._doubts = self._looked_after = 0  # times the store failed; those cleared up since
        self._workers: set[asyncio.Task[None]] = set()
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
        again = await self._handling.work(pending)
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
            again = self._handling.without_store(pending, error)
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


def _nothing() -> None:
    """A known delivery, or one that can never be read: nothing to work on."""
