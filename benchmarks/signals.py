"""How cheaply signals of websites are accepted: one at a time, at 2,000 a second, and as fast as
32 senders can, who share the process with the door and its database on disk.

GENDAN_BENCH_URL: another database than an SQLite file.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.clock import WallClock
from bot.domain.websites import Website
from connectors.track.door import TrackDoor
from connectors.web import server
from storage import admin
from storage.database import Database
from storage.signal_intake import SignalIntake

RATE, SENDERS, REQUESTS = 2_000, 32, 8_000
ORIGIN = "https://www.example.com"
SITE = Website(
    "main", "a secret of at least 24 letters", (ORIGIN,), per_s=1_000_000, per_visitor_min=1_000_000
)
HEADERS = {"Origin": ORIGIN, "User-Agent": "Mozilla/5.0 Chrome/140.0", "Content-Type": "text/plain"}


def body(number: int) -> bytes:
    event = {"id": f"event-{number:09}", "page": f"/products/{number % 50}/specs", "ago": 100}
    visitor = f"visitor-{number % 500:04}"
    return json.dumps({"key": SITE.browser_key, "visitor": visitor, "events": [event]}).encode()


async def send(session: aiohttp.ClientSession, url: str, number: int) -> float:
    begun = time.perf_counter()
    async with session.post(f"{url}/track", data=body(number), headers=HEADERS) as answer:
        assert answer.status == 200, await answer.text()
    return time.perf_counter() - begun


async def _send_all(
    session: aiohttp.ClientSession, url: str, numbers: range, *, rate: float = 0
) -> list[float]:
    """Seconds that each took, sorted. rate: a second, each counted from when it was due; 0: as
    fast as the senders can."""
    started = time.perf_counter()
    left = iter(numbers)
    spent: list[float] = []

    async def sender() -> None:
        for number in left:
            due = started + (number - numbers.start) / rate if rate else time.perf_counter()
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            await send(session, url, number)
            spent.append(time.perf_counter() - due)

    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    return sorted(spent)


async def measure(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        alone = sorted([await send(session, url, number) for number in range(500)])
        print(f"   alone: p50 {alone[250] * 1000:.2f} ms, p99 {alone[494] * 1000:.2f} ms")
        paced = await _send_all(session, url, range(1_000, 1_000 + 5 * RATE), rate=RATE)
        half, most = paced[len(paced) // 2] * 1000, paced[int(len(paced) * 0.99)] * 1000
        print(f"   at {RATE:,}/s: p50 {half:.2f} ms, p99 {most:.2f} ms")
        begun, used = time.perf_counter(), time.process_time()
        await _send_all(session, url, range(100_000, 100_000 + REQUESTS))
        took, used = time.perf_counter() - begun, time.process_time() - used
    each = used / REQUESTS * 1000
    print(
        f"   {SENDERS} senders: {REQUESTS / took:,.0f} events/s;"
        f" {each:.3f} ms of processor time an event, its client's half included"
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _serve(os.environ.get("GENDAN_BENCH_URL", f"sqlite:///{Path(folder) / 'gendan.db'}"))


async def _serve(url: str) -> None:
    await admin.upgrade(url)
    database = await Database.open(url)
    bound = server.bind("127.0.0.1", 0)

    async def no_link(_: int) -> None:
        return None

    accept = SignalIntake(database.begin).accept
    routes: list[web.AbstractRouteDef] = [
        *TrackDoor([SITE], accept, no_link, [WallClock()], None).routes()
    ]
    async with server.listening(routes, bound):
        await measure(server.base_url(bound))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
