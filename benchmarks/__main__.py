"""`make bench`: every figure of docs/benchmarks.md. Name some to run only those."""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks import ingest, kill, reply, sweep

ALL = {"ingest": ingest.main, "reply": reply.main, "sweep": sweep.main, "kill": kill.main}


def main() -> None:
    names = sys.argv[1:] or list(ALL)
    for name in names:
        print(f"== {name}", flush=True)
        started = time.perf_counter()
        asyncio.run(ALL[name]())
        print(f"   took {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
