"""From a word in the chat to a page, and out again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.people import Directory
from handlers.people import directory
from storage.database import Database
from tests.pages.website import Website, serving

HENGRUI = "杭州恒锐机电有限公司"


async def test_a_link_from_the_chat_opens_the_customers_page(website: Website) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    link = await website.link("zhang", "网页 恒锐机电")
    browser = website.browser()
    status, door = await browser.get(link)
    assert status == 200
    assert HENGRUI not in door, "whoever only looks into the link sees nothing"
    status, page = await browser.post("/in", ticket=link.removeprefix("/in/"))
    assert status == 200
    assert f"<h1>{HENGRUI}" in page


async def test_the_button_on_a_customers_card_gives_the_link_too(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.say("zhang", "客户 恒锐机电")
    told = await website.chat.press("zhang", website.chat.card(), "打开网页")
    assert f"打开{HENGRUI}" in told
    assert "10分钟" in told
    async with website.chat.database.read() as tx:
        ticket = await tx.page_sessions.find_ticket(told.split("/in/")[1].split(")")[0])
    assert ticket is not None
    assert ticket.path == f"/customers/{account.id}"


async def test_a_link_opens_once(website: Website) -> None:
    link = await website.link("zhang")
    for _ in range(3):  # chat programs look into links
        assert (await website.browser().get(link))[0] == 200
    ticket = link.removeprefix("/in/")
    assert (await website.browser().post("/in", ticket=ticket))[0] == 200
    status, page = await website.browser().post("/in", ticket=ticket)
    assert status == 401
    assert "链接已经失效" in page


async def test_a_link_is_good_for_ten_minutes(website: Website) -> None:
    ticket = (await website.link("zhang")).removeprefix("/in/")
    website.chat.now += timedelta(minutes=10)
    assert (await website.browser().post("/in", ticket=ticket))[0] == 401


async def test_an_old_link_still_leads_whom_it_was_given_to_and_who_is_signed_in(
    website: Website,
) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    link = await website.link("zhang", "网页 恒锐机电")
    zhang, chen = await website.sign_in("zhang"), await website.sign_in("chen")
    website.chat.now += timedelta(days=1)
    assert HENGRUI in (await zhang.get(link))[1]
    assert HENGRUI not in (await chen.get(link))[1]


async def test_leaders_are_led_to_the_big_screen_and_others_to_their_customers(
    website: Website,
) -> None:
    assert "大屏" in (await website.chat.say("li", "看板"))
    assert "我的客户" in (await website.chat.say("zhang", "看板"))


async def test_in_a_group_the_link_goes_to_the_asker_alone(website: Website) -> None:
    await website.chat.say("zhang", "网页", group="华东销售群")
    assert "/in/" in website.chat.heard_by("zhang")
    assert "/in/" not in website.chat.heard_in("华东销售群")


async def test_nobody_gets_a_link_to_a_customer_they_may_not_see(website: Website) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    assert "看不到" in await website.chat.say("chen", "网页 恒锐机电")


@pytest.mark.parametrize("public_url", ["", "https://gendan.example"])
async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(
    database: Database, tmp_path: Path, public_url: str
) -> None:
    async with serving(database, tmp_path, public_url=public_url) as website:
        ticket = (await website.link("zhang")).removeprefix("/in/")
        browser = website.browser()
        answer = await browser.http.post(
            f"{website.url}/in", data={"ticket": ticket}, allow_redirects=False
        )
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) == bool(public_url)
        assert cookie.startswith("__Host-") == bool(public_url)


async def test_what_opens_pages_does_not_stand_in_the_database(website: Website) -> None:
    link = await website.link("zhang")
    browser = await website.sign_in("zhang")
    secrets = [link.removeprefix("/in/")]
    secrets += [cookie.value for cookie in browser.http.cookie_jar]
    assert len(secrets) == 2
    async with website.chat.database.read() as tx:
        for table in ("page_tickets", "page_sessions"):
            rows = await tx.delivery._conn.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
            stored = str(rows.all())
            assert not any(secret in stored for secret in secrets)


async def test_who_leaves_sees_nothing_from_that_moment_on(website: Website) -> None:
    browser = await website.sign_in("zhang")
    unused = (await website.link("zhang")).removeprefix("/in/")
    assert await browser.status("/customers") == 200
    gone = Directory("wecom", whole=False, left_user_ids=("zhang",))
    async with website.chat.database.begin() as tx:
        await directory.save(tx, website.chat.office, gone, website.chat.now)
    assert await browser.status("/customers") == 401
    assert (await website.browser().post("/in", ticket=unused))[0] == 401


async def test_a_session_ends_after_a_week(website: Website) -> None:
    browser = await website.sign_in("zhang")
    website.chat.now += timedelta(days=6, hours=23)
    assert await browser.status("/customers") == 200
    website.chat.now += timedelta(hours=1)
    status, page = await browser.get("/customers")
    assert status == 401
    assert "登录已经结束" in page


async def test_signing_out_ends_the_session_on_the_server(website: Website) -> None:
    browser = await website.sign_in("zhang")
    cookies = {cookie.key: cookie.value for cookie in browser.http.cookie_jar}
    await browser.post("/out", form_key=await browser.form_key())
    stolen = website.browser()
    stolen.http.cookie_jar.update_cookies(cookies)
    assert await stolen.status("/customers") == 401


@pytest.mark.parametrize("trick", ["no key", "wrong key", "other site"])
async def test_a_form_of_another_site_does_nothing(website: Website, trick: str) -> None:
    browser = await website.sign_in("zhang")
    key = {"no key": "", "wrong key": "x" * 43}.get(trick) or ""
    if trick == "other site":
        key = await browser.form_key()
    origin = "https://elsewhere.example" if trick == "other site" else ""
    status, _ = await browser.post("/out", origin, form_key=key)
    assert status == 403
    assert await browser.status("/customers") == 200


async def test_another_site_cannot_sign_somebody_in_as_somebody_else(website: Website) -> None:
    ticket = (await website.link("chen")).removeprefix("/in/")
    victim = website.browser()
    status, _ = await victim.post("/in", "https://elsewhere.example", ticket=ticket)
    assert status == 401
    assert await victim.status("/customers") == 401


async def test_signing_in_and_out_stands_in_the_audit_chain(website: Website) -> None:
    browser = await website.sign_in("zhang")
    await browser.post("/out", form_key=await browser.form_key())
    who = f"person:{website.chat.people['zhang'].id}"
    assert [actor for actor, _ in await website.audited("sign_in")] == [who]
    assert [actor for actor, _ in await website.audited("sign_out")] == [who]
