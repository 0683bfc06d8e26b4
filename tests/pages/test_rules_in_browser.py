"""Bonus rules in a real Chromium: the canvas from a cliff to a publication, and axe-core."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from storage.database import Database
from tests.browsers import need_axe
from tests.handlers.payouts.payout_company import PayoutCompany
from tests.pages.browsing import looks_well, visiting
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser

LADDER = {
    "id": "阶梯提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "marginal",
    "base": "contract_fen",
    "tiers": [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 20_000_000, "rate_bp": 300}],
    "when": [{"field": "kind", "op": "==", "value": "new"}],
}
BONUS = {
    "id": "大单奖",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "fixed",
    "amount_fen": 300_000,
}


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files") as running:
        company = await PayoutCompany.beside(running.chat)
        await company.signed(amount="60万")
        await company.tell("SK1", 600_000)
        await company.publish(LADDER, BONUS)
        yield running


async def _edit(page: Page, website: Website) -> None:
    """何姐 begins the next version."""
    await page.goto(website.url + "/rules")
    await page.get_by_role("button", name="改这条：阶梯提成").click()
    await expect(page.locator(".node")).to_have_count(3)


async def test_from_a_cliff_on_the_canvas_to_a_publication(
    chrome: Browser, website: Website
) -> None:
    async with visiting(chrome, website, "he", viewport={"width": 1600, "height": 1000}) as page:
        await _edit(page, website)
        await page.get_by_label("怎么算").select_option("whole")
        await page.get_by_label("第2档比例").fill("5")
        said = page.locator(".tiers p.said")
        await expect(said).to_contain_text("断崖：满20万元时，比差一分钱多发 6,000.00元")
        await page.get_by_role("button", name="＋ 一档").click()
        await page.get_by_label("第3档起点").fill("10")
        await expect(said.last).to_contain_text("小于上一档的起点")
        await page.get_by_role("button", name="存草稿").click()
        await expect(page.locator(".status")).to_have_text("有地方要改，没有存下")
        await page.get_by_label("第3档起点").fill("50.5")
        await expect(page.locator(".sentences")).to_contain_text("50.5万元起 5%")
        await page.get_by_label("试算合同额").fill("60")
        await expect(page.locator(".judged")).to_contain_text(
            "600,000.00元(达到 50.5万元 档) × 5% = 30,000.00元"
        )
        await expect(page.locator("[data-holds=true]")).to_have_count(1)
        await page.get_by_role("button", name="存草稿").click()
        await expect(page.locator(".status")).to_have_text("已存为草稿")
        await page.get_by_role("link", name="规则变更 #2").click()
        await page.get_by_role("button", name="试算三个月").click()
        await expect(page.get_by_text("影响面：涉及1人，金额会变")).to_be_visible()
        await page.get_by_role("button", name="送审").click()
        await expect(page.get_by_text("要由另一个人批准")).to_be_visible()
        await expect(page.get_by_role("button", name="批准")).to_have_count(0)
    async with visiting(chrome, website, "qian") as page:
        await page.goto(website.url + "/rules/2")
        await page.get_by_role("button", name="批准").click()
        await page.get_by_role("button", name="发布").click()
        await expect(page.locator("h1 .pill")).to_have_text("已发布")
    async with visiting(chrome, website, "zhang") as page:
        await page.goto(website.url + "/rules")
        await expect(page.get_by_text("达到的最高一档全额提成")).to_be_visible()
        await expect(page.get_by_role("button", name="改这条")).to_have_count(0)
        await page.goto(website.url + "/rules/2/edit")
        await expect(page.locator("#canvas")).to_have_count(0)


async def test_rules_are_connected_moved_and_taken_back(chrome: Browser, website: Website) -> None:
    async with visiting(chrome, website, "he", viewport={"width": 1800, "height": 1000}) as page:
        await _edit(page, website)
        await page.get_by_role("button", name="＋ 规则").click()
        await expect(page.locator(".node")).to_have_count(6)
        await page.get_by_role("button", name="全貌").click()
        start = await page.locator(".port").first.bounding_box()
        end = await page.locator("[data-node='pays:1']").bounding_box()
        assert start is not None
        assert end is not None
        await page.mouse.move(start["x"] + 4, start["y"] + 4)
        await page.mouse.down()
        await page.mouse.move(end["x"] + 60, end["y"] + 40, steps=5)
        await page.mouse.up()
        group = page.locator(".node.group")
        await expect(group).to_contain_text("互斥组1")
        await expect(page.locator(".lines path.exclusive")).to_have_count(2)
        await expect(page.locator(".sentences")).to_contain_text("不同时发放，序号小的优先")
        head = group.locator("header")
        before = await group.bounding_box()
        await head.focus()
        await page.keyboard.press("ArrowDown")
        after = await group.bounding_box()
        assert before is not None
        assert after is not None
        assert after["y"] > before["y"]
        zoomed = await page.locator(".node").first.bounding_box()
        await page.locator(".stage").hover(position={"x": 5, "y": 5})
        await page.mouse.wheel(0, 300)
        smaller = await page.locator(".node").first.bounding_box()
        assert zoomed is not None
        assert smaller is not None
        assert smaller["width"] < zoomed["width"]
        await page.get_by_role("button", name="撤销").click()
        await expect(group).to_have_count(0)
        await page.get_by_role("button", name="重做").click()
        await expect(group).to_have_count(1)
        await page.get_by_role("button", name="存草稿").click()
        await expect(page.locator(".status")).to_have_text("已存为草稿")
        await page.reload()
        again = await group.bounding_box()
        assert again is not None


async def test_of_two_who_edit_the_second_keeps_what_was_typed(
    chrome: Browser, website: Website
) -> None:
    async with (
        visiting(chrome, website, "he") as page,
        visiting(chrome, website, "qian") as other,
    ):
        await _edit(page, website)
        await other.goto(website.url + "/rules/2/edit")
        for one, rate in ((other, "4"), (page, "6")):
            await one.get_by_label("第2档比例").fill(rate)
            await one.get_by_role("button", name="存草稿").click()
        await expect(other.locator(".status")).to_have_text("已存为草稿")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("钱进在")
        async with page.expect_download() as loading:
            await dialog.get_by_role("button", name="下载我的改动").click()
        path = await (await loading.value).path()
        kept = json.loads(await asyncio.to_thread(path.read_text, "utf-8"))
        assert kept[0]["tiers"][1]["rate_bp"] == 600
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(page.get_by_label("第2档比例")).to_have_value("6")
        await expect(page.get_by_role("button", name="存草稿")).to_be_focused()
        await page.keyboard.press("Enter")
        await dialog.get_by_role("button", name="载入最新的一版").click()
        await expect(page.get_by_label("第2档比例")).to_have_value("4")


async def test_a_graph_with_a_program_in_it_is_refused_on_the_canvas(
    chrome: Browser, website: Website, tmp_path: Path
) -> None:
    graph = {"nodes": [{"id": "f", "type": "functionNode", "name": "取数"}], "edges": []}
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(graph), encoding="utf-8")
    async with visiting(chrome, website, "he") as page:
        await _edit(page, website)
        await page.locator("input[type=file]").set_input_files(file)
        await expect(page.get_by_text("能上网的程序")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 3840])
async def test_rules_fit_every_screen_and_please_axe(
    chrome: Browser, website: Website, width: int, theme: str
) -> None:
    need_axe()
    more = {"viewport": {"width": width, "height": 860}, "color_scheme": theme}
    async with visiting(chrome, website, "he", **more) as page:
        await _edit(page, website)
        await page.goto(website.url + "/rules/2")
        await page.get_by_role("button", name="试算三个月").click()
        for path in (
            "/rules",
            "/rules/versions?rule=阶梯提成",
            "/rules/1",
            "/rules/2",
            "/rules/2/edit",
        ):
            await page.goto(website.url + path)
            await looks_well(page)
        boxes = [await one.bounding_box() for one in await page.locator(".node").all()]
        across = [(one["x"], one["x"] + one["width"]) for one in boxes if one is not None]
        assert len(across) == 3
        if width > 736:  # else they stand one below the other
            assert all(one[1] < other[0] for one, other in pairwise(across)), across


async def test_a_version_that_takes_something_back_names_what_it_replaces_and_who_allowed_it(
    chrome: Browser, website: Website
) -> None:
    async with visiting(chrome, website, "he", viewport={"width": 1600, "height": 1000}) as page:
        await _edit(page, website)
        await page.get_by_label("第2档比例").fill("1")
        await page.get_by_label("起算日").fill("2026-01-01")
        said = page.locator("[data-kind=pays] p.said")
        await expect(said.last).to_contain_text("与第1版的生效日期重叠")
        beside = await said.last.bounding_box()
        assert beside is not None
        assert beside["width"] > 150, "words in a column of one or two characters"
        await page.get_by_label("取代哪一版").select_option("第1版（2026年1月1日起）")
        await expect(said).to_have_count(0)
        sentences = page.locator(".sentences")
        await expect(sentences).to_contain_text("发布后取代第1版，已发放的不改")
        await page.get_by_role("button", name="存草稿").click()
        await expect(page.locator(".status")).to_have_text("已存为草稿")
        await page.get_by_role("link", name="规则变更 #2").click()
        await page.get_by_role("button", name="试算三个月").click()
        await expect(page.get_by_text("必须有法务具名批准")).to_be_visible()
        await page.goto(website.url + "/rules/2/edit")
        await page.get_by_label("法务批准人").select_option("周律")
        await expect(sentences).to_contain_text("追溯减少的，由法务周律批准")
        await page.get_by_role("button", name="存草稿").click()
        await expect(page.locator(".status")).to_have_text("已存为草稿")
        await page.reload()
        await expect(page.get_by_label("法务批准人")).to_have_value("周律")
        await page.get_by_role("link", name="规则变更 #2").click()
        await expect(page.locator("ins", has_text="由法务周律批准")).to_be_visible()
        await page.get_by_role("button", name="试算三个月").click()
        await page.get_by_role("button", name="送审").click()
    async with visiting(chrome, website, "qian") as page:
        await page.goto(website.url + "/rules/2")
        await page.get_by_role("button", name="批准").click()
        await page.get_by_role("button", name="发布").click()
        await expect(page.locator("h1 .pill")).to_have_text("已发布")
    async with visiting(chrome, website, "zhang") as page:
        await page.goto(website.url + "/rules/versions?rule=阶梯提成")
        await expect(page.locator("ins", has_text="由法务周律批准")).to_be_visible()
