"""Chromium for tests, and what every page is looked at for."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from connectors.web.assets import BUILD

PATIENCE_MS = 20_000  # for a machine with much else to do
expect.set_options(timeout=PATIENCE_MS)

_HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const outlined = (node) => {
    const style = getComputedStyle(node);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const over = document.elementFromPoint(box.x + Math.min(box.width, innerWidth) / 2, box.y + Math.min(box.height / 2, 20));
  const bar = document.querySelector(".bar");
  return {
    name: (one.getAttribute("aria-label") || one.textContent || one.name || "").trim().slice(0, 40),
    outlined: outlined(one) || outlined(one.parentElement) || one.type === "radio",
    seen: box.bottom > 0 && box.top < innerHeight && !(bar && !bar.contains(one) && bar.contains(over)),
  };
}"""  # noqa: E501
_PRESSABLE = "a[href], button:enabled, input:enabled:not([type=radio]), select, textarea, summary"
"""Radio buttons of one question share a stop."""

MOST_STOPS = 200

_AXE = BUILD.parent / "node_modules" / "axe-core" / "axe.min.js"


def chromium() -> str:
    """Where Chromium is. Without one the test is skipped, on a build server it fails."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        _refuse("no Chromium found; name it in CHROMIUM")
    return str(found)


@asynccontextmanager
async def launched(*more: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Browser]:
    """A Chromium of its own. more: arguments beyond those that any machine needs."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", *more],
            env={**os.environ, **(env or {})},
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def watched(browser: Browser, **more: Any) -> AsyncIterator[Page]:
    """A page in a context of its own, in Chinese. A script error or a refused resource fails the
    test. more: of the context."""
    context = await browser.new_context(**{"locale": "zh-CN", **more})
    page = await context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on(
        "console",
        lambda line: mistakes.append(line.text) if "Content Security" in line.text else None,
    )
    page.set_default_timeout(PATIENCE_MS)
    yield page
    await context.close()
    assert mistakes == []


def need_axe() -> None:
    """Without axe-core the test is skipped, on a build server it fails."""
    if not _AXE.exists():
        _refuse("axe-core is not installed: npm ci in web/")


async def serious_flaws(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds, where it is installed: rule and the first elements."""
    if not _AXE.exists():
        return []
    await page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"][:3]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def focused(page: Page) -> dict[str, Any] | None:
    """What has the focus: its name, whether it is outlined and in sight. None: the page itself."""
    here: dict[str, Any] | None = await page.evaluate(_HERE)
    return here


async def walk(page: Page, key: str = "Tab") -> list[dict[str, Any]]:
    """Every stop of the focus until it leaves the page."""
    stops: list[dict[str, Any]] = []
    while len(stops) < MOST_STOPS:
        await page.keyboard.press(key)
        here = await focused(page)
        if here is None:
            return stops
        stops.append(here)
    pytest.fail("the focus never leaves the page")


async def reaches_everything(page: Page) -> list[dict[str, Any]]:
    """Whatever can be pressed is reached by Tab, outlined and in sight. The stops."""
    stops = await walk(page)
    there = await page.locator(_PRESSABLE).filter(visible=True).count()
    assert len(stops) >= there, page.url
    assert [one["name"] for one in stops if not one["outlined"]] == [], page.url
    assert [one["name"] for one in stops if not one["seen"]] == [], page.url
    return stops


def _refuse(why: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
