"""The page beside a conversation in WeCom: the customer of whoever is talked to, or how to say
whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.domain.people import Role
from handlers.customers import duplicates
from handlers.understanding.names import places
from storage.database import Database
from tests.pages.website import Browser, Website, serving

HENGRUI, YONGJIANG = "杭州恒锐机电有限公司", "宁波甬江轴承有限公司"
CONTACT, GROUP = "wmWang", "wrLine"
BESIDE = f"/side/contact/{CONTACT}"


@pytest.fixture
async def website(database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    """王总, of no known company, is 张伟's contact, and in a group of hers."""
    async with serving(database, tmp_path / "files") as running:
        contact = ExternalContact("wecom", CONTACT, "王总", company="恒锐机电（杭州）有限公司")
        follow = Follow("wecom", "zhang", CONTACT, remark="恒锐-王总")
        members = (GroupMember("zhang", is_staff=True), GroupMember(CONTACT, is_staff=False))
        group = ChatGroup("wecom", GROUP, "恒锐产线群", "li", members)
        async with database.begin() as tx:
            news = ContactNews("wecom", (contact,), (follow,))
            await tx.external_contacts.save(news, places=places(), at=running.chat.now)
            await tx.chat_groups.save(group, at=running.chat.now)
        yield running


async def customer_of(website: Website, key: str = CONTACT) -> int | None:
    async with website.chat.database.read() as tx:
        return await tx.chat_bindings.customer_of("wecom", key)


async def bound(website: Website, number: int, key: str = CONTACT) -> None:
    kind = ChatKind.CONTACT if key == CONTACT else ChatKind.GROUP
    async with website.chat.database.begin() as tx:
        await tx.chat_bindings.bind(
            [("wecom", key, kind, number, BoundBy.HAND)],
            by=website.chat.people["zhang"].id, at=website.chat.now, source_id=f"test:{key}",
        )  # fmt: skip


async def post(browser: Browser, what: str, customer: int, path: str = BESIDE) -> tuple[int, str]:
    key = await browser.form_key()
    return await browser.post(f"{path}/{what}", form_key=key, customer=str(customer))


async def asked(website: Website) -> list[str]:
    """To whom the bot writes «记一笔»."""
    async with website.chat.database.read() as tx:
        rows = await tx.delivery._conn.execute(text("SELECT address, content FROM outbox"))
    return [row.address for row in rows if "记一笔" in row.content]


