"""A day at its worst for a long connection, in virtual time: what `benchmarks.stream` and
`benchmarks.aibot` have in common.

HOURS makes the day shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from config.wiring.bot import Bot
from connectors.sandbox.world import Fault, Hooks, World
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.virtual_time import VirtualLoop

HOURS = float(os.environ.get("HOURS", "24"))
SEED = 20261126
MORNING = datetime(2026, 3, 2, 0, tzinfo=UTC)


class LoopClock:
    """Tells the loop's own time as if it had begun on a Monday morning."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self._loop.time() - self._begun)


class Noticed(Database):
    """The loop's clock stands still while somebody reads: those threads are not the loop's."""

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.working += 1
        try:
            async with super().read() as tx:
                yield tx
        finally:
            loop.working -= 1


class Watched(World):
    """Notes when the bot asks for connections, by the loop's time. opening: the name of that
    call."""

    def __init__(self, hooks: Hooks, opening: str) -> None:
        super().__init__(hooks)
        self._opening = opening
        self.opened_at: list[float] = []

    def count(self, name: str) -> int:
        if name == self._opening:
            self.opened_at.append(asyncio.get_running_loop().time())
        return super().count(name)


@dataclass
class BadDay(ABC):
    """One simulated day. plagues: what befell the connection, and how often."""

    world: Watched
    bot: Bot
    session: aiohttp.ClientSession
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    pressed: int = 0
    toasts: int = 0
    plagues: Counter[str] = field(default_factory=Counter)

    platform = ""
    opening = ""

    @abstractmethod
    def kinds(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What can befall it, by name."""

    @abstractmethod
    async def cut_all(self) -> None:
        """End whatever stands."""

    async def plague(self) -> None:
        """Something every few minutes; half an hour of nothing at all twice."""
        outages = [HOURS * 3600 * share for share in (0.3, 0.7)]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        kinds = self.kinds()
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 400))
            if outages and loop.time() - begun > outages[0]:
                del outages[0]
                await self._outage()
                continue
            what = self.chance.choice(sorted(kinds))
            self.plagues[what] += 1
            await kinds[what]()

    def fault(self, api: str, **what: Any) -> None:
        """The next few calls of it fail."""
        times = self.chance.randint(1, 6)
        self.world.faults.append(Fault(self.platform, api, times=times, **what))

    async def _outage(self) -> None:
        self.plagues["half an hour away"] += 1
        away = Fault(self.platform, self.opening, status=503, times=1_000_000)
        self.world.faults.append(away)
        await self.cut_all()
        await asyncio.sleep(1800)
        away.times = 0

    def tell_openings(self, *, least_gap_s: float) -> None:
        """No two openings nearer to each other than that."""
        at = self.world.opened_at
        gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
        most = max(sum(0 <= other - one < 600 for other in at) for one in at)
        print(
            f"   {len(at)} connections asked for, {len(at) / HOURS:.1f} an hour; least gap "
            f"{min(gaps):.1f} s, most in ten minutes {most}"
        )
        assert min(gaps) >= least_gap_s


@contextlib.asynccontextmanager
async def listening(bot: Bot) -> AsyncIterator[None]:
    """What of the bot this is about; without the jobs that the clock calls for."""
    (stream,) = bot.streams
    running = [asyncio.create_task(stream.run()), asyncio.create_task(bot.outbox.run())]
    await stream.up()
    try:
        yield
    finally:
        stream.stop()
        await running[0]
        await bot.dispatcher.stop()
        running[1].cancel()
        await asyncio.wait(running)


async def live_through(simulate: Callable[[Path], Awaitable[None]]) -> None:
    """Calls it with an empty folder, in virtual time."""
    await asyncio.to_thread(_run, simulate)


def _run(simulate: Callable[[Path], Awaitable[None]]) -> None:
    async def simulated(folder: str) -> None:
        await simulate(Path(folder))

    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        started, cpu = time.perf_counter(), time.process_time()
        runner.run(simulated(folder))
        print(
            f"   {time.perf_counter() - started:.0f} s of real time, "
            f"{time.process_time() - cpu:.0f} s of processor time"
        )


def distinct_words(number: int) -> str:
    """Names that are no near duplicates of each other."""
    signs = "东南西北春夏秋冬金木水火土山川河海云雷风天地日月星辰江湖林石"
    digits = [number // 27**power % 27 for power in range(3)]
    return "".join(
        signs[digit] + signs[(digit * 7 + place) % 29] for place, digit in enumerate(digits)
    )


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
