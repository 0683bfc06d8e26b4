"""Each page of the demo company in a real Chromium whose cache is empty: until something is to be
read, until all is there, and what scripts weigh. Names choose pages, as in `make shots`.

The program is the whole sandbox, the browser runs beside it on the same machine.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser

from tests.scenarios.driver import Sandbox
from tests.scenarios.shots import (
    PAGES,
    PAYOUT_PAGES,
    browser,
    tell_of_bonuses,
    tell_stories,
    visit,
    with_a_fund,
)

ROUNDS = int(os.environ.get("GENDAN_BENCH_ROUNDS", "5"))
WANTED_MS, WANTED_BYTES = 1_000, 120_000
HEAVY = ("chart-", "canvas-")
"""Scripts of charts and of the rules' canvas, which may weigh more."""
_LOOK = """() => {
  const painted = performance.getEntriesByName("first-contentful-paint")[0];
  const [came] = performance.getEntriesByType("navigation");
  const scripts = performance.getEntriesByType("resource")
    .filter((one) => new URL(one.name).pathname.endsWith(".js"))
    .map((one) => [new URL(one.name).pathname.split("/").at(-1), one.encodedBodySize]);
  return [painted ? painted.startTime : 0, came.loadEventEnd, scripts];
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Milliseconds from the click on, redirects of the sandbox's sign-in counted; bytes."""

    painted_ms: float
    loaded_ms: float
    script_bytes: int
    heavy_bytes: int


async def look(opened: Browser, url: str, name: str) -> Seen:
    """In a context of its own: nothing is in its cache."""
    who, path = {**PAGES, **PAYOUT_PAGES}[name]
    context = await opened.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN")
    try:
        await visit(context, url, who, path.partition("#")[0])
        page = context.pages[0]
        await page.wait_for_timeout(400)  # scripts that were asked for later, and the paint
        painted, loaded, scripts = await page.evaluate(_LOOK)
    finally:
        await context.close()
    heavy = sum(size for script, size in scripts if script.startswith(HEAVY))
    return Seen(painted, loaded, sum(size for _, size in scripts) - heavy, heavy)


async def measure(url: str, names: list[str]) -> bool:
    """Whether every page is within what is wanted."""
    within = True
    async with browser() as opened:
        await look(opened, url, names[0])  # the browser itself has started
        for name in names:
            seen = [await look(opened, url, name) for _ in range(ROUNDS)]
            painted = sorted(one.painted_ms for one in seen)
            loaded = sorted(one.loaded_ms for one in seen)
            last = seen[-1]
            within &= statistics.median(painted) < WANTED_MS and last.script_bytes < WANTED_BYTES
            heavy = (
                f" (and {last.heavy_bytes / 1000:.0f} kB of charts or canvas)"
                if last.heavy_bytes
                else ""
            )
            print(
                f"   {name:<20} painted p50 {statistics.median(painted):4.0f} ms, "
                f"worst {painted[-1]:4.0f} ms; loaded p50 {statistics.median(loaded):4.0f} ms; "
                f"{last.script_bytes / 1000:3.0f} kB of script{heavy}",
                flush=True,
            )
    return within


async def main() -> None:
    asked = sys.argv[1:] or [*PAGES, *PAYOUT_PAGES]
    names = [name for name in asked if name in PAGES]
    later = [name for name in asked if name in PAYOUT_PAGES]
    within = True
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        sandbox = Sandbox(Path(folder) / "data", *with_a_fund(Path(folder)))
        await sandbox.start()
        try:
            await tell_stories(sandbox)
            if names:
                within &= await measure(sandbox.url, names)
            if later:
                await tell_of_bonuses(sandbox)
                within &= await measure(sandbox.url, later)
        finally:
            await sandbox.stop()
    print(f"   load {os.getloadavg()[0]:.1f}; {'within' if within else 'NOT within'} the limits")


if __name__ == "__main__":
    asyncio.run(main())
