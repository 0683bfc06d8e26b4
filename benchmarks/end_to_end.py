"""From callbacks over HTTP to activities stored and replies queued, saturated.

The bot is built as `serve` builds it, in a process of its own: doors, dispatcher, handlers and, on
PostgreSQL, leases and news; only nobody sends what is queued, nothing happens by the clock, and
there are no pages. Every message tells of a customer of its own and is stored at once
(`auto_confirm`), so each makes an activity, its light and figures, an audit entry and a card.

The clock is told, and what can be compared on a machine that others use: processor time of the
bot's process and of PostgreSQL's, and statements for each message. Two processes, which get the
load in turn, are compared with one in pairs, each on a slow core (benchmarks/cores.py), so that
client and database have room beside them. Where cores cannot be slowed each is pinned to one that
client and database use as well; then the ratio by processor time is what two free cores would give.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import Engine, event, func, select

from benchmarks import bodies, load
from benchmarks.company import put
from benchmarks.cores import Place, anywhere, can_slow, two
from benchmarks.databases import KINDS, fresh_url
from benchmarks.people import hire
from benchmarks.postgres_time import PostgresTime
from bot.clock import WallClock
from config.settings import Settings
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.together import beside_others, parts_of
from connectors.web import server
from storage import admin
from storage.database import Database
from storage.tables import activities, inbox, outbox

PEOPLE = 300
CUSTOMERS = 20_000
MESSAGES = int(os.environ.get("GENDAN_BENCH_MESSAGES", "3000"))
"""Of one process; half of them each time that two are compared with one."""
CONNECTIONS = 32
ROUNDS = int(os.environ.get("GENDAN_BENCH_ROUNDS", "4"))
"""Of one process and two."""
REPLIES = 2  # the card, and a line on what the customer objects to


@dataclass(frozen=True, slots=True)
class Spent:
    """Of all processes together, so far."""

    cpu_s: float
    statements: int


@dataclass(frozen=True, slots=True)
class Found:
    """messages_per_s: by the clock. bot_ms, server_ms: of one message, processor time of all bots
    together and of PostgreSQL."""

    messages_per_s: float
    bot_ms: float
    server_ms: float
    statements: float

    def __str__(self) -> str:
        return (
            f"{self.messages_per_s:.0f} messages/s; {self.bot_ms:.2f} ms of processor time and "
            f"{self.statements:.1f} statements a message; {self.server_ms:.2f} ms of PostgreSQL's"
        )


def request(number: int) -> bytes:
    """The numberth callback: a call with a customer that nobody else tells of."""
    text = f"刚和客户{number:05d}有限公司王总通了25分钟电话，嫌价格高，下周三再联系"
    return bodies.wecom(number, people=PEOPLE, text=text)


def configuration(url: str, folder: Path) -> dict[str, object]:
    policy = Path("config/policy.toml").read_text("utf-8")
    at_once = policy.replace("auto_confirm = false", "auto_confirm = true ")
    assert at_once != policy
    (folder / "policy.toml").write_text(at_once, "utf-8")
    app = bodies.WECOM
    return {
        "policy": str(folder / "policy.toml"),
        "storage": {"url": url, "files": str(folder / "files")},
        "wecom": {
            app.name: {
                "corp_id": app.corp_id, "agent_id": app.agent_id, "secret": app.secret,
                "token": app.token, "aes_key": app.aes_key,
            }
        },
    }  # fmt: skip


async def serve(settings: Settings) -> None:
    """A bot in this process. Prints its port; then for each line that it reads waits until
    nothing is in work and prints what it has spent. Ends when its input does."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(Engine, "before_cursor_execute", count)
    async with contextlib.AsyncExitStack() as stack:
        together = await stack.enter_async_context(beside_others(settings))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        database = await Database.open(settings.storage.url.get_secret_value(), synchronous="FULL")
        stack.push_async_callback(database.close)
        bot = build(
            settings, clock=WallClock(), database=database, session=session, together=together
        )
        await bot.load_memory()
        gc.collect()
        gc.freeze()
        if together is not None:
            await together.join(parts_of(bot))
            await stack.enter_async_context(together.running())
        bound = server.bind("127.0.0.1", 0)
        print(bound.getsockname()[1], flush=True)
        await stack.enter_async_context(server.listening(doors(bot), bound))
        while await asyncio.to_thread(sys.stdin.readline):
            await bot.dispatcher.drained()
            told = {"cpu_s": time.process_time(), "statements": statements}
            print(json.dumps(told), flush=True)
        await bot.dispatcher.stop()


class Bots:
    """So many bots on one database, and what is asked of them."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], ports: Sequence[int]):
        self._processes = processes
        self._ports = ports

    async def spent(self) -> Spent:
        """Once nothing is in work."""
        found = [json.loads(await _ask(process)) for process in self._processes]
        return Spent(sum(one["cpu_s"] for one in found), sum(one["statements"] for one in found))

    async def take(self, requests: Sequence[bytes], folder: Path) -> None:
        """Each its share, in turn, as a balancer would have it."""
        clients = []
        for number, port in enumerate(self._ports):
            file = folder / f"{number}.requests"
            load.save(list(requests[number :: len(self._ports)]), file)
            clients.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "benchmarks.load", "127.0.0.1", str(port), str(file),
                    str(CONNECTIONS // len(self._ports)), "0", stdout=asyncio.subprocess.PIPE,
                )
            )  # fmt: skip
        for client in clients:
            out, _ = await client.communicate()
            told = json.loads(out)
            assert told["failed"] == 0, told


async def _ask(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    return await process.stdout.readline()


@contextlib.asynccontextmanager
async def bots(url: str, folder: Path, places: Sequence[Place]) -> AsyncIterator[Bots]:
    """One at each place."""
    file = folder / "gendan.json"
    file.write_text(json.dumps(configuration(url, folder)), "utf-8")
    async with contextlib.AsyncExitStack() as stack:
        begun = [await stack.enter_async_context(_bot(file, place)) for place in places]
        if len(places) > 1:
            await asyncio.sleep(5)  # until they have shared the conversations out
        yield Bots([process for process, _ in begun], [port for _, port in begun])


@contextlib.asynccontextmanager
async def _bot(file: Path, place: Place) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """And its port. It comes to its place when it has started."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.end_to_end", str(file),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    with place(process.pid):
        try:
            yield process, port
        finally:
            process.stdin.close()
            await process.wait()


