"""The pages in a real Chromium: journeys, every width in light and dark, and axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Response, expect

from storage.database import Database
from tests.browsers import need_axe
from tests.pages.browsing import (
    HENGRUI,
    company,
    fits_and_pleases,
    visiting,
)
from tests.pages.test_forecast import submitted
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser

FIRST_PAGE_BYTES = 120_000
TWO_LINES_PX = 45


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files") as running:
        yield running


async def test_from_the_chat_through_the_stream_to_the_deal(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    async with visiting(chrome, website, "zhang", "网页 恒锐机电") as page:
        await expect(page.get_by_role("heading", level=1)).to_contain_text(HENGRUI)
        entries = page.locator("li.entry")
        await expect(entries).to_have_count(30)
        more = page.get_by_role("link", name="更早的动态")
        await more.focus()
        await page.keyboard.press("Enter")
        await expect(entries).to_have_count(44)
        await expect(more).to_have_count(0)
        await expect(entries.nth(30)).to_be_focused()
        await page.get_by_role("link", name="有附件").click()
        await expect(entries).to_have_count(2)
        await expect(page.locator("audio")).to_have_count(1)
        await expect(page.locator("blockquote")).to_have_text("嫌价格高")
        await page.locator(".deal a").click()
        await expect(page.locator("nav [aria-current=page]")).to_have_text("客户")
        await expect(page.get_by_role("heading", name="阶段历史")).to_be_visible()
        await page.get_by_role("button", name="退出").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("请从聊天里打开")
        await page.go_back()
        await expect(page.get_by_role("heading", level=1)).to_have_text("请从聊天里打开")


async def test_without_scripts_everything_is_a_link_and_a_button(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    context = await chrome.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(website.url + await website.link("zhang", "网页 恒锐机电"))
    await page.get_by_role("button", name="打开").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(HENGRUI)
    await page.get_by_role("link", name="更早的动态").click()
    await expect(page.locator("li.entry")).to_have_count(14)
    await context.close()


async def test_the_big_screen_follows_what_happens_in_the_chat(
    chrome: Browser, website: Website
) -> None:
    await company(website)
    size = {"width": 3840, "height": 2160}
    async with visiting(chrome, website, "li", "看板", viewport=size) as page:
        await expect(page.locator(".live")).to_have_attribute("data-live", "online")
        canvas = page.locator("[data-chart=lights] canvas")
        await expect(canvas).to_be_visible()
        reds = page.locator(".headlines li").first.locator("b")
        await expect(reds).to_have_text("0个")
        await website.chat.later(days=2)
        await expect(reds).to_have_text("2个", timeout=20_000)
        await expect(canvas).to_be_visible()
        await page.get_by_role("button", name="3", exact=True).click()
        await expect(page.get_by_role("heading", name="转化", exact=True)).to_be_visible()
        await expect(page.get_by_role("heading", name="各团队的灯")).to_be_hidden()
        await page.get_by_role("button", name="4", exact=True).click()
        await expect(page.get_by_role("heading", name="预测对目标")).to_be_visible()
        await expect(page.get_by_text("本季还没有提交过预测")).to_be_visible()
        await website.chat.say("li", "预测目标 张伟 2026Q1 70万")
        await expect(page.locator("[data-chart=outlook] canvas")).to_be_visible(timeout=20_000)
        height = await page.evaluate("document.documentElement.scrollHeight")
        assert height <= 2160, "a wall cannot scroll"
        small = await page.evaluate(
            "Math.min(...[...document.querySelectorAll('.headlines b, .panels h2')]"
            ".map((one) => parseFloat(getComputedStyle(one).fontSize)))"
        )
        assert small >= 48, "not to be read from five metres"


async def test_a_panel_that_comes_can_be_read_at_once(chrome: Browser, website: Website) -> None:
    """One that faded in had too little contrast on its way: whoever looked then, saw it so, and
    axe did when the machine was slow."""
    async with visiting(chrome, website, "li", "看板") as page:
        moved = await page.evaluate(
            "() => { const moved = (rules) => [...rules].flatMap((one) =>"
            " one instanceof CSSKeyframeRule ? [...one.style] : moved(one.cssRules ?? []));"
            " return [...document.styleSheets].flatMap((one) => moved(one.cssRules)); }"
        )
        assert set(moved) == {"transform"}


async def test_the_first_page_loads_little(chrome: Browser, website: Website) -> None:
    number, _ = await company(website)
    context = await chrome.new_context()
    page = await context.new_page()
    scripts: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        if answer.request.resource_type == "script":
            scripts[answer.url] = int(answer.headers["content-length"])

    page.on("response", weigh)
    await page.goto(website.url + await website.link("zhang", "网页 恒锐机电"))
    await page.wait_for_url(f"**/customers/{number}")
    await page.wait_for_load_state("networkidle")
    assert 0 < sum(scripts.values()) < FIRST_PAGE_BYTES
    await context.close()


@pytest.mark.parametrize(
    ("width", "theme"),
    [(360, "dark"), (360, "light"), (1280, "light"), (1280, "dark"), (3840, "dark")],
)
async def test_forecasts_and_notices_fit_their_screen_and_please_axe(
    chrome: Browser, website: Website, width: int, theme: str
) -> None:
    need_axe()
    await submitted(website)
    await website.chat.say("li", "预测目标 张伟 2026Q1 70万")
    paths = ["/", "/forecast", "/supply"]
    await fits_and_pleases(chrome, website, "wang", paths, width=width, theme=theme)


async def test_marks_and_figures_do_not_break_in_two_on_a_phone(
    chrome: Browser, website: Website
) -> None:
    await submitted(website)
    async with visiting(chrome, website, "wang", viewport={"width": 360, "height": 780}) as page:
        await page.goto(website.url + "/forecast")
        pills = await page.locator(".pill").evaluate_all(
            "all => all.map(one => one.getClientRects().length)"
        )
        assert pills
        assert set(pills) == {1}
        await page.goto(website.url + "/")
        await expect(page.locator(".table.process td").first).to_have_css("word-break", "keep-all")


async def test_a_day_stands_in_its_field_as_everywhere(chrome: Browser, website: Website) -> None:
    """Whatever language the browser itself speaks; while one types, it is the browser's field."""
    shown = "one => getComputedStyle(one, '::before').content"
    async with visiting(chrome, website, "zhao", "管理") as page:
        await page.goto(f"{website.url}/admin/audit?since=2026-01-05")
        first, last = page.get_by_label("从", exact=True), page.get_by_label("到", exact=True)
        assert await first.evaluate(shown) == '"2026年1月5日"'
        assert await last.evaluate(shown) == '"选一天"'
        assert await first.evaluate("one => one.offsetHeight") < TWO_LINES_PX
        await last.fill("2026-01-28")
        assert await last.evaluate(shown) == "none"
        await page.keyboard.press("Escape")
        await first.focus()
        assert await last.evaluate(shown) == '"2026年1月28日"'


