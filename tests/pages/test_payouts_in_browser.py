"""The pages about bonuses in a real Chromium: an arbiter's journey, every width in light and dark,
and axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import insert

from storage.database import Database
from storage.tables import payout_lines
from tests.browsers import need_axe, serious_flaws
from tests.pages.browsing import WIDTHS, fits_and_pleases, visiting
from tests.pages.payouts_website import Paid, paid_and_disputed, with_a_fund
from tests.pages.website import Website, serving

pytestmark = pytest.mark.browser


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(sqlite_database, tmp_path / "files", change=with_a_fund) as running:
        yield running


async def _company(website: Website) -> Paid:
    told = await paid_and_disputed(website)
    await told.company.chat.say("he", "新增兑换 课程 谈判技巧课 150元 两天")
    await told.company.chat.say("zhang", "兑换 谈判技巧课")
    await told.company.press("zhang", "提交兑换", "redeem-wish-")
    row = {
        "person_id": website.chat.people["zhang"].id, "month": "2026-04", "kind": "adjustment",
        "fen": -123_456_789_00, "why": "合同资料在锁定后有变" * 12, "origin": "decision",
        "made_at": website.chat.now,
    }  # fmt: skip
    async with website.chat.database.begin() as tx:
        await tx.delivery._conn.execute(insert(payout_lines), [row] * 60)
    return told


async def test_from_the_chat_through_a_line_to_its_receipt_and_the_pack(
    chrome: Browser, website: Website
) -> None:
    await _company(website)
    async with visiting(chrome, website, "zhang", "网页 奖金") as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text("我的奖金")
        await page.get_by_role("link", name="2026年3月").click()
        await expect(page.locator(".sum .figure")).to_have_text("1,200.00元")
        receipt = page.get_by_text("2026年3月10日 到账 40,000.00元")
        await expect(receipt).to_be_hidden()
        await page.locator("summary", has_text="从哪里来").focus()
        await page.keyboard.press("Enter")
        await expect(receipt).to_be_visible()
        async with page.expect_download() as pack:
            await page.get_by_role("button", name="下载证据包").click()
        assert (await pack.value).suggested_filename == "奖金证据包_张伟_2026-03.zip"
        await page.get_by_role("link", name="成长基金").click()
        await expect(page.locator(".sum .figure")).to_have_text("90.00元")


async def test_an_arbiter_decides_with_the_keyboard(chrome: Browser, website: Website) -> None:
    told = await _company(website)
    async with visiting(chrome, website, "qian", "网页 申诉") as page:
        await page.get_by_role("link", name=f"#{told.dispute}").click()
        await page.get_by_label("部分支持").focus()
        await page.keyboard.press("Space")
        await page.get_by_label("补发多少元").fill("400")
        await page.get_by_label("理由").fill("有一半是5%")
        await page.get_by_role("button", name="下一步").press("Enter")
        await expect(page.locator(".confirm")).to_contain_text("部分支持，补发 400.00元")
        assert await serious_flaws(page) == []
        await page.get_by_role("button", name="确认裁定").press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("部分支持")
        await expect(page.get_by_role("button", name="下一步")).to_have_count(0)


async def test_a_rep_redeems_by_the_keyboard_and_takes_it_back(
    chrome: Browser, website: Website
) -> None:
    told = await _company(website)
    await told.company.chat.say("he", "新增兑换 门票 工博会 20元")
    async with visiting(chrome, website, "zhang", "网页 成长基金") as page:
        await page.get_by_role("button", name="兑换：工博会").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="确认兑换")).to_be_visible()
        assert await serious_flaws(page) == []
        await page.get_by_role("button", name="提交兑换").focus()
        await page.keyboard.press("Enter")
        held = page.locator(".report .money", has_text="−20.00元")
        await expect(held).to_be_visible()
        await page.get_by_role("button", name="撤回：工博会").focus()
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="撤回：工博会")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_fits_its_screen_and_pleases_axe(
    chrome: Browser, website: Website, width: int, theme: str
) -> None:
    need_axe()
    told = await _company(website)
    zhang = website.chat.people["zhang"].id
    paths = ["/payouts?month=2026-03", f"/payouts?person={zhang}", "/payouts?month=2025-12",
             f"/payouts?month=2026-03&person={zhang}", "/disputes", "/disputes?kind=all&before=1",
             f"/disputes/{told.dispute}", "/disputes/99", "/fund",
             f"/fund?person={zhang}"]  # fmt: skip
    await fits_and_pleases(chrome, website, "qian", paths, width=width, theme=theme)
