"""Who opens a page in WeCom or DingTalk is signed in by the platform, and nobody else is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain.people import Directory, DirectoryUser
from connectors.sandbox.world import Fault, Member
from handlers.people import directory
from storage.database import Database
from tests.pages.clients import DINGTALK, WECOM, Clients, company
from tests.pages.website import HTML, Browser

HENGRUI = "杭州恒锐机电有限公司"
STATE = re.compile(r'name="state" value="(?P<state>[0-9a-f]{64})"')


@pytest.fixture
async def clients(database: Database, tmp_path: Path) -> AsyncIterator[Clients]:
    async with company(database, tmp_path / "files") as running:
        yield running


async def steps(browser: Browser, path: str) -> tuple[str, str]:
    """Where the page without a session sends the browser, and where the platform sends it."""
    sent = await hop(browser, browser.url + path)
    return sent, await hop(browser, sent)


async def hop(browser: Browser, url: str) -> str:
    async with browser.http.get(url, headers=HTML, allow_redirects=False) as answer:
        assert answer.status in (302, 303), await answer.text()
        return answer.headers["Location"]


async def absolute(browser: Browser, url: str) -> tuple[int, str, str]:
    async with browser.http.get(url, headers=HTML) as answer:
        return answer.status, str(answer.url.relative()), await answer.text()


async def by_dingtalk(clients: Clients, user_id: str, path: str) -> tuple[Browser, int, str]:
    """What the page's script does: a code from the client, and the form."""
    browser = clients.browser("dingtalk", user_id)
    _, page = await browser.get(path)
    found = STATE.search(page)
    assert found is not None, page
    code = clients.dingtalk.webviews.issue(user_id)
    status, text = await browser.post("/in/dingtalk/sales", code=code, state=found["state"])
    return browser, status, text


async def on_dingtalk(clients: Clients) -> None:
    """吴磊 works there."""
    clients.world.members.append(Member("wulei", "吴磊", "dingtalk", ["rep"], "1"))
    users = (DirectoryUser("wulei", "吴磊"),)
    chat = clients.website.chat
    async with chat.database.begin() as tx:
        await directory.save(
            tx, chat.office, Directory("dingtalk", users=users, whole=False), chat.now
        )


async def denials(clients: Clients) -> list[str]:
    return [actor for actor, _ in await clients.website.audited("sign_in_denied")]


async def test_in_wecom_the_page_that_was_wanted_opens(clients: Clients) -> None:
    account = await clients.website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    browser = clients.browser("wecom", "zhang")
    path = f"/customers/{account.id}?kind=call"
    status, landed, page = await absolute(browser, browser.url + path)
    assert status == 200
    assert landed == path, "neither code nor state stay in the address"
    assert f"<h1>{HENGRUI}" in page
    who = f"person:{clients.website.chat.people['zhang'].id}"
    assert [actor for actor, _ in await clients.website.audited("sign_in")] == [who]


async def test_in_dingtalk_too(clients: Clients) -> None:
    await on_dingtalk(clients)
    browser, status, page = await by_dingtalk(clients, "wulei", "/customers")
    assert status == 200
    assert "吴磊" in page
    assert await browser.status("/customers") == 200


async def test_elsewhere_it_is_explained_how_to_get_a_link(clients: Clients) -> None:
    status, page = await clients.website.browser().get("/customers")
    assert status == 401
    assert "请从聊天里打开" in page


