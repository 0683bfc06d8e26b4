"""Pages inside the emulated clients of both platforms, in a real Chromium: signing in, the side
bar, one press into a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, expect

from connectors.web.assets import BUILD
from tests.browsers import serious_flaws, watched
from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not (BUILD / "manifest.json").exists(), reason="no front end is built"),
]

AGENTS = {
    "wecom": "Mozilla/5.0 (iPhone) MicroMessenger/7.0.1 wxwork/4.1.30",
    "dingtalk": "Mozilla/5.0 (Linux) AliApp(DingTalk/7.6.0) Channel/1",
}
HENGRUI = "杭州恒锐机电有限公司"
NARROW = {"width": 360, "height": 640}


@asynccontextmanager
async def client(
    chrome: Browser, sandbox: Sandbox, platform: str, user: str, to: str, **knows: str
) -> AsyncIterator[Page]:
    """That person's client, which opens a page. A script error or a refused resource fails."""
    asked = urlencode({"user": user, "to": to, **knows})
    async with watched(chrome, user_agent=AGENTS[platform], viewport=NARROW) as page:
        await page.goto(f"{sandbox.url}/sandbox/{platform}/client?{asked}")
        yield page


async def opened(page: Page, sandbox: Sandbox, platform: str) -> list[dict[str, Any]]:
    answer = await page.request.get(f"{sandbox.url}/sandbox/{platform}/client/opened")
    told: list[dict[str, Any]] = (await answer.json())["opened"]
    return told


async def number(sandbox: Sandbox, name: str) -> int:
    world = await sandbox.get("world")
    return next(int(one["id"]) for one in world["customers"] if name in one["name"])


async def bind_all(rep: Speaker) -> None:
    """Contacts and groups, as far as an earlier story has not."""
    told = await rep.say("绑定建议")
    if any(message["kind"] == "card" for message in told):
        assert "已绑定" in words(await rep.press(last_card(told), "全部绑定"))
        await rep.sandbox.post("clock", advance=2)  # two cards of one second would be one
        await bind_all(rep)


async def test_the_side_bar_binds_shows_and_asks(
    chrome: Browser, sandbox: Sandbox, rep: Speaker
) -> None:
    beside = {"entry": "single_chat_tools", "contact": "wmWangZong"}
    async with client(chrome, sandbox, "wecom", "zhangwei", "/side", **beside) as page:
        await page.wait_for_url("**/side/contact/wmWangZong")
        await expect(page.get_by_role("heading", level=1)).to_have_text("恒锐-王总")
        await page.get_by_role("button", name=f"绑定到{HENGRUI}").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(HENGRUI)
        await expect(page.locator("h1 .light")).to_be_visible()
        await expect(page.locator("li.entry").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        assert await serious_flaws(page) == []
        await rep.look()
        await page.get_by_role("button", name="记一笔跟进").click()
        await expect(page.get_by_role("status")).to_contain_text("给你发了「记一笔」")
        await sandbox.quiesce()
        assert "记一笔" in words(await rep.look())


async def test_without_a_customer_the_side_bar_says_so(chrome: Browser, sandbox: Sandbox) -> None:
    async with client(chrome, sandbox, "wecom", "zhangwei", "/side") as page:
        await expect(page.get_by_role("heading", name="这里没有客户")).to_be_visible()


async def test_the_side_bar_of_a_group_shows_its_customer(
    chrome: Browser, sandbox: Sandbox, rep: Speaker
) -> None:
    await bind_all(rep)
    beside = {"entry": "group_chat_tools", "chat": "wrHengRui0001"}
    async with client(chrome, sandbox, "wecom", "zhangwei", "/side", **beside) as page:
        await page.wait_for_url("**/side/group/wrHengRui0001")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(HENGRUI)


async def test_in_wecom_one_press_opens_the_conversation(
    chrome: Browser, sandbox: Sandbox, rep: Speaker
) -> None:
    await bind_all(rep)
    path = f"/customers/{await number(sandbox, '恒锐机电')}"
    async with client(chrome, sandbox, "wecom", "zhangwei", path) as page:
        await page.wait_for_url(lambda url: url.split("#")[0].endswith(path))
        await expect(page.get_by_role("heading", level=1)).to_contain_text(HENGRUI)
        person = page.locator("#chats li", has_text="恒锐-王总")
        await person.get_by_role("button", name="打开聊天").click()
        await expect(person.get_by_role("button", name="打开聊天")).to_be_enabled()
        group = page.locator("#chats li", has_text="恒锐产线改造群")
        await group.get_by_role("button", name="打开聊天").click()
        await expect(group.get_by_role("button", name="打开聊天")).to_be_enabled()
        found = await opened(page, sandbox, "wecom")
        assert [one["outsiders"] for one in found] == [["wmWangZong"], []]
        assert found[1]["chat"] == "wrHengRui0001"


async def test_what_cannot_be_opened_says_how_to_find_it(
    chrome: Browser, sandbox: Sandbox, rep: Speaker
) -> None:
    """The director is in no chat with them."""
    await bind_all(rep)
    path = f"/customers/{await number(sandbox, '恒锐机电')}"
    async with client(chrome, sandbox, "wecom", "wangjianguo", path) as page:
        group = page.locator("#chats li", has_text="恒锐产线改造群")
        await group.get_by_role("button", name="打开聊天").click()
        await expect(group.get_by_role("status")).to_contain_text("搜索这个群名")
        await expect(group.get_by_role("button", name="复制")).to_be_visible()


async def test_in_dingtalk_the_page_signs_in_and_opens_the_group(
    chrome: Browser, sandbox: Sandbox, ding_rep: Speaker
) -> None:
    path = f"/customers/{await number(sandbox, '松湖')}"
    assert "已建好并绑定" in words(await ding_rep.say("建群 松湖电子"))
    async with client(chrome, sandbox, "dingtalk", "wulei01", path) as page:
        await page.wait_for_url(lambda url: url.split("#")[0].endswith(path))
        await expect(page.get_by_role("heading", level=1)).to_contain_text("松湖")
        await page.get_by_role("button", name="打开聊天").click()
        await expect(page.get_by_role("button", name="打开聊天")).to_be_enabled()
        [chat] = await opened(page, sandbox, "dingtalk")
        assert chat["chat"].startswith("cid")


async def test_who_is_not_in_the_company_is_told_so(chrome: Browser, sandbox: Sandbox) -> None:
    async with client(chrome, sandbox, "wecom", "wmWangZong", "/customers") as page:
        await expect(page.get_by_text("只给公司成员看")).to_be_visible()
