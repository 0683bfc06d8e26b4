"""What the pages show, and what every answer carries."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ContactNews, ExternalContact, Follow
from bot.domain.opportunities import OpportunityState
from connectors.web import live
from storage.database import Database
from storage.kept_files import open_files
from tests.object_store import Misbehaving, ObjectStore
from tests.pages.website import Website, serving

HENGRUI = "杭州恒锐机电有限公司"
ENTRY = re.compile(r'<li class="entry".*?</li>', re.DOTALL)
MORE = re.compile(r'hx-get="(?P<path>[^"]+)"')
PAGES = ["/", "/customers", "/customers/1", "/opportunities/1", "/refusals", "/diagnosis",
         "/customers/77", "/nowhere", "/in", "/in/" + "x" * 43]  # fmt: skip


class Inline(HTMLParser):
    """What a strict policy would refuse."""

    found: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        bad = [name for name in given if name == "style" or name.startswith("on")]
        if bad or tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(f"<{tag} {bad}>")
        for name in ("src", "href", "action"):
            if (given.get(name) or "").startswith(("http", "//", "javascript:", "data:")):
                self.found.append(f"<{tag} {name}={given[name]}>")


async def test_a_customers_page_leads_to_its_chats(website: Website) -> None:
    account = await website.chat.customer(HENGRUI)
    browser = await website.sign_in("zhang")
    assert "chats-head" not in (await browser.get(f"/customers/{account.id}"))[1]
    contact = ExternalContact("dingtalk", "ext1", "王总<script>", mobile="13800001111")
    bound = [("dingtalk", "ext1", ChatKind.CONTACT, account.id, BoundBy.HAND)]
    async with website.chat.database.begin() as tx:
        news = ContactNews("dingtalk", (contact,), (Follow("dingtalk", "0123", "ext1"),))
        await tx.external_contacts.save(news, places=frozenset(), at=website.chat.now)
        await tx.chat_bindings.bind(bound, by=account.owner_id, at=website.chat.now, source_id="1")
    shown = (await browser.get(f"/customers/{account.id}"))[1]
    assert 'href="https://applink.dingtalk.com/page/profile?phone=13800001111"' in shown
    assert "王总&lt;script&gt;" in shown
    assert "钉钉联系人" in shown


async def test_every_page_is_guarded_by_its_headers_and_needs_nothing_inline(
    website: Website,
) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    for browser in (await website.sign_in("wang"), website.browser()):
        for path in PAGES:
            async with browser.http.get(
                website.url + path, headers={"Accept": "text/html"}
            ) as answer:
                policy = answer.headers["Content-Security-Policy"]
                page = await answer.text()
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert "frame-ancestors 'self' https://work.weixin.qq.com" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            inline = Inline()
            inline.found = []
            inline.feed(page)
            assert inline.found == [], path
            assert '<html lang="zh-CN">' in page
            assert page.count("<h1") == 1, path


async def test_scripts_and_styles_are_kept_by_browsers_for_ever(website: Website) -> None:
    page = (await website.browser().get("/in"))[1]
    assets = set(re.findall(r"/assets/[\w.-]+", page))
    assert len(assets) >= 4
    async with aiohttp.ClientSession(website.url) as http:
        for path in assets:
            async with http.get(path) as answer:
                assert answer.status == 200
                assert "immutable" in answer.headers["Cache-Control"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/assets/manifest.json", "/assets/..%2f..%2fgendan.toml"):
            async with http.get(path) as answer:
                assert answer.status == 404


async def test_a_long_stream_comes_in_pages_without_gap_or_repetition(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    for number in range(64):  # several share a moment
        website.chat.now += timedelta(minutes=number % 3)
        await website.entry(account, number)
    browser = await website.sign_in("zhang")
    seen: list[str] = []
    page = (await browser.get(f"/customers/{account.id}"))[1]
    sizes = []
    while True:
        entries = ENTRY.findall(page)
        sizes.append(len(entries))
        seen += [re.search(r"第\d+次通话|第一次通话", entry)[0] for entry in entries]  # type: ignore[index]
        onward = MORE.search(page)
        if onward is None:
            break
        path = onward["path"].replace("&amp;", "&")
        status, page = await browser.get(path, **{"HX-Request": "true"})
        assert status == 200
        assert "<html" not in page
        whole = (await browser.get(path))[1]  # without the script the link opens a page
        assert "更早的动态" in whole
    assert sizes == [30, 30, 5]
    assert seen == [f"第{number}次通话" for number in reversed(range(64))] + ["第一次通话"]


async def test_an_old_entry_without_words_says_how_long_they_are_kept(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    async with website.chat.database.begin() as tx:
        (deal,) = await tx.opportunities.of_account(account.id)
        await tx.opportunities.save(replace(deal, state=OpportunityState.LOST))
    website.chat.now += timedelta(days=4 * 366)
    async with website.chat.database.begin() as tx:
        before = website.chat.now - timedelta(days=1)
        await tx.old_history.go_on("activities", before=before, at=website.chat.now)
    browser = await website.sign_in("zhang")
    page = (await browser.get(f"/customers/{account.id}"))[1]
    assert "第一次通话" not in page
    assert "首次电话" in page
    assert "（满3年，原话不再保留）" in page


@pytest.mark.parametrize("query", ["?kind=nonsense", "?before=x", "?before=2026-01-01~5"])
async def test_an_address_that_was_tampered_with_is_told_so(website: Website, query: str) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    browser = await website.sign_in("zhang")
    status, page = await browser.get(f"/customers/{account.id}{query}")
    assert status == 400
    assert "<h1>这个地址不完整</h1>" in page


async def test_the_stream_is_filtered_by_kind(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.entry(account, 1, unit="visit", title="面访纪要", text="看了两条线")
    await website.entry(account, 2, unit="", title="合同登记", text="HT-1")
    await website.entry(account, 3, data=b"%PDF-1.4", name="方案.pdf", text="发了方案")
    for number, title in enumerate(("企业微信聊天", "来信", "沟通记录"), 4):
        await website.entry(account, number, unit="", title=title, text="说好周五定")
    browser = await website.sign_in("zhang")
    said = {"": 7, "call": 2, "visit": 1, "message": 3, "other": 1, "file": 1, "offer": 0}
    for kind, count in said.items():
        page = (await browser.get(f"/customers/{account.id}?kind={kind}"))[1]
        assert len(ENTRY.findall(page)) == count, kind
    assert "没有这类动态" in page


async def test_what_people_wrote_is_text_and_nothing_else(website: Website) -> None:
    name = "<img src=x onerror=alert(1)>公司"
    account = await website.chat.customer(name, "zhang")
    await website.entry(account, 1, text="</p><script>alert(1)</script>", title="a\" onclick='x'")
    browser = await website.sign_in("zhang")
    for path in ("/customers", f"/customers/{account.id}"):
        page = (await browser.get(path))[1]
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


async def test_a_recording_is_played_with_what_was_understood(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    sound = b"ID3" + bytes(range(200))
    entry = await website.entry(account, 1, data=sound, name="语音.mp3", text="王总嫌价格高")
    browser = await website.sign_in("zhang")
    page = (await browser.get(f"/customers/{account.id}"))[1]
    address = f"/customers/{account.id}/entries/{entry.id}/files/0"
    assert f'<audio controls preload="none" src="{address}"' in page
    assert "<blockquote>王总嫌价格高</blockquote>" in page
    async with browser.http.get(website.url + address) as answer:
        assert await answer.read() == sound
        assert answer.headers["Content-Type"] == "audio/mpeg"
        assert answer.headers["Content-Disposition"].startswith("inline")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    wanted = {"Range": "bytes=3-6"}
    async with browser.http.get(website.url + address, headers=wanted) as answer:
        assert (answer.status, await answer.read()) == (206, sound[3:7])
        assert answer.headers["Content-Range"] == f"bytes 3-6/{len(sound)}"
    async with browser.http.get(website.url + address, headers={"Range": "bytes=900-"}) as answer:
        assert answer.status == 416


async def test_a_file_that_cannot_be_had_now_says_so(
    database: Database, tmp_path: Path, object_store: ObjectStore
) -> None:
    async with Misbehaving(object_store).running() as weak:
        files = open_files(weak.bucket("pages", timeout_s=0.5))
        async with serving(database, tmp_path, files=files) as website:
            account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
            entry = await website.entry(account, 1, data=b"%PDF-1.7", name="报价.pdf")
            browser = await website.sign_in("zhang")
            address = f"/customers/{account.id}/entries/{entry.id}/files/0"
            weak.refuses(503, "SlowDown")
            status, page = await browser.get(address)
            assert status == 503
            assert "文件存储暂时用不了" in page
            assert "SlowDown" not in page
            weak.recovers()
            assert (await browser.get(address))[0] == 200


@pytest.mark.parametrize("name", ["说明.html", "图.svg", "宏.docm"])
async def test_a_file_that_could_act_is_only_fetched(website: Website, name: str) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    data = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    entry = await website.entry(account, 1, data=data, name=name)
    browser = await website.sign_in("zhang")
    address = f"{website.url}/customers/{account.id}/entries/{entry.id}/files/0"
    async with browser.http.get(address) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_deal_tells_how_it_came_to_where_it_is(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.say("zhang", "恒锐机电退回到方案，客户换了负责人")
    deal = await website.chat.deal(account)
    assert deal.stage == "proposal"
    page = (await (await website.sign_in("zhang")).get(f"/opportunities/{deal.id}"))[1]
    moves = page[page.index("阶段历史</h2>") :]
    assert "报价 → 方案" in moves
    assert "原因：客户换了负责人" in moves
    assert "第3步" in page


async def test_an_address_that_nobody_serves_is_a_page_for_a_browser_alone(
    website: Website,
) -> None:
    browser = website.browser()
    status, page = await browser.get("/nowhere")
    assert (status, "没有找到" in page) == (404, True)
    async with browser.http.get(website.url + "/nowhere") as answer:
        assert answer.status == 404
        assert "<html" not in await answer.text()


async def test_without_a_front_end_the_pages_say_what_is_missing(
    database: Database, tmp_path: Path
) -> None:
    async with serving(database, tmp_path / "files", assets=tmp_path) as website:
        browser = await website.sign_in("zhang")
        for path in ("/customers", "/nowhere"):
            page = (await browser.get(path))[1]
            assert "网页还没有构建" in page
            assert "make web/build/manifest.json" in page


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.05)


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    told = ""
    async for line in answer.content:
        told += line.decode()
        if told.endswith("\n\n"):
            yield told
            told = ""


@pytest.mark.usefixtures("_soon")
async def test_the_big_screen_is_told_what_changed_until_the_session_ends(
    website: Website,
) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    browser = await website.sign_in("li")
    assert "李敏团队" in (await browser.get("/"))[1]
    async with asyncio.timeout(20), browser.http.get(f"{website.url}/live") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        await website.chat.later(days=6)  # a light rises, and the day is another one
        event = await anext(_events(answer))
        assert event.startswith("event: screen\n")
        assert 'data-tone="red"' in event
        async with website.chat.database.begin() as tx:
            await tx.page_sessions.end_all_of(
                website.chat.people["li"].id, at=website.chat.now, why="left"
            )
        async for _ in _events(answer):
            pass  # the stream comes to its end


async def test_the_big_screen_names_no_person_but_as_a_team_and_no_pay(website: Website) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    page = (await (await website.sign_in("wang")).get("/"))[1]
    shown = page[page.index("<main") :]
    assert "李敏团队" in shown
    for word in ("张伟", "陈静", "提成", "奖金", HENGRUI):
        assert word not in shown
