"""A month of a company of 500 on both platforms, in virtual time, with the whole bot beside them.

Every timer fires when it is due: reminders, locks, lights, morning lists, digests, the week's
summary, the night's forecast, the readings of directories and of the ERP. Meanwhile callbacks get
lost or come again, platforms answer 5xx or not at all, tokens end, people come and go. At the end
what the platforms have seen taken and shown is compared with the database, and nothing may have
grown but what people have put in. DAYS and PEOPLE make it smaller, ACTIONS is of a rep and day.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.soak_checks import Sizes, grown, measure, rebuilt_otherwise, unlike, verified
from benchmarks.soak_noise import Noise
from benchmarks.soak_people import Actors, Person
from benchmarks.soak_world import ENDS_AT, Month, SoakLoop, a_month
from storage import admin

DAYS = int(os.environ.get("DAYS", "31"))
PEOPLE = int(os.environ.get("PEOPLE", "500"))
ACTIONS = int(os.environ.get("ACTIONS", "6"))
SEED = 20261126
WARM_DAYS = 8  # until everything has happened once, the first week's reports too
MORE_MEMORY = 1.15


async def simulate(folder: Path, *, days: int, people: int, actions: int) -> list[Sizes]:
    """What was measured at the end of each day. Raises AssertionError where something does not
    hold."""
    async with a_month(folder, days=days, people=people) as month:
        actors = cast_of(month)
        noise = Noise(month, actors, random.Random(SEED + 1))
        measured = [measure(month, closely=False)]
        warm = min(WARM_DAYS, (days + 1) // 2)
        for day in range(days):
            started = time.perf_counter()
            await live(month, actors, noise, day=day, days=days, actions=actions)
            measured.append(measure(month, closely=day + 1 in (warm, days)))
            took = time.perf_counter() - started
            print(f"   {month.clock.now():%m-%d} ({took:.0f} s) {measured[-1].line()}", flush=True)
        await judge(month, noise, measured[warm], measured[-1])
        if days >= 2 * WARM_DAYS:
            assert_flat(measured[warm], measured[-1])
    return measured


def cast_of(month: Month) -> Actors:
    ours = [one for one in month.world.members if "rep" in one.user_id or "lead" in one.user_id]
    people = {
        role: [Person(one.platform, one.user_id) for one in ours if role in one.roles]
        for role in ("rep", "supervisor")
    }
    chance = random.Random(SEED)
    return Actors(month, chance, people["rep"], people["supervisor"])


async def live(
    month: Month, actors: Actors, noise: Noise, *, day: int, days: int, actions: int
) -> None:
    """One day, from midnight to midnight in China."""
    midnight = ENDS_AT - timedelta(days=days - day)
    is_workday = month.bot.office.calendar.is_workday(midnight.astimezone(month.bot.office.zone))
    plague = asyncio.create_task(noise.run())
    async with asyncio.TaskGroup() as today:
        if is_workday:
            today.create_task(actors.day(midnight, actions=actions))
            today.create_task(noise.knock(midnight))
            today.create_task(noise.staff_changes(day, midnight))
        if day == days - 1:
            await month.clock.sleep_until(midnight + timedelta(hours=10))
            today.create_task(actors.month_ends())
    await month.clock.sleep_until(midnight + timedelta(hours=23))
    plague.cancel()
    await asyncio.gather(plague, return_exceptions=True)
    noise.clear()
    await month.clock.sleep_until(midnight + timedelta(hours=23, minutes=50))
    await month.settle()
    if day % 7 == 6:
        await back_up(month, day)
    month.forget()


async def back_up(month: Month, day: int) -> None:
    """Online, as a cron job would; the file is thrown away."""
    file = month.folder / f"backup-{day}.db"
    await admin.backup(month.url, file)
    file.unlink()


async def judge(month: Month, noise: Noise, warm: Sizes, last: Sizes) -> None:
    """warm: when everything had happened once."""
    await month.clock.sleep_until(month.clock.now() + timedelta(hours=6))  # what was given time
    await month.settle()
    faults = unlike(month, noise)
    print(f"   {len(month.words.said):,} words said, {month.world.told.total():,} messages shown")
    print("   " + ", ".join(f"{name} {count}" for name, count in sorted(noise.played.items())))
    print("   " + ", ".join(f"{name}: {count}" for name, count in faults.items()))
    findings = [*await verified(month), *await rebuilt_otherwise(month)]
    print(f"   verified: {findings or 'nothing found'}")
    for line in grown(warm, last)[:25]:
        print(f"   more of {line}")
    assert not any(faults.values()), faults
    assert not findings


def assert_flat(warm: Sizes, last: Sizes) -> None:
    """But for the customers' names and what else people have put in, which is kept in memory."""
    assert last.tasks <= warm.tasks + 2, (warm.tasks, last.tasks)
    assert last.fds <= warm.fds + 4, (warm.fds, last.fds)
    assert last.threads <= warm.threads + 1, (warm.threads, last.threads)
    assert last.rss <= warm.rss * MORE_MEMORY, (warm.rss, last.rss)
    assert last.waiting == 0


def _run() -> None:
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder,
        asyncio.Runner(loop_factory=SoakLoop) as runner,
    ):
        started, cpu = time.perf_counter(), time.process_time()
        runner.run(simulate(Path(folder), days=DAYS, people=PEOPLE, actions=ACTIONS))
        print(
            f"   {DAYS} days of {PEOPLE} people: {time.perf_counter() - started:.0f} s of real "
            f"time, {time.process_time() - cpu:.0f} s of processor time"
        )


async def main() -> None:
    await asyncio.to_thread(_run)
