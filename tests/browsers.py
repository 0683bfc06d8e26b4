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


def _refuse(why: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
