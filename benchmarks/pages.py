"""Pages: the customer with 100,000 entries in its stream, the big screen over 1,000,000 deals.
Names choose: `python -m benchmarks.pages customer`."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.office import whole_office
from benchmarks.people import hire
from bot.clock import FixedClock
from bot.domain.page_sessions import PageSession, Visitor
from bot.domain.people import Role
from connectors.web.assets import Assets
from connectors.web.rendering import Renderer
from handlers.pages.screen import Screens, build
from handlers.pages.site import Site
from storage import admin
from storage.database import Database
from storage.files import FileFolder
from storage.tables import activities, light_episodes, opportunities, stage_events

NOW = datetime(2026, 11, 18, 2, tzinfo=UTC)  # ten o'clock of a Wednesday in China
ENTRIES = int(os.environ.get("GENDAN_BENCH_ENTRIES", "100000"))
DEALS = int(os.environ.get("GENDAN_BENCH_DEALS", "1000000"))
ROUNDS = 100
UNITS = ("followup_call", "visit", "message", "")


def entries(count: int, *, people: int, deals: int, span: timedelta) -> Iterator[dict[str, Any]]:
    """Spread evenly over the time up to now, the people and the deals."""
    for n in range(count):
        at = NOW - span + span * n / count
        yield {
            "account_id": n % deals + 1, "opportunity_id": n % deals + 1,
            "actor_id": n % people + 1, "unit": UNITS[n % 4], "title": "跟进电话",
            "text": f"第{n}次，报价比预算高一成", "occurred_at": at, "recorded_at": at,
            "source_id": f"b:{n}", "slots": {}, "file_hashes": [], "valid": n % 4 < 2,
            "invalid_reason": "", "grade": "E0", "late": False, "library": "",
        }  # fmt: skip


async def put(database: Database, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == 20_000:
            await _put(database, table, batch)
            batch = []
    if batch:
        await _put(database, table, batch)


async def _put(database: Database, table: Any, batch: list[dict[str, Any]]) -> None:
    async with database.begin() as tx:
        await tx.delivery._conn.execute(insert(table), batch)


@dataclass
class Stand:
    site: Site
    visitor: Visitor
    renderer: Renderer


async def stand(database: Database, folder: Path, role: Role) -> Stand:
    desk, clock = whole_office(), FixedClock(NOW)

    async def play(data: bytes, media_type: str) -> tuple[bytes, str]:
        return data, media_type

    async with database.begin() as tx:
        await tx.people.set_roles(1, [role])
        person = await tx.people.get(1)
    screens = Screens(desk, database.read, clock.now)
    site = Site(desk, database.read, database.begin, clock, FileFolder(folder), play, screens)
    visitor = Visitor(person, PageSession(1, 1, "x" * 43, NOW + timedelta(days=1)))
    return Stand(site, visitor, Renderer(Assets.load()))


async def timed(what: str, act: Callable[[], Awaitable[object]]) -> None:
    await act()
    spent = []
    worked = time.process_time()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await act()
        spent.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0)
    cpu = (time.process_time() - worked) * 1000 / ROUNDS
    spent.sort()
    p95 = spent[int(len(spent) * 0.95)]
    shown = f"p50 {statistics.median(spent):.0f} ms, p95 {p95:.0f} ms"
    print(f"   {what}: {shown}, of the processor {cpu:.0f} ms")


@asynccontextmanager
async def looked_at() -> AsyncIterator[list[float]]:
    """How long the event loop worked each time before others had their turn, in seconds of its
    processor, so that whatever else the machine does is not counted; whole after the block."""
    holds: list[float] = [0.0]

    async def look() -> None:
        while True:
            begun = time.thread_time()
            await asyncio.sleep(0.001)
            holds.append(time.thread_time() - begun)

    looking = asyncio.create_task(look())
    await asyncio.sleep(0.01)
    try:
        yield holds
    finally:
        await asyncio.sleep(0.01)
        looking.cancel()


async def customer(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'customer.db'}"
    await admin.upgrade(url)
    database = await Database.open(url)
    try:
        await hire(database, 10, customers=1)
        rows = entries(ENTRIES, people=10, deals=1, span=timedelta(days=3 * 365))
        await put(database, activities, rows)
        here = await stand(database, folder, Role.REP)

        async def page(kind: str = "") -> None:
            found = await here.site.customer(here.visitor, 1, kind=kind)
            face = here.site.face(here.visitor)
            here.renderer.render(
                "customer.html", face=face, client=None, path="/customers/1", customer=found
            )

        async def further() -> None:
            cursor = f"{(NOW - timedelta(days=700)).isoformat()}~1"
            found = await here.site.stream(here.visitor, 1, kind="", before=cursor)
            here.renderer.render("parts/stream.html", stream=found)

        print(f"   one customer with {ENTRIES:,} entries of three years, SQLite")
        await timed("the page", page)
        await timed("the page, visits only", lambda: page("visit"))
        await timed("a page far down the stream", further)
    finally:
        await database.close()


async def screen(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'screen.db'}"
    await admin.upgrade(url)
    database = await Database.open(url)
    people = 1_000
    try:
        await _fill_screen(database, people)
        here = await stand(database, folder, Role.SALES_DIRECTOR)
        gc.collect()
        gc.freeze()  # as `serve` does
        begun, worked = time.perf_counter(), time.process_time()
        async with looked_at() as holds, database.read() as tx:
            await build(tx, here.site.office, here.visitor.person, NOW)
        print(f"   {DEALS:,} deals of {people:,} people, SQLite")
        spent, cpu = time.perf_counter() - begun, time.process_time() - worked
        print(f"   working it out, for everybody: {spent:.1f} s, of the processor {cpu:.1f} s")
        print(f"   the event loop was held {max(holds) * 1000:.0f} ms at most at a time")

        async def page() -> None:
            found = await here.site.screen(here.visitor)
            face = here.site.face(here.visitor)
            here.renderer.render("screen.html", face=face, client=None, path="/", screen=found)

        await timed("the page", page)
    finally:
        await database.close()


async def _fill_screen(database: Database, people: int) -> None:
    """DEALS of twenty teams, each tenth red."""
    await hire(database, people, customers=DEALS)
    await put(
        database, stage_events,
        ({"opportunity_id": n + 1, "account_id": n + 1, "kind": "opened", "library": "",
          "came_from": "", "went_to": "first_contact", "at": NOW - timedelta(days=n % 400),
          "person_id": n % people + 1, "required_filled": 0, "slots": {}, "reason": ""}
         for n in range(DEALS)),
    )  # fmt: skip
    await put(
        database, light_episodes,
        ({"opportunity_id": n + 1, "episode": 1, "owner_id": n % people + 1,
          "yellow_at": NOW - timedelta(days=n % 30), "red_at": None, "cleared_at": None,
          "cleared_reason": "", "snooze_reason": "", "next_step": ""}
         for n in range(DEALS // 10)),
    )  # fmt: skip
    rows = entries(DEALS // 5, people=people, deals=DEALS, span=timedelta(days=28))
    await put(database, activities, rows)
    async with database.begin() as tx:
        for number in range(2, 22):
            await tx.people.set_roles(number, [Role.SUPERVISOR, Role.REP])
        for number in range(22, people + 1):
            await tx.people.set_supervisor_override(number, number % 20 + 2)
        await tx.delivery._conn.execute(
            opportunities.update()
            .where(opportunities.c.id % 10 == 0)
            .values(light="red", created_at=NOW - timedelta(days=30))
        )


async def main() -> None:
    wanted = [name for name in sys.argv[1:] if name in ("customer", "screen")]
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        for name in wanted or ("customer", "screen"):
            await {"customer": customer, "screen": screen}[name](Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
