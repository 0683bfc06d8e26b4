"""A rep sends material, the customer looks around the website, and the rep is told to call."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, Request

from connectors.web.assets import BUILD
from tests.browsers import launched, watched
from tests.scenarios.driver import Sandbox, Speaker, words

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not (BUILD / "manifest.json").exists(), reason="no front end is built"),
]

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
BROWSER = {"User-Agent": AGENT}


async def material_link(sandbox: Sandbox, rep: Speaker, customer: str) -> str:
    """The ticket in it."""
    told = words(await rep.say(f"资料链接 白皮书 {customer}"))
    link = re.search(rf"{sandbox.url}/track/to/demo/(\S+)", told)
    assert link is not None, told
    return link[1]


async def customers_of_zhang(sandbox: Sandbox) -> list[str]:
    world = await sandbox.get("world")
    return [one["name"] for one in world["customers"] if one["owner"] == "张伟"]


async def asked_to_call(rep: Speaker, customer: str) -> list[dict[str, Any]]:
    cards = [one["card"] for one in await rep.all() if one["kind"] == "card"]
    return [one for one in cards if "客户有动静" in one["title"] and customer in one["title"]]


async def test_a_customer_who_reads_parameters_is_called(sandbox: Sandbox, rep: Speaker) -> None:
    mine = (await customers_of_zhang(sandbox))[0]
    ticket = await material_link(sandbox, rep, mine)
    async with sandbox.http.get(
        f"/track/to/demo/{ticket}", headers=BROWSER, allow_redirects=False
    ) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].endswith(f"/sandbox/site?gdl={ticket}")
    async with sandbox.http.get("/sandbox/site", headers=BROWSER) as answer:
        key = re.search(r'data-key="([^"]+)"', await answer.text())
    assert key is not None
    async with sandbox.http.get("/track.js") as answer:
        assert len(await answer.read()) < 2_000
    visit: dict[str, Any] = {
        "key": key[1], "visitor": "browser-of-li", "consent": True, "link": ticket,
        "events": [
            {"id": f"event-{n:04}", "page": "/sandbox/site/r10/parameters", "ago": 1000}
            for n in range(4)
        ],
    }  # fmt: skip
    for _ in range(2):  # a lost answer: sent again
        async with sandbox.http.post(
            "/track", json=visit, headers={**BROWSER, "Origin": sandbox.url}
        ) as answer:
            assert answer.status == 200, await answer.text()
    await sandbox.post("clock", advance=120)
    await sandbox.quiesce()
    asked = await asked_to_call(rep, mine)
    assert len(asked) == 1
    assert "反复看参数页" in str(asked)
    await sandbox.post("clock", advance=3600)
    await sandbox.quiesce()
    assert "浏览网站" in words(await rep.say(f"动态 {mine}"))


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Page]:
    """A person's browser: track.js keeps silent in one that says a program drives it."""
    async with (
        launched(
            "--disable-blink-features=AutomationControlled",
            f"--user-agent={AGENT}",  # also of what is sent while a page is left
        ) as browser,
        watched(browser) as page,
    ):
        await page.goto(url)
        await page.wait_for_function("window.gendan")
        yield page


def body_of(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.post_data or "{}")
    return body


async def kept(page: Page) -> dict[str, str]:
    found: dict[str, str] = await page.evaluate("({...localStorage})")
    return found


@pytest.mark.browser
async def test_a_browser_keeps_and_tells_what_its_visitor_agreed_to(
    sandbox: Sandbox, rep: Speaker
) -> None:
    theirs = (await customers_of_zhang(sandbox))[1]
    ticket = await material_link(sandbox, rep, theirs)
    async with visitor(f"{sandbox.url}/track/to/demo/{ticket}") as page:
        assert page.url == f"{sandbox.url}/sandbox/site"  # the ticket is not for copying
        async with page.expect_request("**/track") as told:
            pass  # what was seen goes out by itself
        before = body_of(await told.value)
        assert [one["page"] for one in before["events"]] == ["/sandbox/site"]
        assert before["consent"] is False
        assert "link" not in before
        assert await kept(page) == {}

        await page.get_by_role("button", name="同意记录我的浏览").click()
        assert set(await kept(page)) == {"gendan.consent", "gendan.visitor", "gendan.link"}
        for _ in range(4):
            await page.get_by_role("link", name="R10").click()
            await page.wait_for_url("**/parameters")
            await page.wait_for_function("window.gendan")
            async with page.expect_request("**/track") as told:
                await page.get_by_role("link", name="返回").click()
            after = body_of(await told.value)
            assert (after["consent"], after["link"]) == (True, ticket)
            assert after["visitor"] == before["visitor"]
            await page.wait_for_function("window.gendan")

        await page.get_by_role("button", name="不同意").click()
        assert await kept(page) == {}
        assert await page.context.cookies() == []
        assert await page.evaluate("document.cookie") == ""
    await sandbox.post("clock", advance=120)
    await sandbox.quiesce()
    asked = await asked_to_call(rep, theirs)
    assert len(asked) == 1
    assert "R10 减速机参数" in str(asked)