@contextlib.asynccontextmanager
async def busy(places: Sequence[Place]) -> AsyncIterator[None]:
    """Somebody else's work there. A machine that idles half of its time is slower to wake up and
    has cold caches: without it two processes were measured to be more than twice as fast as one."""
    async with contextlib.AsyncExitStack() as stack:
        for place in places if can_slow() else ():
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
            stack.enter_context(place(process.pid))
            stack.push_async_callback(process.wait)
            stack.callback(process.kill)
        yield


async def measure(url: str, folder: Path, places: Sequence[Place], numbers: range) -> Found:
    """What these messages cost bots, which have warmed up with the first of them."""
    requests = [request(number) for number in numbers]
    warm_up = len(requests) // 10
    database = await Database.open(url)
    server = PostgresTime(database)
    try:
        async with bots(url, folder, places) as serving:
            await serving.take(requests[:warm_up], folder)
            await _handled(database)
            await server.look()
            served, before, begun = server.spent_s, await serving.spent(), time.perf_counter()
            await serving.take(requests[warm_up:], folder)
            await _handled(database)
            after, seconds = await serving.spent(), time.perf_counter() - begun
            await server.look()
        await _all_there(database, numbers.stop)
    finally:
        await database.close()
    count = len(requests) - warm_up
    return Found(
        messages_per_s=count / seconds,
        bot_ms=(after.cpu_s - before.cpu_s) / count * 1000,
        server_ms=(server.spent_s - served) / count * 1000,
        statements=(after.statements - before.statements) / count,
    )


async def _handled(database: Database) -> None:
    waiting = select(func.count()).select_from(inbox).where(inbox.c.state == "new")
    while await _number(database, waiting):  # noqa: ASYNC110 - a row has no event
        await asyncio.sleep(0.1)


async def _all_there(database: Database, count: int) -> None:
    """Of all messages so far."""
    for table, wanted in ((activities, CUSTOMERS + count), (outbox, REPLIES * count)):
        found = await _number(database, select(func.count()).select_from(table))
        assert found == wanted, (table.name, found, wanted)


async def _number(database: Database, query: object) -> int:
    async with database.read() as tx:
        return int(await tx.delivery._conn.scalar(query) or 0)  # type: ignore[call-overload]


async def _fill(url: str) -> None:
    """Each customer has had its first call, as nearly all have that are told of."""
    await admin.upgrade(url)
    database = await Database.open(url)
    await hire(database, PEOPLE, customers=CUSTOMERS)
    called_at = datetime.now(UTC) - timedelta(days=6)
    await put(database, activities, (
        {"account_id": n, "opportunity_id": n, "actor_id": (n - 1) % PEOPLE + 1,
         "unit": "first_call", "title": "首次电话", "text": "打了电话", "occurred_at": called_at,
         "recorded_at": called_at, "source_id": f"bench:{n}", "slots": {"duration_s": 1500},
         "file_hashes": [], "valid": True, "grade": "E0"}
        for n in range(1, CUSTOMERS + 1)
    ))  # fmt: skip
    await database.close()


async def main() -> None:
    total = _with_warm_up(MESSAGES)
    wanted = os.environ.get("GENDAN_BENCH_KINDS", ",".join(KINDS)).split(",")
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as name:
        folder = Path(name)
        if "SQLite" in wanted:
            url = f"sqlite+aiosqlite:///{folder / 'bench.db'}"
            await _fill(url)
            print(f"   SQLite: {await measure(url, folder, [anywhere], range(total))}", flush=True)
        if "PostgreSQL" not in wanted:
            return
        async with fresh_url() as url:
            await _fill(url)
            found = await measure(url, folder, [anywhere], range(total))
            print(f"   PostgreSQL: {found}", flush=True)
            await _compare_two(url, folder, total)


async def _compare_two(url: str, folder: Path, begin: int) -> None:
    """With one, in turn, since a machine that others use is now slower, now faster; every other
    time two come first. begin: the first message that the database has not seen."""
    told, places = two()
    step = _with_warm_up(MESSAGES // 2)
    pairs = []
    for number in range(ROUNDS):
        found = {}
        for count in (1, 2) if number % 2 == 0 else (2, 1):
            async with busy(places[count:]):
                numbers = range(begin, begin + step)
                found[count] = await measure(url, folder, places[:count], numbers)
            begin += step
            name = "one" if count == 1 else "two"
            print(f"   PostgreSQL, {name} {told}: {found[count]}", flush=True)
        pairs.append((found[1], found[2]))
    clock = [both.messages_per_s / one.messages_per_s for one, both in pairs]
    cpu = [2 * one.bot_ms / both.bot_ms for one, both in pairs]
    print(f"   two are {_middle(clock)} times one by the clock, {_middle(cpu)} by processor time")


def _with_warm_up(count: int) -> int:
    """How many messages that takes of which so many are counted."""
    return count * 10 // 9


def _middle(ratios: Sequence[float]) -> str:
    told = ", ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
    return f"{statistics.median(ratios):.2f} (of {told})"


if __name__ == "__main__":
    written = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    asyncio.run(serve(Settings.model_validate(written)))
