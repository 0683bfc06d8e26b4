"""`make bench`: every figure of docs/benchmarks.md. Name some to run only those."""

from __future__ import annotations

import asyncio
import importlib
import sys
import time

ALL = (
    "ingest", "reply", "end_to_end", "sweep", "deadlines", "alarm", "funnel", "pages", "first_page",
    "conversions", "payouts", "forecast", "sales_team", "nightly", "kill", "kill_points",
    "kill_one_of_three", "restarts", "stream", "aibot", "archive", "contacts", "signals",
    "partitions", "row_sizes",
)  # fmt: skip


def main() -> None:
    for name in sys.argv[1:] or ALL:
        print(f"== {name}", flush=True)
        started = time.perf_counter()
        asyncio.run(importlib.import_module(f"benchmarks.{name}").main())
        print(f"   took {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
