"""How fast callbacks are taken in, beside a bare handler that stores nothing.

Each server is a process of its own and shares this machine with the client. The bare one
verifies, decrypts and parses the same bodies and answers. Ours is the doors, the dispatcher
and the database as they serve; only the work that follows an answer is held back. The same once
more with the inbox on NATS JetStream, whose server is a further process here, with its files
beside SQLite's: as it comes, when it leaves them to the system for two minutes, and with
`sync_interval: always`, when each message is on the disk before it is acknowledged.

Two processes on one PostgreSQL are compared with one of them, each on a slow core
(benchmarks/cores.py), so that client and database have room beside them.

Short rounds alternate, and each of ours is compared with the bare one beside it, so that
both see the same weather; the median of these ratios counts. Beside the rates, which depend
on who else uses the machine, stands the processor time that each server spent on a request.

With MINUTES in the environment it only tells whether memory stays flat: what is taken in is
handled too, at CALM_RATE for so long, and the server's resident memory is told every minute.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import hmac
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aiohttp import web

from benchmarks import bodies, load
from benchmarks.cores import Place, anywhere, two
from benchmarks.databases import fresh_url
from benchmarks.nats_server import find_server, own_server
from bot.clock import WallClock
from bot.dispatcher import Dispatcher
from bot.domain.sharing import Division
from bot.handling import Handling, Wording
from bot.messages import Envelope, InboundMessage, Incoming, OutboundMessage
from bot.ports import Accept
from connectors.dingtalk import webhook as dingtalk_door
from connectors.dingtalk.parse import parse_envelope
from connectors.queue.access import Access
from connectors.queue.inbox import StreamInbox
from connectors.wecom import webhook as wecom_door
from connectors.wecom.crypto import Crypto
from connectors.wecom.parse import parse
from storage import admin
from storage.database import Database
from storage.files import FileFolder
from storage.unit_of_work import UnitOfWork

CONNECTIONS = int(os.environ.get("GENDAN_BENCH_CONNECTIONS", "32"))
REQUESTS = 3_000
ROUNDS = int(os.environ.get("GENDAN_BENCH_ROUNDS", "14"))
"""With the calm one less than the 50,000 that a dispatcher lets wait."""
CALM_RATE = 300
MINUTES = int(os.environ.get("MINUTES", "0"))
WARM_MINUTES = 2
MORE_MEMORY = 1.05


def bare_routes() -> list[web.RouteDef]:
    """The least that a correct receiver does, without storing anything."""
    crypto = Crypto(
        token=bodies.WECOM.token, aes_key=bodies.WECOM.aes_key, receive_id=bodies.WECOM.corp_id
    )

    secret = bodies.DINGTALK.client_secret.encode()

    async def wecom(request: web.Request) -> web.Response:
        root = ElementTree.fromstring(await request.read())  # noqa: S314 - our own bodies
        encrypted = (root.findtext("Encrypt") or "").encode()
        query = request.query
        crypto.verify(
            query["msg_signature"],
            timestamp=query["timestamp"],
            nonce=query["nonce"],
            encrypted=encrypted,
        )
        ElementTree.fromstring(crypto.decrypt(encrypted))  # noqa: S314 - our own bodies
        return web.Response()

    async def dingtalk(request: web.Request) -> web.Response:
        timestamp = request.headers["timestamp"]
        if abs(time.time() * 1000 - int(timestamp)) > 3_600_000:
            return web.Response(status=401)
        signed = hmac.digest(secret, f"{timestamp}\n".encode() + secret, "sha256")
        sign = base64.b64encode(signed).decode()
        if not hmac.compare_digest(sign, request.headers["sign"]):
            return web.Response(status=401)
        json.loads(await request.read())
        return web.json_response({"msgtype": "empty"})

    return [web.post("/wecom/sales", wecom), web.post("/dingtalk/sales/robot", dingtalk)]


async def serve(kind: str, url: str) -> None:
    """A server in this process. Prints its port, then for each line it reads the processor
    seconds spent so far; ends when its input does."""
    application = web.Application()
    async with contextlib.AsyncExitStack() as open_meanwhile:
        if kind == "bare":
            application.add_routes(bare_routes())
        elif kind in ("ours", "handled"):
            application.add_routes(await durable_routes(url, kind=kind))
        else:
            queue = StreamInbox(
                Access(url), Division(frozenset()), WallClock(), holds=lambda _: False
            )  # which takes nothing from the stream, and begins no work
            await open_meanwhile.enter_async_context(queue.running())
            application.add_routes(_doors(queue.accept))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gc.freeze()  # as `serve` does
        print(runner.addresses[0][1], flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(time.process_time(), memory_mb(), flush=True)


def memory_mb() -> float:
    """Of this process, as it stands in physical memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _doors(accept: Accept) -> list[web.RouteDef]:
    clock = WallClock()
    return [
        *wecom_door.routes(bodies.WECOM, accept, clock),
        *dingtalk_door.routes(bodies.DINGTALK, accept, [clock]),
    ]


