"""What somebody sees whose page is slow, fails, loses the network or is no longer theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect
from sqlalchemy import text

from bot.domain.people import Directory
from storage.database import Database
from tests.browsers import need_axe
from tests.pages.browsing import WIDTHS, company, looks_well, visiting
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser


@pytest.fixture
async def website(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Website]:
    """On a database of its own: some of these tests break it."""
    database = await Database.open(sqlite_url)
    async with serving(database, tmp_path / "files") as running:
        yield running
    await database.close()


@asynccontextmanager
async def broken(website: Website, table: str) -> AsyncIterator[None]:
    """Nothing can be read from a table meanwhile."""
    await _rename(website, table, "gone")
    yield
    await _rename(website, "gone", table)


async def _rename(website: Website, table: str, to: str) -> None:
    async with website.chat.database.begin() as tx:
        await tx._conn.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


@asynccontextmanager
async def held_up(page: Page, which: str) -> AsyncIterator[None]:
    """Requests wait as long as this lasts."""
    may_go = asyncio.Event()

    async def wait(route: Route) -> None:
        await may_go.wait()
        await route.continue_()

    await page.route(which, wait)
    yield
    may_go.set()


async def test_older_entries_that_take_long_are_on_their_way(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    async with visiting(chrome, website, "zhang", "网页 恒锐机电") as page:
        more = page.get_by_role("link", name="更早的动态")
        async with held_up(page, "**/customers/*?before=*"):
            await more.click()
            shown = await more.evaluate("one => getComputedStyle(one, '::after').content")
            assert shown == '"正在取…"'
        await expect(page.locator("li.entry")).to_have_count(44)


async def test_older_entries_that_cannot_be_read_are_asked_for_again(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    async with visiting(chrome, website, "zhang", "网页 恒锐机电") as page:
        async with broken(website, "activities"):
            await page.get_by_role("link", name="更早的动态").click()
            await expect(page.get_by_role("alert")).to_contain_text("没有取到，问题已经记下（编号")
            await expect(page.locator("li.entry")).to_have_count(30)
        await page.get_by_role("link", name="再试一次").click()
        await expect(page.locator("li.entry")).to_have_count(44)
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_without_a_network_that_is_said_and_the_page_stays(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    async with visiting(chrome, website, "zhang", "网页 恒锐机电") as page:
        await page.context.set_offline(True)
        await page.get_by_role("link", name="更早的动态").click()
        await expect(page.get_by_role("alert")).to_have_text("没有取到：这台设备现在没有网络。")
        again = page.get_by_role("link", name="再试一次")
        await again.click()
        await expect(page.get_by_role("alert")).to_have_count(1)
        await page.context.set_offline(False)
        await again.click()
        await expect(page.locator("li.entry")).to_have_count(44)
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_form_on_its_way_is_not_sent_twice(chrome: Browser, website: Website) -> None:
    async with visiting(chrome, website, "zhao", "管理") as page:
        await page.goto(f"{website.url}/admin/audit")
        button = page.get_by_role("button", name="核对整条链")
        refused, busy = await button.evaluate(TWICE)
        assert (refused, busy) == ([False, True], "true")
        await expect(page.get_by_role("status")).to_contain_text("审计链完整")
        await expect(button).not_to_have_attribute("aria-busy", "true")


TWICE = """one => {
  const refused = [];
  addEventListener("submit", (event) => refused.push(event.defaultPrevented));
  one.click(); one.click();
  return [refused, one.getAttribute("aria-busy")];
}"""


async def test_a_form_that_is_answered_by_a_file_can_be_sent_again(
    chrome: Browser, website: Website
) -> None:
    async with visiting(chrome, website, "zhao", "管理") as page:
        await page.goto(f"{website.url}/admin/exports")
        for _ in range(2):
            async with page.expect_download() as fetched:
                await page.get_by_role("button", name="导出审计").click()
            assert (await fetched.value).suggested_filename.endswith(".csv")


async def test_the_wall_comes_back_after_its_server_was_away(
    chrome: Browser, website: Website
) -> None:
    """A proxy answers meanwhile, whereupon browsers ask no more by themselves."""
    refused = 0

    async def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        await route.fulfill(status=502, body="bad gateway")

    async with visiting(chrome, website, "li", "网页") as page:
        await page.clock.install()
        await page.route("**/live", refuse)
        await page.goto(website.url + "/")
        await expect(page.locator(".live")).to_have_attribute("data-live", "waiting")
        await page.unroute("**/live")
        await page.clock.run_for(10_000)
        await expect(page.locator(".live")).to_have_attribute("data-live", "online")
        assert refused


async def test_the_wall_shows_nothing_more_to_who_has_left(
    chrome: Browser, website: Website
) -> None:
    async with visiting(chrome, website, "li", "看板") as page:
        await expect(page.locator(".live")).to_have_attribute("data-live", "online")
        gone = Directory("wecom", left_user_ids=("li",), whole=False)
        async with website.chat.database.begin() as tx:
            await tx.people.save_directory(
                gone, roles_by_title=website.chat.policy.roles.roles_of, at=website.chat.now
            )
        await expect(page.get_by_role("heading", level=1)).to_have_text("登录已经结束")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_what_went_wrong_fits_its_screen_and_pleases_axe(
    chrome: Browser, website: Website, theme: str
) -> None:
    need_axe()
    await company(website)
    for width, height in WIDTHS.items():
        more = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
        async with visiting(chrome, website, "zhang", **more) as page:
            for path, words in (
                ("/admin", "这一页不在你的权限里"),
                ("/customers/999", "没有找到"),
                ("/customers?after=x", "这个地址不完整"),
                ("/no/such/page", "没有找到"),
            ):
                await page.goto(website.url + path)
                await expect(page.get_by_role("heading", level=1)).to_have_text(words)
                await looks_well(page)
            async with broken(website, "accounts"):
                await page.goto(website.url + "/customers")
                await expect(page.get_by_role("heading", level=1)).to_have_text("这一页没能打开")
                await looks_well(page)
            await page.get_by_role("link", name="再试一次").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("我的客户")
