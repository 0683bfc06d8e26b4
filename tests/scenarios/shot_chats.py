"""What is shown of the chats: the sandbox's own page as each person, after a customer looked around
the website, a forecast was handed in, and much became due."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import BrowserContext

from tests.scenarios.driver import Sandbox, Speaker
from tests.scenarios.test_forecast import card_of
from tests.scenarios.test_website import BROWSER, asked_to_call, customers_of_zhang, material_link
from tests.speech.ocr import papers

PRODUCTS = ("r10", "s20")
CHATS: dict[str, tuple[str, str]] = {
    "chat-signal": ("wecom:zhangwei", "客户有动静"),
    "chat-level": ("wecom:zhangwei", "意向定级"),
    "chat-lights": ("wecom:zhangwei", "跟进提醒"),
    "chat-morning": ("wecom:zhangwei", "早报"),
    "chat-contract": ("wecom:zhangwei", "合同登记"),
    "chat-lights-leader": ("wecom:limin", "红灯提醒"),
    "chat-forecast": ("wecom:zhangwei", "提交预测"),
    "chat-forecast-ding": ("dingtalk:wulei01", "提交预测"),
    "chat-cosign": ("wecom:sunli", ""),
    "chat-review": ("wecom:zhoulv", "条款复核"),
    "chat-refusals": ("wecom:xunuo", "客户为什么拒绝"),
    "chat-payout": ("dingtalk:wulei01", "我的奖金"),
    "chat-dispute": ("dingtalk:wulei01", "奖金申诉"),
    "chat-dispute-line": ("dingtalk:wulei01", "哪一笔"),
    "chat-fund": ("dingtalk:wulei01", "成长基金"),
    "chat-rules": ("wecom:qianjin", "奖金规则变更"),
    "chat-lock": ("wecom:fengxiao", "月度奖金核算"),
    "chat-arbiter": ("wecom:fengxiao", "奖金申诉"),
    "chat-newest": ("wecom:limin", ""),
    "chat-none": ("wecom:madong", ""),
    "chat-people": ("wecom:zhangwei", "@people"),
    "chat-stream": ("wecom:zhangwei", "@stream"),
    "chat-clock": ("wecom:zhangwei", "@clock"),
    "chat-faults": ("wecom:zhangwei", "@faults"),
}
"""Name -> who, and the newest card with which words in its title; "": the newest message. With @, a
part of the page."""


async def tell_in_chats(sandbox: Sandbox) -> None:
    rep, seller = Speaker(sandbox, "wecom", "zhangwei"), Speaker(sandbox, "dingtalk", "wulei01")
    await _hands_in(rep, "恒锐机电", "评分 80 80 80 80 80")
    await _hands_in(seller, "南海铝业", "")
    await sandbox.post("clock", advance=3600)
    await sandbox.quiesce()
    customer = (await customers_of_zhang(sandbox))[0]
    await _looks_around(sandbox, await material_link(sandbox, rep, customer))
    await sandbox.post("clock", advance=120)
    await sandbox.quiesce()
    assert await asked_to_call(rep, customer)


async def _hands_in(rep: Speaker, customer: str, scores: str) -> None:
    """A level with its evidence, and a forecast. scores: "" where the card asks for them."""
    await rep.say(f"{customer} L1 PO号 PO-2026-018")
    await rep.send_file("采购订单.pdf", papers.pdf_with_text())
    await rep.press(await card_of(rep, "意向定级"), "确认定级")
    await rep.say(f"改预测 {customer} 38.8万 下周五 风险：等排产")
    await rep.say("提交预测")
    if scores:
        await rep.say(scores)
    form = {} if scores else {f"q{number}": "80" for number in range(1, 6)}
    await rep.press(await card_of(rep, "提交预测"), "确认", **form)
    await rep.press(await card_of(rep, "提交预测"), "提交")


async def _looks_around(sandbox: Sandbox, ticket: str) -> None:
    """A visitor who came by the link and agreed to be remembered."""
    link = f"/track/to/demo/{ticket}"
    async with sandbox.http.get(link, headers=BROWSER, allow_redirects=False):
        pass
    async with sandbox.http.get("/sandbox/site", headers=BROWSER) as answer:
        key = re.search(r'data-key="([^"]+)"', await answer.text())
    assert key is not None
    events: list[dict[str, Any]] = [
        {
            "id": f"event-{n:04}",
            "page": f"/sandbox/site/{PRODUCTS[n % 2]}/parameters",
            "ago": 1000,
        }
        for n in range(4)
    ]
    visit = {
        "key": key[1], "visitor": "browser-of-li", "consent": True, "link": ticket,
        "events": events,
    }  # fmt: skip
    headers = {**BROWSER, "Origin": sandbox.url}
    async with sandbox.http.post("/track", json=visit, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def open_chat(context: BrowserContext, url: str, name: str, *, width: int) -> None:
    who, shown = CHATS[name]
    page = await context.new_page()
    await page.goto(f"{url}/sandbox")
    person = page.locator(f'[data-person="{who}"]')
    narrow = width <= 720
    if narrow:
        await page.locator('#tabs [data-view="people"]').click()
    await person.click()
    await page.wait_for_timeout(500)
    if shown in ("@people", "@stream") and narrow:
        await page.locator(f'#tabs [data-view="{shown[1:]}"]').click()
    elif shown == "@clock":
        await page.locator("#clock .now").click()
    elif shown == "@faults":
        await page.locator("#faults button").first.click()
    elif shown and not shown.startswith("@"):
        card = page.locator("article.card", has=page.locator("h3", has_text=shown)).last
        earlier = page.get_by_role("button", name="显示更早的消息")
        while not await card.count() and await earlier.count():
            await earlier.click()
        assert await card.count(), f"{name}: no such card"
        await card.evaluate("one => one.scrollIntoView({block: 'start'})")
