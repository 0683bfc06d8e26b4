"""The chat page before the real bot: one visitor's first minute."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.scenarios.driver import Sandbox
from tests.scenarios.page_bed import browsing

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
SENTENCE = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


async def test_a_visitor_records_a_call_and_sees_the_red_light_six_working_days_later(
    sandbox: Sandbox,
) -> None:
    async with browsing(sandbox.url) as page:
        await page.get_by_role("button", name=SENTENCE).click()
        await page.keyboard.press("Enter")
        card = page.get_by_role("article", name="杭州恒锐机电有限公司").last
        await expect(card).to_contain_text("25分钟", timeout=15_000)
        await card.get_by_role("button", name="确认").click()
        await expect(card).to_contain_text("已记录", timeout=15_000)
        stream = page.get_by_role("complementary", name="客户动态")
        await expect(stream.locator("h2")).to_have_text("杭州恒锐机电有限公司")
        await expect(stream.locator(".timeline")).to_contain_text(SENTENCE, timeout=15_000)
        await expect(stream.locator(".opportunity .light")).to_have_text("绿灯")

        await page.locator("#clock").get_by_role("button", name="+6 个工作日").first.click()
        await expect(page.locator(".toast").last).to_contain_text("有新消息", timeout=60_000)
        await page.locator('[data-person="wecom:limin"]').click()
        await expect(page.get_by_role("article").last).to_contain_text("红灯")
        await expect(page.get_by_role("button", name="放大图片").first).to_be_visible()
