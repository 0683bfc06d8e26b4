"""An HTTP load of our own: raw streams, so that the client costs less than the server.

Run as a process of its own: `python -m benchmarks.load HOST PORT FILE CONNECTIONS RATE`.
FILE holds ready requests, each with its length before it; RATE 0 sends as fast as it can.
Prints one line of JSON: requests, seconds, failed, p50_ms, p99_ms, max_ms, cpu_s (its own
processor time).
"""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def save(requests: list[bytes], file: Path) -> None:
    file.write_bytes(b"".join(struct.pack(">I", len(one)) + one for one in requests))


def read(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"content-length:" in lower:
        length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if length:
            await reader.readexactly(length)
    elif b"transfer-encoding: chunked" in lower:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head[9:12])


async def run(host: str, port: int, file: Path, connections: int, rate: float) -> dict[str, float]:
    requests = list(read(file))
    left = iter(requests)
    spent: list[float] = []
    failed = 0
    started, cpu_before = time.perf_counter(), time.process_time()
    due = (started + number / rate for number in range(len(requests))) if rate else None

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(host, port)
        for one in left:
            # An open loop: the wait counts from when the request was due, not from when a
            # connection was free for it.
            begun = next(due) if due else time.perf_counter()
            if (wait := begun - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            writer.write(one)
            failed += await _answer(reader) != 200
            spent.append(time.perf_counter() - begun)
        writer.close()

    gc.disable()
    await asyncio.gather(*(work() for _ in range(connections)))
    seconds = time.perf_counter() - started
    spent.sort()
    return {
        "requests": len(spent),
        "seconds": seconds,
        "failed": failed,
        "p50_ms": spent[len(spent) // 2] * 1000,
        "p99_ms": spent[int(len(spent) * 0.99)] * 1000,
        "max_ms": spent[-1] * 1000,
        "cpu_s": time.process_time() - cpu_before,
    }


if __name__ == "__main__":
    host, port, file, connections, rate = sys.argv[1:]
    answer = asyncio.run(run(host, int(port), Path(file), int(connections), float(rate)))
    print(json.dumps(answer))
