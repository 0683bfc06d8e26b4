"""The pages by the keyboard alone, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from storage.database import Database
from tests.pages.browsing import company, visiting
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser

HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const over = document.elementFromPoint(box.x + Math.min(box.width, innerWidth) / 2, box.y + Math.min(box.height / 2, 20));
  const bar = document.querySelector(".bar");
  return {
    name: (one.getAttribute("aria-label") || one.textContent || one.name || "").trim().slice(0, 40),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || one.type === "radio",
    seen: box.bottom > 0 && box.top < innerHeight && !(bar && !bar.contains(one) && bar.contains(over)),
  };
}"""  # noqa: E501
PRESSABLE = "a[href], button:enabled, input:enabled, select, textarea, summary"
MOST_STOPS = 200


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files") as running:
        yield running


async def _walk(page: Page, key: str = "Tab") -> list[dict[str, Any]]:
    """Every stop of the focus until it leaves the page."""
    stops: list[dict[str, Any]] = []
    while len(stops) < MOST_STOPS:
        await page.keyboard.press(key)
        here = await page.evaluate(HERE)
        if here is None:
            return stops
        stops.append(here)
    pytest.fail("the focus never leaves the page")


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        here = await page.evaluate(HERE)
        if here is not None and here["name"].startswith(name):
            return
    pytest.fail(f"Tab never comes to {name}")


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 720)])
async def test_whatever_can_be_pressed_is_reached_outlined_and_in_sight(
    chrome: Browser, website: Website, width: int, height: int
) -> None:
    number, deal = await company(website)
    size = {"width": width, "height": height}
    async with visiting(chrome, website, "wang", viewport=size) as page:
        for path in ("/", "/customers", f"/customers/{number}", f"/opportunities/{deal}",
                     "/forecast", "/refusals", "/diagnosis", "/payouts", "/rules", "/admin",
                     "/admin/policies"):  # fmt: skip
            await page.goto(website.url + path)
            await _reaches_everything(page)
        await page.keyboard.press("End")
        back = await _walk(page, "Shift+Tab")
        assert [one["name"] for one in back if not one["seen"]] == []


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 720)])
async def test_so_is_whatever_an_administrator_can_press(
    chrome: Browser, website: Website, width: int, height: int
) -> None:
    await company(website)
    size = {"width": width, "height": height}
    async with visiting(chrome, website, "zhao", "管理", viewport=size) as page:
        for path in ("/admin/people", "/admin/people/1", "/admin/bindings/unbound",
                     "/admin/libraries/medical?team=",
                     "/admin/policies/lights.yellow_days?value=2", "/admin/audit",
                     "/admin/exports"):  # fmt: skip
            await page.goto(website.url + path)
            await _reaches_everything(page)


async def _reaches_everything(page: Page) -> None:
    stops = await _walk(page)
    there = await page.locator(PRESSABLE).filter(visible=True).count()
    assert len(stops) >= there, page.url
    assert stops[0]["name"] == "跳到正文"
    assert [one["name"] for one in stops if not one["outlined"]] == [], page.url
    assert [one["name"] for one in stops if not one["seen"]] == [], page.url


async def test_the_skip_link_leads_past_the_bar(chrome: Browser, website: Website) -> None:
    await company(website)
    async with visiting(chrome, website, "zhang") as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_a_rep_finds_what_was_attached(chrome: Browser, website: Website) -> None:
    """From the list to the customer, to a kind of entries, to a file."""
    number, deal = await company(website)
    async with visiting(chrome, website, "zhang") as page:
        await _tab_to(page, "杭州恒锐机电有限公司")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/customers/{number}")
        await _tab_to(page, "有附件")
        await page.keyboard.press("Enter")
        await expect(page.locator("li.entry")).to_have_count(2)
        await _tab_to(page, "伺服产线改造方案（第三版）.pdf")
        await page.goto(f"{website.url}/customers/{number}")
        await _tab_to(page, await page.locator(".deal a").inner_text())
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/opportunities/{deal}")


async def test_a_leader_turns_the_wall_and_keeps_a_panel(chrome: Browser, website: Website) -> None:
    await company(website)
    size = {"width": 3840, "height": 2160}
    async with visiting(chrome, website, "li", "看板", viewport=size) as page:
        await _tab_to(page, "3")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("heading", name="转化", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="3", exact=True)).to_be_focused()


async def test_the_theme_and_the_way_out(chrome: Browser, website: Website) -> None:
    async with visiting(chrome, website, "zhang", color_scheme="light") as page:
        await _tab_to(page, "切换深色或浅色")
        await page.keyboard.press("Space")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("请从聊天里打开")
