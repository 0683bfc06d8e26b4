"""Ticks: once each, never too late, and in order when the clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest

import bot.scheduler
from bot.clock import FixedClock, MovableClock
from bot.messages import OutboundMessage
from bot.router import Job
from bot.scheduler import Scheduler
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, until

MINUTE = timedelta(minutes=1)


def every_minute(_: Job[UnitOfWork], after: datetime) -> datetime:
    return after.replace(second=0, microsecond=0) + MINUTE


class Diary:
    """A job that writes down when it ran."""

    def __init__(self, due: Sequence[datetime] = ()) -> None:
        self.ran: list[datetime] = []
        self.due = list(due)
        self.fails = False
        self.failed = False

    async def run(self, _: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        if self.fails:
            self.failed = True
            raise RuntimeError("bug")
        self.ran.append(at)
        return []

    async def next_due(self, _: UnitOfWork) -> datetime | None:
        waiting = [moment for moment in self.due if not self.ran or moment > self.ran[-1]]
        return min(waiting, default=None)


def scheduler(
    database: Database, clock: FixedClock | MovableClock, *jobs: Job[UnitOfWork]
) -> Scheduler[UnitOfWork]:
    return Scheduler(store=database, jobs=jobs, next_fire=every_minute, clock=clock, split=list)


async def nothing() -> None:
    return None


@asynccontextmanager
async def live(ticking: Scheduler[UnitOfWork]) -> AsyncIterator[None]:
    """The scheduler beside the test, after its first look at the clock."""
    task = asyncio.create_task(ticking.run())
    await asyncio.sleep(0.05)
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_tick_fired_twice_acts_once(database: Database) -> None:
    diary = Diary()
    job = Job("diary", {}, diary.run)
    ticking = scheduler(database, FixedClock(START), job)
    assert await ticking.run_tick(job, START)
    assert not await ticking.run_tick(job, START)
    assert diary.ran == [START]


async def test_a_tick_that_is_too_late_is_dropped(database: Database) -> None:
    diary = Diary()
    job = Job("diary", {}, diary.run, too_late_s=60)
    ticking = scheduler(database, FixedClock(START + 3 * MINUTE), job)
    assert not await ticking.run_tick(job, START)
    assert diary.ran == []


async def test_a_failing_job_leaves_its_tick_unclaimed(database: Database) -> None:
    diary = Diary()
    diary.fails = True
    job = Job("diary", {}, diary.run)
    ticking = scheduler(database, FixedClock(START), job)
    with pytest.raises(RuntimeError, match="bug"):
        await ticking.run_tick(job, START)
    diary.fails = False
    assert await ticking.run_tick(job, START)


async def test_a_jump_runs_every_tick_on_its_way(database: Database) -> None:
    diary = Diary()
    clock = MovableClock(START)
    ticking = scheduler(database, clock, Job("diary", {}, diary.run))
    await ticking.jump(clock, START + 5 * MINUTE + MINUTE / 2, settle=nothing, also_due=nothing)
    assert diary.ran == [START + n * MINUTE for n in range(1, 6)]
    assert clock.now() >= START + 5 * MINUTE


async def test_a_jump_skips_ticks_that_have_nothing_to_do(database: Database) -> None:
    diary = Diary(due=[START + 90 * MINUTE + timedelta(seconds=1), START + 6000 * MINUTE])
    clock = MovableClock(START)
    job = Job("diary", {}, diary.run, next_due=diary.next_due)
    ticking = scheduler(database, clock, job)
    await ticking.jump(clock, START + 300 * MINUTE, settle=nothing, also_due=nothing)
    assert diary.ran == [START + 91 * MINUTE]


async def test_a_jump_stops_where_a_message_is_to_be_sent(database: Database) -> None:
    clock = MovableClock(START)
    sending = [START + timedelta(seconds=130)]
    stops: list[datetime] = []

    async def settle() -> None:
        if sending and clock.now() >= sending[0]:
            stops.append(sending.pop())

    async def also_due() -> datetime | None:
        return sending[0] if sending else None

    ticking = scheduler(database, clock, Job("diary", {}, Diary().run))
    await ticking.jump(clock, START + 10 * MINUTE, settle=settle, also_due=also_due)
    assert stops == [START + timedelta(seconds=130)]


async def test_a_tick_that_failed_is_tried_again_soon(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.scheduler, "TRY_AGAIN_S", 0.1)
    diary = Diary()
    diary.fails = True
    clock = MovableClock(START + MINUTE - timedelta(seconds=0.2))
    daily = Job("digest", {}, diary.run, too_late_s=0.5)  # type: ignore[arg-type]
    ticking = scheduler(database, clock, daily)
    async with live(ticking):
        await until(lambda: diary.failed)
        diary.fails = False
        await until(lambda: diary.ran)
    assert diary.ran == [START + MINUTE]


async def test_a_jump_that_starts_when_a_tick_is_due_does_not_swallow_it(
    database: Database,
) -> None:
    diary = Diary()
    clock = MovableClock(START + MINUTE - timedelta(seconds=0.5))
    ticking = scheduler(database, clock, Job("diary", {}, diary.run, too_late_s=30))
    async with live(ticking):
        clock.move_to(START + MINUTE + timedelta(seconds=1))  # due, and nobody has looked yet
        await ticking.jump(clock, START + 2.5 * MINUTE, settle=nothing, also_due=nothing)
    assert diary.ran == [START + MINUTE, START + 2 * MINUTE]


async def test_several_jumps_at_once_and_a_live_clock_run_each_tick_once(
    database: Database,
) -> None:
    diary = Diary()
    clock = MovableClock(START + timedelta(seconds=30))
    ticking = scheduler(database, clock, Job("diary", {}, diary.run, too_late_s=30))
    async with live(ticking):
        await asyncio.gather(
            *(
                ticking.jump(clock, START + n * MINUTE / 2, settle=nothing, also_due=nothing)
                for n in (3, 9, 20, 5)
            )
        )
    assert diary.ran == [START + n * MINUTE for n in range(1, 11)]


def test_the_clock_never_runs_backwards() -> None:
    clock = MovableClock(START)
    clock.move_to(START + MINUTE)
    clock.move_to(START)
    assert clock.now() >= START + MINUTE


@pytest.mark.parametrize("names", [("a", "a")])
async def test_two_jobs_of_one_name_are_refused(database: Database, names: tuple[str, str]) -> None:
    jobs = [Job(name, {}, Diary().run) for name in names]
    with pytest.raises(AssertionError, match="share a name"):
        scheduler(database, FixedClock(START), *jobs)