async def test_a_narrow_bar_shows_where_one_is_and_follows_the_keyboard(
    chrome: Browser, website: Website
) -> None:
    size = {"width": 360, "height": 780}
    async with visiting(chrome, website, "zhao", "管理", viewport=size) as page:
        links = page.locator("nav[aria-label=页面] a")
        await expect(links).to_have_count(9)
        await expect(links.last).to_be_in_viewport(ratio=1)
        bar = page.locator("nav[aria-label=页面] ul")
        await expect(bar).to_have_attribute("data-more", "left")
        await links.first.focus()
        await expect(links.first).to_be_in_viewport(ratio=1)
        await expect(bar).to_have_attribute("data-more", "right")


@pytest.mark.parametrize("scripts", [True, False])
async def test_an_administrator_changes_roles_and_a_number(
    chrome: Browser, website: Website, scripts: bool
) -> None:
    """By the keyboard alone, with and without scripts."""
    context = await chrome.new_context(java_script_enabled=scripts)
    page = await context.new_page()
    await page.goto(website.url + await website.link("zhao", "管理"))
    if not scripts:
        await page.get_by_role("button", name="打开").click()
    await page.get_by_role("link", name="人员", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("找谁").fill("张伟")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="张伟").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("客户成功").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="保存角色").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("张伟的角色已设为：销售、客户成功")
    await page.get_by_role("link", name="设置", exact=True).click()
    await page.get_by_role("link", name="黄灯天数").click()
    await page.get_by_label("改成").fill("2")
    await page.keyboard.press("Enter")
    await expect(page.locator(".preview")).to_contain_text("3个工作日 → 2个工作日")
    await page.get_by_role("button", name="确认修改").click()
    await expect(page.get_by_role("status")).to_contain_text("黄灯天数改为 2个工作日")
    await context.close()
