"""What each page says where there is nothing, too much or no answer: the table of docs/pages.md."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text, update

from storage.database import Database
from storage.tables.customers import accounts
from storage.tables.deals import opportunities
from storage.tables.pages import page_sessions
from tests.handlers.pages.test_role_matrix import TABLE
from tests.pages.website import Website, serving

DOCS = Path(__file__).parents[2] / "docs" / "pages.md"


@pytest.fixture
async def website(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Website]:
    """On a database of its own: some of these tests break it."""
    database = await Database.open(sqlite_url)
    async with serving(database, tmp_path / "files") as running:
        yield running
    await database.close()


NO_PAGES = {"/assets/{name}", "/live", "/client/signatures", "/rules/{number}/graph.json",
            "/customers/{number}/entries/{entry}/files/{place}",
            "/in/{platform}/{app}"}  # fmt: skip
"""Addresses that one does not read."""

EMPTY = {
    "/": "还没有商机",
    "/customers": "在聊天里发「新建客户 全称」",
    "/refusals": "换一段时间看看",
    "/diagnosis": "没有发现：",
    "/forecast": "再在聊天里说「提交预测」",
    "/supply": "会自动通知仓储和计划",
    "/payouts": "还没有",
    "/disputes": "在聊天里的结算单上点「有异议」",
    "/fund": "公司开通后",
    "/rules": "点「新建规则」",
    "/side": "这里没有客户",
    "/admin": "现在没有要人处理的事",
    "/admin/bindings": "在「未绑定」里手工绑",
    "/admin/bindings/unbound": "会出现在这里",
    "/admin/bindings/bound": "在「建议」里一次绑定",
    "/admin/people?q=zzz": "换个写法，或者清掉筛选",
    "/admin/operations": "没有连接任何平台",
    "/admin/dead-letters": "会留在这里，连同原因",
    "/admin/audit?who=%E5%BC%A0%E4%BC%9F": "换个条件",
}
"""What stands there in a company in which nothing has happened yet."""


def test_the_table_of_states_has_each_page_and_nothing_else() -> None:
    part = DOCS.read_text("utf-8").split("\n## States\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `([^`]+)`", part, re.MULTILINE))
    assert told == {path for method, path in TABLE if method == "GET"} - NO_PAGES


@pytest.mark.parametrize("path", EMPTY)
async def test_a_page_without_anything_says_how_something_comes_there(
    website: Website, path: str
) -> None:
    browser = await website.sign_in("zhao")
    status, page = await browser.get(path)
    assert status == 200
    assert EMPTY[path] in page


@pytest.mark.parametrize("table", [accounts.name, page_sessions.name])
async def test_a_page_that_cannot_be_read_says_so_in_our_words(
    website: Website, table: str
) -> None:
    """Whether the page itself cannot be read, or not even who asks."""
    browser = await website.sign_in("zhang")
    async with website.chat.database.begin() as tx:
        await tx._conn.execute(text(f"ALTER TABLE {table} RENAME TO gone"))
    status, page = await browser.get("/customers")
    assert status == 500
    assert re.search(r"问题已经记下（编号 [0-9a-f]{8}）", page)
    assert "请稍后再试" in page


async def test_of_many_customers_a_page_shows_fifty_and_leads_on(website: Website) -> None:
    chat = website.chat
    one = await chat.customer("杭州恒锐机电有限公司")
    async with chat.database.begin() as tx:
        kept = (await tx._conn.execute(accounts.select().where(accounts.c.id == one.id))).one()
        rows = [
            {**kept._mapping, "id": 1000 + n, "name": f"第{n}家轴承有限公司"} for n in range(400)
        ]
        await tx._conn.execute(insert(accounts), rows)
    browser = await website.sign_in("zhang")
    path, seen = "/customers", 0
    while path:
        _, page = await browser.get(path)
        shown = len(re.findall(r'<td><a href="/customers/\d+">', page))
        assert shown <= 50
        seen += shown
        found = re.search(r'href="(/customers\?after=[\d.]+)" rel="next">下一页', page)
        path = found[1] if found else ""
    assert seen == 401


async def test_who_was_left_alone_longest_stands_first(website: Website) -> None:
    """Red before yellow before the rest, on each page of them; and what is a colleague's does not
    count."""
    chat = website.chat
    async with chat.database.begin() as tx:
        for number in range(120):
            owner = chat.people["zhang" if number % 2 else "chen"].id
            account = await tx.accounts.add(
                name=f"第{number:03}家公司", owner_id=owner, at=chat.now
            )
            if number % 3 == 0:
                continue
            deal = await tx.opportunities.add(
                account_id=account.id, name="", owner_id=owner, stage="quote", rank=3,
                at=chat.now - timedelta(days=number), light_due_at=None,
            )  # fmt: skip
            light = "red" if number % 3 == 1 else "yellow"
            await tx._conn.execute(
                update(opportunities).where(opportunities.c.id == deal.id).values(light=light)
            )
    browser = await website.sign_in("li")
    path, names = "/customers", list[str]()
    while path:
        _, page = await browser.get(path)
        names += re.findall(r'<td><a href="/customers/\d+">(.+?)</a>', page)
        found = re.search(r'href="(/customers\?after=[\d.]+)" rel="next"', page)
        path = found[1] if found else ""
    numbers = [int(name[1:4]) for name in names]
    red = sorted((n for n in range(120) if n % 3 == 1), reverse=True)
    yellow = sorted((n for n in range(120) if n % 3 == 2), reverse=True)
    assert numbers == [*red, *yellow, *range(0, 120, 3)]


@pytest.mark.parametrize("place", ["7", "3.0.1", "0.0", "0.x.1", "1.99999999999999999999.1"])
async def test_a_place_that_is_none_is_refused(website: Website, place: str) -> None:
    browser = await website.sign_in("zhang")
    status, page = await browser.get(f"/customers?after={place}")
    assert (status, "请从第一页重新打开" in page) == (400, True)


async def test_a_promise_for_a_day_is_past_when_the_day_is(website: Website) -> None:
    chat = website.chat
    await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", "刚和恒锐机电通了25分钟电话，没异议，明天再联系")
    await chat.say("zhang", "确认")
    browser = await website.sign_in("zhang")
    chat.now += timedelta(days=1)  # later than nine, at which such a promise is kept
    assert "（已过）" not in (await browser.get("/customers"))[1]
    chat.now += timedelta(days=1)
    assert "1月29日(周四)（已过）" in (await browser.get("/customers"))[1]


async def test_where_only_the_day_is_known_no_hour_is_shown(website: Website) -> None:
    account = await website.chat.customer("杭州恒锐机电有限公司")
    midnight = datetime(2026, 1, 27, tzinfo=website.chat.office.zone)
    await website.entry(account, 1, title="回款", occurred_at=midnight)
    browser = await website.sign_in("zhang")
    page = (await browser.get(f"/customers/{account.id}"))[1]
    assert "1月27日(周二)</time>" in page
