"""How fast callbacks are taken in, beside a bare handler that stores nothing.

Both servers run in one process of their own and share this machine with the client. The
bare one verifies, decrypts and parses the same bodies and answers. Runs alternate, so that
both see the same weather; the medians are compared.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aiohttp import web

from benchmarks import bodies, load
from bot.clock import WallClock
from bot.messages import Envelope
from bot.ports import Release
from connectors.dingtalk import crypto as dingtalk_crypto
from connectors.dingtalk import webhook as dingtalk_door
from connectors.wecom import webhook as wecom_door
from connectors.wecom.crypto import Crypto
from storage import admin
from storage.database import Database

CONNECTIONS = 64
REQUESTS = 15_000
ROUNDS = 5


def bare_routes() -> list[web.RouteDef]:
    """The least that a correct receiver does, without storing anything."""
    crypto = Crypto(
        token=bodies.WECOM.token, aes_key=bodies.WECOM.aes_key, receive_id=bodies.WECOM.corp_id
    )

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
        sign = dingtalk_crypto.sign_robot(timestamp, bodies.DINGTALK.client_secret)
        if not hmac.compare_digest(sign, request.headers["sign"]):
            return web.Response(status=401)
        json.loads(await request.read())
        return web.json_response({"msgtype": "empty"})

    return [web.post("/wecom/sales", wecom), web.post("/dingtalk/sales/robot", dingtalk)]


async def serve(kind: str, file: str) -> None:
    """A server in this process; prints its port and ends when its input does."""
    application = web.Application()
    if kind == "bare":
        application.add_routes(bare_routes())
    else:
        url = f"sqlite+aiosqlite:///{file}"
        await admin.upgrade(url)
        database = await Database.open(url, synchronous="FULL")

        async def accept(envelope: Envelope) -> Release:
            await database.append(envelope)
            return lambda: None

        clock = WallClock()
        application.add_routes(wecom_door.routes(bodies.WECOM, accept, clock))
        application.add_routes(dingtalk_door.routes(bodies.DINGTALK, accept, [clock]))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def measure(port: int, file: Path, rate: float) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.load", "127.0.0.1", str(port), str(file),
        str(CONNECTIONS), str(rate), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    result: dict[str, Any] = json.loads(out)
    assert result["failed"] == 0, result
    result["rate"] = result["requests"] / result["seconds"]
    return result


async def start(kind: str, folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.ingest", kind, str(folder / "bench.db"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process, int(await process.stdout.readline())


async def compare(name: str, make: Callable[[int], bytes], folder: Path) -> None:
    file = folder / f"{name}.requests"
    bare, bare_port = await start("bare", folder)
    ours, ours_port = await start("ours", folder)
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    worst: dict[str, list[float]] = {"bare": [], "ours": []}
    first = 0
    for _ in range(ROUNDS):
        for kind, port in (("bare", bare_port), ("ours", ours_port)):
            load.save([make(number) for number in range(first, first + REQUESTS)], file)
            first += REQUESTS
            found = await measure(port, file, 0)
            rates[kind].append(found["rate"])
            worst[kind].append(found["p99_ms"])
    bare_rate, our_rate = (statistics.median(rates[kind]) for kind in ("bare", "ours"))
    print(
        f"   {name}: bare {bare_rate:,.0f}/s, durable {our_rate:,.0f}/s = "
        f"{our_rate / bare_rate:.0%}; p99 {statistics.median(worst['ours']):.1f} ms "
        f"(bare {statistics.median(worst['bare']):.1f} ms)"
    )
    load.save([make(number) for number in range(first, first + 3000)], file)
    calm = await measure(ours_port, file, 300)
    print(f"   {name}: at 300/s p50 {calm['p50_ms']:.2f} ms, p99 {calm['p99_ms']:.2f} ms")
    for process in (bare, ours):
        process.terminate()
        await process.wait()


async def main() -> None:
    base = os.environ.get("GENDAN_BENCH_DIR")
    with tempfile.TemporaryDirectory(dir=base) as folder:
        await compare("wecom", bodies.wecom, Path(folder))
    with tempfile.TemporaryDirectory(dir=base) as folder:
        await compare("dingtalk", bodies.dingtalk, Path(folder))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
