"""One tick of one job: claim, transaction, job, queue the notifications.

The scheduled time, not the clock, is the job's "now" and half of the tick's unique key, so
a tick that fires twice acts once. `jump` replays the ticks between two moments in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.clock import Clock, MovableClock, wait_for
from bot.messages import OutboundMessage
from bot.ports import Store, UnitOfWork
from bot.router import Job
from bot.watching import Watcher

Tx = TypeVar("Tx", bound=UnitOfWork)
NextFire = Callable[[Job[Tx], datetime], datetime]
"""First scheduled time of a job strictly after a moment."""

MAX_STEPS = 20_000
LONGEST_NAP_S = 30.0
TRY_AGAIN_S = 15.0

log = logging.getLogger(__name__)


class Scheduler(Generic[Tx]):
    """Runs the table of jobs by the clock it was given."""

    def __init__(
        self,
        *,
        store: Store[Tx],
        jobs: Sequence[Job[Tx]],
        next_fire: NextFire[Tx],
        clock: Clock,
        split: Callable[[Sequence[OutboundMessage]], list[OutboundMessage]],
        queued: Callable[[], None] = lambda: None,
        watcher: Watcher | None = None,
    ) -> None:
        assert len({job.name for job in jobs}) == len(jobs), "two jobs share a name"
        self._store = store
        self._jobs = jobs
        self._next_fire = next_fire
        self._clock = clock
        self._split = split
        self._queued = queued
        self._watcher = watcher or Watcher()
        self._upcoming: dict[str, datetime] = {}
        self._rests_until: dict[str, datetime] = {}  # after a failed tick
        self._moved = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    @property
    def jobs(self) -> Sequence[Job[Tx]]:
        return self._jobs

    async def run(self) -> None:
        """Fire for ever; ends by cancellation between two ticks."""
        now = self._clock.now()
        self._upcoming = {
            job.name: self._next_fire(job, now - timedelta(seconds=job.too_late_s))
            for job in self._jobs
        }
        while True:
            self._moved.clear()
            async with self._one_at_a_time:
                await self._fire_due()
            next_at = min(self._try_at(name, at) for name, at in self._upcoming.items())
            wait_s = (next_at - self._clock.now()).total_seconds()
            await wait_for(self._moved, min(max(wait_s, 0.05), LONGEST_NAP_S))

    async def run_tick(self, job: Job[Tx], scheduled_at: datetime) -> bool:
        """One tick; False when it came too late or was claimed before. Raises what the job
        raises; then nothing was done and the tick is unclaimed."""
        late_s = (self._clock.now() - scheduled_at).total_seconds()
        if late_s > job.too_late_s:
            log.warning("tick dropped, too late", extra=_fields(job, scheduled_at))
            self._watcher.dropped_tick(job.name)
            return False
        with self._watcher.ticking(job.name, max(late_s, 0.0)):
            return await self._run_now(job, scheduled_at)

    async def _run_now(self, job: Job[Tx], scheduled_at: datetime) -> bool:
        await self._prepare(job, scheduled_at)
        async with self._store.begin() as tx:
            at = self._clock.now()
            if not await tx.delivery.claim_tick(job.name, scheduled_at, at=at):
                return False
            notifications = await job.run(tx, scheduled_at)
            await tx.delivery.queue(self._split(notifications), at=at)
        self._queued()
        return True

    async def _over(self, job: Job[Tx], scheduled_at: datetime) -> bool:
        """Run a tick; False when it failed and shall be tried again."""
        try:
            await self.run_tick(job, scheduled_at)
        except Exception:
            log.exception("tick failed", extra=_fields(job, scheduled_at))
            return False
        return True

    async def _prepare(self, job: Job[Tx], scheduled_at: datetime) -> None:
        """Slow work before the transaction; the tick goes on without it."""
        if job.prepare is None:
            return
        try:
            await job.prepare(self._store.begin, scheduled_at)
        except Exception:
            log.exception("preparing a tick failed", extra={"action": "tick", "job": job.name})

    async def jump(
        self,
        clock: MovableClock,
        target: datetime,
        *,
        settle: Callable[[], Awaitable[None]],
        also_due: Callable[[], Awaitable[datetime | None]],
    ) -> None:
        """Move the clock to `target`, stopping wherever something is to be done.

        settle: sends what is due and waits for the inbox. also_due: the outbox's next
        moment. Raises RuntimeError after MAX_STEPS stops.
        """
        async with self._one_at_a_time:
            await self._fire_due()
            ran = {job.name: clock.now() for job in self._jobs}
            for _ in range(MAX_STEPS):
                await settle()
                fires = await self._next_fires(ran, clock.now(), target)
                stops = list(fires.values())
                if (sending := await also_due()) is not None:
                    stops.append(max(sending, clock.now() + timedelta(seconds=1)))
                stop_at = min(stops, default=target + timedelta(days=1))
                if stop_at > target:
                    break
                clock.move_to(stop_at)
                for job in self._jobs:
                    fire_at = fires.get(job.name)
                    if fire_at is not None and fire_at <= stop_at:
                        ran[job.name] = fire_at
                        await self._over(job, fire_at)
            else:
                raise RuntimeError("the jump did not come to an end")
            clock.move_to(target)
            await settle()
            self._upcoming = {job.name: self._next_fire(job, target) for job in self._jobs}
        self._moved.set()

    async def _next_fires(
        self, ran: dict[str, datetime], now: datetime, target: datetime
    ) -> dict[str, datetime]:
        """When each job fires next; without those that would find nothing to do until then."""
        fires: dict[str, datetime] = {}
        async with self._store.begin() as tx:
            for job in self._jobs:
                not_before = now
                if job.next_due is not None:
                    due = await job.next_due(tx)
                    if due is None or due > target:
                        continue
                    not_before = max(now, due)
                just_before = not_before - timedelta(microseconds=1)
                fires[job.name] = self._next_fire(job, max(ran[job.name], just_before))
        return fires

    async def _fire_due(self) -> None:
        for job in self._jobs:
            now = self._clock.now()
            scheduled_at = self._upcoming.get(job.name)
            if scheduled_at is None or self._try_at(job.name, scheduled_at) > now:
                continue
            if not await self._over(job, scheduled_at):
                self._rests_until[job.name] = now + timedelta(seconds=TRY_AGAIN_S)
                continue
            following = self._next_fire(job, scheduled_at)
            missed = now - timedelta(seconds=job.too_late_s)
            self._upcoming[job.name] = max(following, self._next_fire(job, missed))

    def _try_at(self, name: str, scheduled_at: datetime) -> datetime:
        return max(scheduled_at, self._rests_until.get(name, scheduled_at))


def _fields(job: Job[Tx], scheduled_at: datetime) -> dict[str, object]:
    return {"action": "tick", "job": job.name, "scheduled_at": scheduled_at.isoformat()}
