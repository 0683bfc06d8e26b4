"""The pages by the keyboard alone, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from storage.database import Database
from tests.browsers import MOST_STOPS, focused, reaches_everything, walk
from tests.pages.browsing import company, visiting
from tests.pages.payouts_website import paid_and_disputed, with_a_fund
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files") as running:
        yield running


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        here = await focused(page)
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
        back = await walk(page, "Shift+Tab")
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
    assert (await reaches_everything(page))[0]["name"] == "跳到正文"


async def test_so_is_whatever_there_is_to_press_about_bonuses(
    chrome: Browser, sqlite_database: Database, tmp_path: Path
) -> None:
    async with serving(sqlite_database, tmp_path / "files", change=with_a_fund) as website:
        told = await paid_and_disputed(website)
        paths = {
            "zhang": ["/payouts?month=2026-03", f"/disputes/{told.dispute}", "/fund"],
            "qian": ["/payouts?month=2026-03", "/disputes", f"/disputes/{told.dispute}"],
            "he": ["/rules", "/rules/versions?rule=提成", "/rules/1"],
        }
        for who, visited in paths.items():
            async with visiting(
                chrome, website, who, viewport={"width": 360, "height": 640}
            ) as page:
                for path in visited:
                    await page.goto(website.url + path)
                    await _reaches_everything(page)


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
