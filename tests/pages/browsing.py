"""Whoever visits the pages in a real Chromium, and the company they find there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from playwright.async_api import Browser, Page

from tests.browsers import serious_flaws, watched
from tests.pages.website import Website

HENGRUI = "杭州恒锐机电有限公司"
LONG_NAME = "浙江省杭州市余杭区未来科技城恒锐智能装备与自动化系统集成股份有限公司"
WIDTHS = {360: 780, 1280: 860, 3840: 2160}


@asynccontextmanager
async def visiting(
    chrome: Browser, website: Website, who: str, words: str = "网页", **more: Any
) -> AsyncIterator[Page]:
    """The page to which the link leads. A script error or a refused resource fails the test."""
    async with watched(chrome, **more) as page:
        await page.goto(website.url + await website.link(who, words))
        await page.wait_for_url(lambda url: "/in" not in url)
        yield page


async def company(website: Website) -> tuple[int, int]:
    """A customer with a past, and a deal. Their numbers."""
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.customer(LONG_NAME, "zhang")
    for number in range(40):
        website.chat.now += timedelta(minutes=1)
        await website.entry(account, number)
    await website.entry(account, 40, data=b"ID3" + b"\0" * 99, name="语音.mp3", text="嫌价格高")
    await website.entry(account, 41, data=b"%PDF-1.4", name="伺服产线改造方案（第三版）.pdf")
    await website.entry(account, 42, unit="message", valid=False, invalid_reason="not_counted")
    async with website.chat.database.begin() as tx:
        await tx.accounts.add_contact(account.id, "王总", title="总经理", mobile="13800000000")
    await website.chat.later(days=5)
    return account.id, (await website.chat.deal(account)).id


async def fits_and_pleases(
    chrome: Browser, website: Website, who: str, paths: Sequence[str], *, width: int, theme: str
) -> None:
    """Every page looks well on such a screen."""
    more = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": theme}
    async with visiting(chrome, website, who, **more) as page:
        for path in paths:
            await page.goto(website.url + path)
            await looks_well(page)


async def looks_well(page: Page) -> None:
    """It is no wider than its screen, nothing is squeezed, no figure is torn at the end of a line,
    and axe-core finds nothing serious."""
    path = page.url
    assert page.viewport_size is not None
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], f"{path} is {wide} px wide"
    sheet = await page.locator("main").bounding_box()
    assert sheet is not None
    assert sheet["width"] >= 330, f"{path} is squeezed into {sheet['width']} px"
    assert await page.evaluate(STACKED) == [], path
    if page.viewport_size["width"] == min(WIDTHS):
        assert await page.evaluate(TORN) == [], path
    assert await serious_flaws(page) == [], path


TORN = r"""() => {
  const whole = /\d[\d,.]*(?:万元|亿元|元|%|个工作日|分钟|小时|[天个条单人笔份家次版])|\d+月\d+日(\(周.\))?|[A-Z]+(?:-\d+)+/g;
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const torn = [];
  while (walk.nextNode()) {
    const text = walk.currentNode, range = document.createRange();
    if (!text.parentElement.checkVisibility() || text.parentElement.closest("option, .said")) continue;
    for (const found of text.data.matchAll(whole)) {
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      const tops = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
      if (tops.size > 1) torn.push(found[0]);
    }
  }
  return torn;
}"""  # noqa: E501
"""Dates, numbers of contracts and figures with their units that stand in two lines. What people
have written themselves may."""

STACKED = """() => [...document.querySelectorAll("main .keep")]
  .filter((one) => getComputedStyle(one).display !== "inline")
  .map((one) => one.parentElement.textContent.slice(0, 40))"""
"""Sentences whose figures have become lines of their own, as they do directly in a grid."""
