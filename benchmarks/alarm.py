"""1,000 leads of 100 reps turn red in the same night: from the first moment at which anybody may
be told to the last card that the emulated WeCom has taken. In real time, over HTTP, with its
limits, by the real scheduler and outbox."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy import func, select

from benchmarks import company
from bot.clock import MovableClock
from bot.domain.calendar import WorkingCalendar
from config.settings import Settings
from config.wiring.bot import Bot
from config.wiring.building import build
from config.wiring.running import running
from connectors.sandbox.app import Platforms
from connectors.sandbox.world import Hooks, Member, Said
from connectors.web import server
from storage import admin
from storage.database import Database
from storage.tables import accounts, opportunities, pushes

LEADS = 1_000
LONGEST_S = 180
MIDNIGHT = datetime(2026, 11, 19, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Thursday
ALLOWED = MIDNIGHT.replace(hour=8, minute=30)
SILENT_SINCE = MIDNIGHT - timedelta(days=12)


async def fill(database: Database) -> None:
    await company.hire(database)
    await company.put(database, accounts, company.customers(LEADS, SILENT_SINCE))
    rows = company.deals(LEADS, SILENT_SINCE, light_due_at=MIDNIGHT)
    await company.put(database, opportunities, rows)


def enlist(platforms: Platforms) -> None:
    """The company's people as members of the emulated WeCom."""
    platforms.world.members += [
        Member(f"user{n}", f"员工{n}", "wecom", ["rep"], "3")
        for n in range(1, company.DIRECTOR + 1)
    ]


async def turn_red(bot: Bot, clock: MovableClock) -> None:
    """The sweep of midnight; then it is half a minute before anybody may be told."""
    sweep = next(job for job in bot.office.lights.jobs() if job.name == "sweep lights")
    await bot.scheduler.run_tick(sweep, clock.now())
    clock.move_to(ALLOWED - timedelta(seconds=30))


async def left(database: Database) -> int:
    async with database.read() as tx:
        owed = select(func.count()).select_from(pushes).where(pushes.c.state == "owed")
        return int(await tx.delivery._conn.scalar(owed) or 0)


async def all_told(bot: Bot, said: list[Said]) -> None:
    """Until nothing is owed and nothing is queued."""
    async with asyncio.timeout(LONGEST_S):
        # Asking now and then, as the database tells nobody.
        while not said or await left(bot.database) or await bot.outbox.next_at() is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        await admin.upgrade(url)
        bound = server.bind("127.0.0.1", 0)
        clock = MovableClock(MIDNIGHT)
        platforms = Platforms(Hooks(clock.now), server.base_url(bound))
        enlist(platforms)
        settings = Settings.model_validate(platforms.configuration(Path(folder) / "files"))
        async with aiohttp.ClientSession() as session:
            database = await Database.open(url)
            bot = build(settings, clock=clock, database=database, session=session)
            await fill(database)
            await turn_red(bot, clock)
            async with server.listening(platforms.routes(), bound), running(bot):
                await all_told(bot, platforms.world.said)
            await database.close()
    report(platforms, bot.office.calendar)


def report(platforms: Platforms, calendar: WorkingCalendar) -> None:
    cards = [said for said in platforms.world.said if said.kind == "card"]
    pictures = sum(said.kind == "image" for said in platforms.world.said)
    waits = sorted((said.at - ALLOWED).total_seconds() for said in cards)
    dropped = platforms.world.counters.get("wecom:dropped", 0)
    most = max(
        sum(one.to == said.to and timedelta(0) <= said.at - one.at < timedelta(minutes=1)
            for one in platforms.world.said)
        for said in cards
    )  # fmt: skip
    assert not dropped, dropped
    assert {said.to for said in cards} == {
        f"user{n}" for n in range(1, company.REPS + company.TEAMS + 1)
    }
    print(
        f"   {LEADS:,} leads red at once, {company.REPS} reps, {company.TEAMS} supervisors:"
        f" {len(cards)} cards and {pictures} heat maps; from {calendar.local(ALLOWED):%H:%M}"
        f" to accepted: median {statistics.median(waits):.1f} s, last {waits[-1]:.1f} s;"
        f" at most {most} to one person in a minute, {dropped} dropped"
    )
