"""What a wall of 3840 px and a sheet of paper ask of the pages, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from storage.database import Database
from tests.pages.browsing import HENGRUI, company, visiting
from tests.pages.payouts_website import paid_and_disputed, with_a_fund
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser

WALL = {"width": 3840, "height": 2160}
LONGEST_LINE = 50
"""Chinese characters that an eye follows without losing its line."""

AFAR_PX = 32
"""Of what stands below a figure of the big screen. Twice as much for what is read from five metres
is asked in test_in_browser.py."""

LONG_LINES = """(most) => {
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walk.nextNode()) {
    const text = walk.currentNode, range = document.createRange();
    if (!text.parentElement.checkVisibility() || text.parentElement.closest(".visually-hidden")) continue;
    const size = parseFloat(getComputedStyle(text.parentElement).fontSize);
    range.selectNodeContents(text);
    if ([...range.getClientRects()].some((line) => line.width / size > most)) found.push(text.data);
  }
  return found;
}"""  # noqa: E501


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files", change=with_a_fund) as running:
        yield running


async def _lines_are_short(
    chrome: Browser, website: Website, who: str, paths: Sequence[str]
) -> None:
    async with visiting(chrome, website, who, viewport=WALL) as page:
        for path in paths:
            await page.goto(website.url + path)
            await page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
            assert await page.evaluate(LONG_LINES, LONGEST_LINE) == [], path


async def test_no_line_is_too_long_to_read_on_a_wall(chrome: Browser, website: Website) -> None:
    customer, deal = await company(website)
    paths = [f"/customers/{customer}", f"/opportunities/{deal}", "/diagnosis", "/refusals",
             "/forecast"]  # fmt: skip
    await _lines_are_short(chrome, website, "li", paths)


async def test_no_line_about_bonuses_is_too_long_to_read_on_a_wall(
    chrome: Browser, website: Website
) -> None:
    told = await paid_and_disputed(website)
    paths = ["/payouts?month=2026-03", f"/disputes/{told.dispute}", "/fund", "/rules"]
    await _lines_are_short(chrome, website, "zhang", paths)


async def test_an_empty_big_screen_says_what_to_do_until_there_is_something(
    chrome: Browser, website: Website
) -> None:
    """It was a note above panels with nothing in them, and green zeros."""
    async with visiting(chrome, website, "li", "看板", viewport=WALL) as page:
        await expect(page.get_by_role("heading", level=2)).to_have_text("李敏团队还没有商机")
        for part in (".headlines", ".panels", ".turn-keys"):
            await expect(page.locator(part)).to_be_hidden()
        await website.chat.customer(HENGRUI)
        await expect(page.locator(".headlines")).to_be_visible()
        await expect(page.get_by_role("heading", name="各团队的灯")).to_be_visible()
        await expect(page.get_by_text("还没有商机")).to_be_hidden()


async def test_what_stands_below_a_figure_can_be_read_from_afar(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    async with visiting(chrome, website, "li", "看板", viewport=WALL) as page:
        sizes = await page.locator(".headlines .soft").evaluate_all(
            "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
        )
        assert len(sizes) == 6
        assert min(sizes) >= AFAR_PX


@pytest.mark.parametrize("teams", [1, 2])
async def test_few_teams_fill_the_heat_map_of_a_wall(
    chrome: Browser, website: Website, teams: int
) -> None:
    """Two rows of it stood above a void; and more than fit are not cut."""
    await company(website)
    if teams == 2:
        await website.chat.customer("苏州博远精密", "chen")
        await website.chat.say("zhao", "设置主管 陈静 王建国")
    async with visiting(chrome, website, "wang", "看板", viewport=WALL) as page:
        rows = page.locator(".heat tbody tr")
        heights = await rows.evaluate_all("all => all.map(one => one.offsetHeight)")
        assert min(heights) >= 400
        outer = await page.locator('[data-part="heat"]').bounding_box()
        last = await rows.last.bounding_box()
        assert outer is not None
        assert last is not None
        assert last["y"] + last["height"] <= outer["y"] + outer["height"]


async def test_the_bar_of_the_canvas_begins_where_the_canvas_does(
    chrome: Browser, website: Website
) -> None:
    await paid_and_disputed(website)
    async with visiting(chrome, website, "he", viewport=WALL) as page:
        await page.goto(website.url + "/rules")
        await page.get_by_role("button", name="新建规则").click()
        await page.wait_for_url("**/edit")
        brand = await page.locator(".brand").bounding_box()
        title = await page.get_by_role("heading", level=1).bounding_box()
        assert brand is not None
        assert title is not None
        assert abs(brand["x"] - title["x"]) < 4


async def test_a_bonus_on_paper_is_whole_and_light_and_has_nothing_to_press(
    chrome: Browser, website: Website
) -> None:
    """In the dark, a page was printed in white on white, and without what it came from."""
    await paid_and_disputed(website)
    async with visiting(chrome, website, "zhang", color_scheme="dark") as page:
        await page.goto(website.url + "/payouts?month=2026-03")
        await page.get_by_role("button", name="切换深色或浅色").click()
        await page.get_by_role("button", name="切换深色或浅色").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        receipt = page.get_by_text("2026年3月10日 到账 40,000.00元")
        await expect(receipt).to_be_hidden()
        await page.emulate_media(media="print")
        await expect(page.get_by_text("张伟", exact=True)).to_be_visible()
        assert await receipt.evaluate("one => one.checkVisibility({contentVisibilityAuto: true})")
        await expect(page.get_by_role("button")).to_have_count(0)
        await expect(page.get_by_role("navigation")).to_have_count(0)
        assert await _ink(page, "h1") < 60


async def test_the_report_of_a_dispute_on_paper_is_in_one_column_without_the_form(
    chrome: Browser, website: Website
) -> None:
    told = await paid_and_disputed(website)
    async with visiting(chrome, website, "qian") as page:
        await page.goto(f"{website.url}/disputes/{told.dispute}")
        await expect(page.get_by_role("heading", name="你的裁定")).to_be_visible()
        await page.emulate_media(media="print")
        await expect(page.get_by_role("heading", name="你的裁定")).to_be_hidden()
        report = await page.locator(".report").bounding_box()
        steps = await page.locator(".aside").bounding_box()
        assert report is not None
        assert steps is not None
        assert steps["y"] >= report["y"] + report["height"]
        assert abs(steps["x"] - report["x"]) < 1


async def _ink(page: Page, what: str) -> int:
    """0 is black, 255 white."""
    shown: str = await page.locator(what).evaluate("one => getComputedStyle(one).color")
    return max(int(part) for part in shown.removeprefix("rgb(").removesuffix(")").split(","))