async def durable_routes(url: str, *, kind: str) -> list[web.RouteDef]:
    """kind: "ours" stores and answers, "handled" also does the work that follows, in short."""
    await admin.upgrade(url)
    clock = WallClock()

    async def handle(_tx: UnitOfWork, _incoming: Incoming) -> list[OutboundMessage]:
        assert kind == "handled", "work was to be held back"
        return []

    dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
        Handling(
            store=await Database.open(url, synchronous="FULL"),
            connectors={},
            files=FileFolder(Path("never-there")),
            handle=handle,
            clock=clock,
            wording=Wording(apology=str),
            readers={
                ("wecom", "sales"): Reader(parse),
                ("dingtalk", "sales"): Reader(parse_envelope),
            },
        ),
    )
    if kind != "handled":
        await dispatcher.stop()  # it stores and answers, and begins nothing
    return _doors(dispatcher.accept)


@dataclass(frozen=True, slots=True)
class Reader:
    """An `EnvelopeReader`."""

    parse: Callable[[Envelope], InboundMessage]


@dataclass(frozen=True, slots=True)
class Round:
    """Requests per second, latency, and processor time per request of server and client."""

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    client_us: float


class Server:
    """One of the two, in a process of its own."""

    def __init__(
        self, process: asyncio.subprocess.Process, port: int, place: Place = anywhere
    ) -> None:
        self._process = process
        self._port = port
        self._there = contextlib.ExitStack()
        self._there.enter_context(place(process.pid))

    @classmethod
    async def start(cls, kind: str, url: str, place: Place = anywhere) -> Server:
        """It comes to its place when it has started."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.ingest", kind, url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        return cls(process, int(await process.stdout.readline()), place)

    async def take(self, requests: list[bytes], file: Path, *, rate: float = 0) -> Round:
        load.save(requests, file)
        before, _ = await self.tell()
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.load", "127.0.0.1", str(self._port), str(file),
            str(CONNECTIONS), str(rate), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await client.communicate()
        spent = (await self.tell())[0] - before
        found: dict[str, Any] = json.loads(out)
        assert found["failed"] == 0, found
        count = found["requests"]
        return Round(
            rate=count / found["seconds"],
            p50_ms=found["p50_ms"],
            p99_ms=found["p99_ms"],
            server_us=spent / count * 1e6,
            client_us=found["cpu_s"] / count * 1e6,
        )

    async def stop(self) -> None:
        self._process.terminate()
        await self._process.wait()
        self._there.close()

    async def tell(self) -> tuple[float, float]:
        """Processor seconds so far, and megabytes of resident memory."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        cpu_s, rss_mb = (await self._process.stdout.readline()).split()
        return float(cpu_s), float(rss_mb)


async def stay_flat(name: str, make: Callable[[int], bytes], folder: Path) -> None:
    """MINUTES of a steady load. Raises AssertionError where memory goes on growing."""
    numbers, server = (
        itertools.count(),
        await Server.start("handled", f"sqlite:///{folder / 'b.db'}"),
    )
    told = []
    for minute in range(MINUTES):
        requests = [make(next(numbers)) for _ in range(60 * CALM_RATE)]
        await server.take(requests, folder / f"{name}.requests", rate=CALM_RATE)
        told.append((await server.tell())[1])
        print(f"   {name}, minute {minute + 1}: {told[-1]:.0f} MB", flush=True)
    await server.stop()
    warm = told[min(WARM_MINUTES, len(told)) - 1]
    print(f"   {name}: {next(numbers):,} requests, {warm:.0f} -> {told[-1]:.0f} MB")
    assert told[-1] <= warm * MORE_MEMORY