async def test_parts_and_streams_and_forms_are_not_sent_away(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    assert (await browser.get("/customers", **{"HX-Request": "true"}))[0] == 401
    assert (await browser.get("/live", Accept="text/event-stream"))[0] == 401
    assert (await browser.post("/out"))[0] == 401


async def test_a_state_is_good_in_its_browser_alone(clients: Clients) -> None:
    _, back = await steps(clients.browser("wecom", "chen"), "/customers")
    victim = clients.browser("wecom", "zhang")
    status, _, page = await absolute(victim, back)
    assert status == 401
    assert "这次没能登录" in page
    assert "authorize" in await hop(victim, victim.url + "/customers"), "they are not signed in"


async def test_a_state_is_good_once(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    _, back = await steps(browser, "/customers")
    kept = {one.key: one.value for one in browser.http.cookie_jar}
    assert (await absolute(browser, back))[0] == 200
    thief = clients.browser("wecom", "zhang")
    thief.http.cookie_jar.update_cookies(
        {key: value for key, value in kept.items() if "-in-" in key}
    )
    code = clients.wecom.webviews.issue("zhang")
    again = re.sub(r"code=[\w-]+", f"code={code}", back)
    status, _, page = await absolute(thief, again)
    assert status == 403
    assert "已经用过" in page
    assert await denials(clients) == ["wecom:zhang"]


async def test_of_two_at_once_one_gets_in(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    _, back = await steps(browser, "/customers")
    codes = [clients.wecom.webviews.issue("zhang") for _ in range(2)]
    urls = [re.sub(r"code=[\w-]+", f"code={code}", back) for code in codes]
    asked = [browser.http.get(url, headers=HTML, allow_redirects=False) for url in urls]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [303, 403]


async def test_an_errand_ends_after_ten_minutes(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    sent = await hop(browser, browser.url + "/customers")
    clients.website.chat.now += timedelta(minutes=10)
    status, _, page = await absolute(browser, await hop(browser, sent))
    assert status == 401
    assert "再打开一次" in page


async def test_who_reloads_the_address_they_came_back_by_is_led_on(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    _, back = await steps(browser, "/customers")
    assert (await absolute(browser, back))[0] == 200
    assert (await absolute(browser, back))[:2] == (200, "/customers")


async def test_pages_opened_side_by_side_all_open(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    backs = [(await steps(browser, path))[1] for path in ("/customers", "/refusals", "/side")]
    for back, path in zip(backs, ("/customers", "/refusals", "/side"), strict=True):
        status, landed, _ = await absolute(browser, back)
        assert landed == path
        assert status in (200, 403)


@pytest.mark.parametrize(
    "path",
    ["//elsewhere.example/", "/\\elsewhere.example", "/%2F%2Felsewhere.example", "///x.example"],
)
async def test_nobody_is_led_to_another_site(clients: Clients, path: str) -> None:
    browser = clients.browser("wecom", "zhang")
    where = browser.url + path
    for _ in range(4):
        async with browser.http.get(where, headers=HTML, allow_redirects=False) as answer:
            where = answer.headers.get("Location", "")
        if not where:
            break
        where = browser.url + where if where.startswith("/") else where
        assert urlsplit(where).netloc == urlsplit(browser.url).netloc


async def test_the_way_back_named_to_the_platform_is_ours(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    headers = {**HTML, "Host": "elsewhere.example"}
    async with browser.http.get(
        browser.url + "/customers", headers=headers, allow_redirects=False
    ) as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["redirect_uri"] == [f"{browser.url}/in/wecom/sales"]
    assert query["scope"] == ["snsapi_base"]


async def test_a_person_who_left_is_refused_and_it_is_audited(clients: Clients) -> None:
    chat = clients.website.chat
    inside = clients.browser("wecom", "zhang")
    assert (await inside.get("/customers"))[0] == 200
    gone = Directory("wecom", whole=False, left_user_ids=("zhang",))
    async with chat.database.begin() as tx:
        await directory.save(tx, chat.office, gone, chat.now)
    status, page = await inside.get("/customers")  # the old session ended; the platform vouches
    assert status == 403
    assert "已停用" in page
    assert await denials(clients) == ["wecom:zhang"]


async def test_strangers_are_refused_and_it_is_audited(clients: Clients) -> None:
    clients.world.members.append(Member("newcomer", "新人", "wecom", ["rep"], "1"))
    status, page = await clients.browser("wecom", "newcomer").get("/customers")
    assert (status, "还没有认出你是谁" in page) == (403, True)
    status, page = await clients.browser("wecom", "wmOutsider").get("/customers")
    assert (status, "只给公司成员看" in page) == (403, True)
    assert await denials(clients) == ["wecom:newcomer", "wecom:oOutsider"]


async def test_a_platform_that_is_away_or_refuses_is_told_in_plain_words(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    for errcode, status, words in ((-1, 503, "平台现在没有回应"), (60020, 502, "告诉管理员")):
        clients.world.faults.append(Fault("wecom", "auth/getuserinfo", errcode=errcode))
        got, page = await clients.browser("wecom", "zhang").get("/customers")
        assert (got, words in page) == (status, True)
    assert "企业可信IP" in caplog.text
    assert "企业可信IP" not in page


async def test_a_code_that_is_no_good_is_no_way_in(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    _, back = await steps(browser, "/customers")
    status, _, page = await absolute(browser, re.sub(r"code=[\w-]+", "code=guessed", back))
    assert (status, "这次没能登录" in page) == (401, True)
    await on_dingtalk(clients)
    ding = clients.browser("dingtalk", "wulei")
    found = STATE.search((await ding.get("/customers"))[1])
    assert found is not None
    for fields in ({"code": "guessed"}, {"code": ""}, {"code": "x" * 600}):
        assert (await ding.post("/in/dingtalk/sales", state=found["state"], **fields))[0] == 401


async def test_a_form_of_another_site_signs_nobody_in(clients: Clients) -> None:
    await on_dingtalk(clients)
    browser = clients.browser("dingtalk", "wulei")
    found = STATE.search((await browser.get("/customers"))[1])
    assert found is not None
    code = clients.dingtalk.webviews.issue("wulei")
    status, _ = await browser.post(
        "/in/dingtalk/sales", "https://elsewhere.example", code=code, state=found["state"]
    )
    assert status == 404


async def test_each_platform_has_its_own_way_back(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    assert await browser.status("/in/dingtalk/sales?code=a&state=b") == 404
    assert (await browser.post("/in/wecom/sales", code="a", state="b"))[0] == 404
    assert await browser.status("/in/wecom/other?code=a&state=b") == 404


async def signatures(browser: Browser, url: str) -> tuple[int, dict[str, Any]]:
    params = {"url": url}
    async with browser.http.get(f"{browser.url}/client/signatures", params=params) as answer:
        told: dict[str, Any] = await answer.json() if answer.status == 200 else {}
        return answer.status, told


async def test_only_our_own_pages_are_signed_and_only_for_visitors(clients: Clients) -> None:
    browser = clients.browser("wecom", "zhang")
    assert (await signatures(browser, browser.url + "/customers"))[0] == 401
    assert await browser.status("/customers") == 200
    status, signed = await signatures(browser, browser.url + "/customers?a=1#top")
    assert status == 200
    assert set(signed) == {"config", "agentConfig"}
    for url in ("https://elsewhere.example/", "http://127.0.0.1.elsewhere.example/",
                browser.url.replace("http", "https"), "", "/customers"):  # fmt: skip
        assert (await signatures(browser, url))[0] == 403, url
    plain = await clients.website.sign_in("zhang")
    assert (await signatures(plain, browser.url + "/"))[0] == 403


async def test_the_platforms_script_is_allowed_on_pages_that_need_it_alone(
    clients: Clients,
) -> None:
    account = await clients.website.chat.customer(HENGRUI, "zhang")

    async def policy(browser: Browser, path: str) -> str:
        async with browser.http.get(browser.url + path, headers=HTML) as answer:
            scripts = answer.headers["Content-Security-Policy"].split("script-src ")[1]
            return scripts.split(";")[0]

    ours, wecom = clients.website.url, clients.browser("wecom", "zhang")
    assert await policy(wecom, f"/customers/{account.id}") == f"'self' {ours}"
    assert await policy(wecom, "/side") == f"'self' {ours}"
    assert await policy(wecom, "/customers") == "'self'"
    plain = await clients.website.sign_in("zhang")
    assert await policy(plain, f"/customers/{account.id}") == "'self'"


@pytest.mark.parametrize(
    ("agent", "platform"),
    [
        (WECOM, "wecom"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/108 wxwork/5.0.0 (MicroMessenger/6.2)", "wecom"),
        (DINGTALK, "dingtalk"),
        (
            "Mozilla/5.0 (Windows NT 10.0) dingtalk-win/1.0.0 DingTalk(7.6.15)",
            "dingtalk",
        ),
        ("Mozilla/5.0 (iPhone) MicroMessenger/8.0.40", ""),
        ("", ""),
    ],
)
async def test_the_client_is_known_by_how_it_calls_itself(
    clients: Clients, agent: str, platform: str
) -> None:
    browser = clients.website.browser()
    headers = {**HTML, "User-Agent": agent}
    async with browser.http.get(
        f"{browser.url}/customers", headers=headers, allow_redirects=False
    ) as answer:
        sent, page = answer.headers.get("Location", ""), await answer.text()
    assert ("oauth2/authorize" in sent) == (platform == "wecom")
    assert ("data-sign-in" in page) == (platform == "dingtalk")
