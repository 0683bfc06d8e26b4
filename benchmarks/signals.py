"""How cheaply signals of websites are accepted: p50 of one request alone, and events a second
with many senders, in one process with its database on disk.

    python -m benchmarks.signals [--url sqlite:///…] [--requests 4000] [--senders 32]
"""

from __future__ import annotations

import argparse
import asyncio
import json
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


async def measure(url: str, requests: int, senders: int) -> None:
    async with aiohttp.ClientSession() as session:
        alone = sorted([await send(session, url, number) for number in range(500)])
        numbers = iter(range(1_000, 1_000 + requests))
        spent: list[float] = []

        async def sender() -> None:
            spent.extend([await send(session, url, number) for number in numbers])

        begun, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(sender() for _ in range(senders)))
        took, used = time.perf_counter() - begun, time.process_time() - used
    spent.sort()
    print(f"alone: p50 {alone[250] * 1000:.2f} ms, p99 {alone[494] * 1000:.2f} ms")
    half = spent[requests // 2] * 1000
    print(f"{senders} senders: {requests / took:,.0f} events/s, p50 {half:.2f} ms")
    each = used / requests * 1000
    print(f"processor time of an event, its client's half included: {each:.3f} ms")


async def main(url: str, requests: int, senders: int) -> None:
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
        await measure(server.base_url(bound), requests, senders)
    await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--senders", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = given.url or f"sqlite:///{Path(folder) / 'gendan.db'}"
        asyncio.run(main(where, given.requests, given.senders))