async def compare(
    name: str, make: Callable[[int], bytes], folder: Path, url: str, kind: str = "ours"
) -> None:
    numbers = itertools.count()

    def requests() -> list[bytes]:
        return [make(next(numbers)) for _ in range(REQUESTS)]

    file = folder / "requests"
    bare, ours = await Server.start("bare", url), await Server.start(kind, url)
    for server in (bare, ours):
        await server.take(requests(), file)  # what is done once shall be done
    pairs: list[tuple[Round, Round]] = []
    for number in range(ROUNDS - 1):
        if number % 2:
            mine = await ours.take(requests(), file)
            pairs.append((await bare.take(requests(), file), mine))
        else:
            pairs.append((await bare.take(requests(), file), await ours.take(requests(), file)))
    calm = [await server.take(requests(), file, rate=CALM_RATE) for server in (bare, ours)]
    for server in (bare, ours):
        await server.stop()
    report(name, pairs, (calm[0], calm[1]))


async def compare_two(name: str, make: Callable[[int], bytes], folder: Path, url: str) -> None:
    """With one, each with CONNECTIONS."""
    told, places = two()
    servers = [await Server.start("ours", url, place) for place in places]
    numbers = itertools.count()

    async def of(some: list[Server]) -> tuple[float, float]:
        """Requests a second, and processor time of each."""
        requests = [make(next(numbers)) for _ in range(len(some) * REQUESTS // 2)]
        rounds = await asyncio.gather(*(
            server.take(requests[n :: len(some)], folder / f"{n}.requests")
            for n, server in enumerate(some)
        ))  # fmt: skip
        return (
            min(one.rate for one in rounds) * len(some),
            statistics.mean(one.server_us for one in rounds),
        )

    await of(servers)  # what is done once shall be done
    pairs = [(await of(servers[:1]), await of(servers)) for _ in range(ROUNDS)]
    for server in servers:
        await server.stop()
    middle = statistics.median
    print(
        f"   {name}, two {told}: {middle(both[0] / one[0] for one, both in pairs):.2f} times one "
        f"by the clock: {middle(both[0] for _, both in pairs):,.0f}/s and "
        f"{middle(one[0] for one, _ in pairs):,.0f}/s, "
        f"{middle(both[1] for _, both in pairs):.0f} and "
        f"{middle(one[1] for one, _ in pairs):.0f} µs of processor time"
    )


def report(name: str, pairs: list[tuple[Round, Round]], calm: tuple[Round, Round]) -> None:
    """Pairs of a bare round and one of ours; calm: such a pair at CALM_RATE."""
    middle = statistics.median
    rates = [mine.rate / bare.rate for bare, mine in pairs]
    low, _, high = statistics.quantiles(rates, n=4)
    work = middle(bare.server_us / mine.server_us for bare, mine in pairs)
    bare, ours = ([pair[which] for pair in pairs] for which in (0, 1))
    print(
        f"   {name}: durable {middle(rates):.0%} of bare (middle half {low:.0%} to {high:.0%}): "
        f"{middle(one.rate for one in ours):,.0f}/s of {middle(one.rate for one in bare):,.0f}/s\n"
        f"   {name}: processor time of the server {middle(one.server_us for one in ours):.0f} µs "
        f"a request, bare {middle(one.server_us for one in bare):.0f} µs = {work:.0%}; "
        f"of the client {middle(one.client_us for one in ours):.0f} µs\n"
        f"   {name}: p99 {middle(one.p99_ms for one in ours):.1f} ms "
        f"(bare {middle(one.p99_ms for one in bare):.1f} ms); "
        f"at {CALM_RATE}/s p50 {calm[1].p50_ms:.2f} ms, p99 {calm[1].p99_ms:.2f} ms "
        f"(bare {calm[0].p50_ms:.2f} and {calm[0].p99_ms:.2f} ms)"
    )


async def main() -> None:
    base = os.environ.get("GENDAN_BENCH_DIR")
    for make in (bodies.wecom, bodies.dingtalk):
        with tempfile.TemporaryDirectory(dir=base) as name:
            folder = Path(name)
            if MINUTES:
                await stay_flat(make.__name__, make, folder)
                continue
            await compare(f"SQLite, {make.__name__}", make, folder, f"sqlite:///{folder / 'b.db'}")
            async with fresh_url() as url:
                await compare(f"PostgreSQL, {make.__name__}", make, folder, url)
            async with fresh_url() as url:
                await compare_two(f"PostgreSQL, {make.__name__}", make, folder, url)
        if find_server() is None:
            print("   JetStream: not measured, there is no nats-server here")
            continue
        for always_sync in (False, True):
            with tempfile.TemporaryDirectory(dir=base) as name:
                folder = Path(name)
                async with own_server(folder, always_sync=always_sync) as nats:
                    told = f"JetStream{', synced' if always_sync else ''}, {make.__name__}"
                    await compare(told, make, folder, nats.url, "jetstream")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