async def test_the_customer_of_a_bound_contact_is_shown(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.entry(account, 1, text="嫌价格高")
    await bound(website, account.id)
    status, page = await (await website.sign_in("zhang")).get(BESIDE)
    assert status == 200
    for words in (HENGRUI, "恒锐-王总", "嫌价格高", "下次联系", "还没约", "记一笔跟进"):
        assert words in page
    assert "绑定" not in page


async def test_a_group_has_one_too(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang")
    await bound(website, account.id, GROUP)
    _, page = await (await website.sign_in("li")).get(f"/side/group/{GROUP}")
    assert HENGRUI in page
    assert "恒锐产线群（群）" in page


async def test_whose_customer_it_is_not_sees_nothing_and_that_is_audited(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang")
    for path in (BESIDE, f"/side/group/{GROUP}"):
        status, page = await (await website.sign_in("chen")).get(path)
        assert status == 404
        assert "王总" not in page
        assert "产线群" not in page
    await bound(website, account.id)
    status, page = await (await website.sign_in("chen")).get(BESIDE)
    assert status == 404
    assert HENGRUI not in page
    assert len(await website.audited("page_denied")) == 3


async def test_an_unbound_contact_is_proposed_and_bound_by_one_press(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.customer(YONGJIANG, "zhang")
    await duplicates.file_all(website.chat.database.begin, website.chat.now)
    browser = await website.sign_in("zhang")
    _, page = await browser.get(BESIDE)
    assert "还没有绑定客户" in page
    assert f"绑定到{HENGRUI}" in page
    assert "公司名相同" in page
    assert f">{YONGJIANG}</option>" in page
    status, page = await post(browser, "bind", account.id)
    assert (status, "记一笔跟进" in page) == (200, True)
    assert await customer_of(website) == account.id
    assert len(await website.audited("bind_chat")) == 1
    assert "解绑" in await website.chat.say("zhang", "撤销绑定")
    assert await customer_of(website) is None


async def test_a_group_can_be_bound_by_who_is_in_it(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang")
    browser = await website.sign_in("zhang")
    assert (await post(browser, "bind", account.id, f"/side/group/{GROUP}"))[0] == 200
    assert await customer_of(website, GROUP) == account.id


async def test_nobody_binds_what_is_not_theirs(website: Website) -> None:
    zhangs = await website.chat.customer(HENGRUI, "zhang")
    chens = await website.chat.customer(YONGJIANG, "chen")
    chen, zhang = await website.sign_in("chen"), await website.sign_in("zhang")
    assert (await post(chen, "bind", chens.id))[0] == 404, "another's contact"
    assert (await post(zhang, "bind", chens.id))[0] == 404, "another's customer"
    key = await zhang.form_key()
    assert (await zhang.post(f"{BESIDE}/bind", form_key=key, customer=""))[0] == 400
    assert (await zhang.post(f"{BESIDE}/bind", form_key="x", customer=str(zhangs.id)))[0] == 403
    assert await customer_of(website) is None


async def test_what_is_bound_stays_bound(website: Website) -> None:
    first = await website.chat.customer(HENGRUI, "zhang")
    second = await website.chat.customer(YONGJIANG, "zhang")
    browser = await website.sign_in("zhang")
    assert (await post(browser, "bind", first.id))[0] == 200
    status, page = await post(browser, "bind", second.id)
    assert (status, "已经绑定在" in page) == (409, True)
    assert await customer_of(website) == first.id


async def test_one_press_has_the_bot_ask_for_the_follow_up(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await bound(website, account.id)
    browser = await website.sign_in("zhang")
    status, page = await post(browser, "log", account.id)
    assert (status, "给你发了「记一笔」" in page) == (200, True)
    assert [one.rpartition(":")[2] for one in await asked(website)] == ["zhang"]


async def test_who_may_look_and_not_log_has_no_button(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang")
    await bound(website, account.id)
    async with website.chat.database.begin() as tx:
        await tx.people.set_roles(website.chat.people["chen"].id, [Role.FINANCE])
    browser = await website.sign_in("chen")
    _, page = await browser.get(BESIDE)
    assert HENGRUI in page
    assert "记一笔跟进" not in page
    assert (await post(browser, "log", account.id))[0] == 403
    assert await asked(website) == []


async def test_customers_and_deals_say_how_their_conversations_are_opened(
    website: Website,
) -> None:
    account = await website.chat.customer(HENGRUI, "zhang")
    await bound(website, account.id)
    await bound(website, account.id, GROUP)
    deal = await website.chat.deal(account)
    browser, leader = await website.sign_in("zhang"), await website.sign_in("li")
    for path in (f"/customers/{account.id}", f"/opportunities/{deal.id}"):
        _, page = await browser.get(path)
        assert page.count('data-open="openEnterpriseChat"') == 2
        assert f"&#34;externalUserIds&#34;: [&#34;{CONTACT}&#34;]" in page
        assert f"&#34;chatId&#34;: &#34;{GROUP}&#34;" in page
        assert 'data-copy="恒锐-王总"' in page
        _, page = await leader.get(path)
        assert page.count('data-open="openEnterpriseChat"') == 1, "the contact is a colleague's"
        assert "是张伟的联系人" in page


async def test_outside_the_client_the_side_bar_says_where_it_belongs(website: Website) -> None:
    status, page = await (await website.sign_in("zhang")).get("/side")
    assert (status, "在企业微信里打开和客户的聊天" in page) == (200, True)
