"""Who sees what: on pages exactly what they see in chat, whatever number they type."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from tests.pages.website import Website

HENGRUI = "杭州恒锐机电有限公司"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def _as(website: Website, who: str, role: Role) -> None:
    async with website.chat.database.begin() as tx:
        await tx.people.set_roles(website.chat.people[who].id, [role])


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_the_customers_that_it_sees_in_chat(
    website: Website, role: Role
) -> None:
    """陈静 has nothing to do with the customer but the role."""
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    deal = await website.chat.deal(account)
    entry = await website.entry(account, 1, data=PNG, name="现场.png")
    await _as(website, "chen", role)
    in_chat = "看不到" not in await website.chat.say("chen", "客户 恒锐机电")
    browser = await website.sign_in("chen")
    for path in (
        f"/customers/{account.id}",
        f"/customers/{account.id}?kind=call",
        f"/customers/{account.id}?before={website.chat.now.isoformat().replace('+', '%2B')}~99",
        f"/customers/{account.id}/entries/{entry.id}/files/0",
        f"/opportunities/{deal.id}",
    ):
        status = await browser.status(path)
        assert status == (200 if in_chat else 404), path


async def test_what_is_not_theirs_looks_like_what_is_not_there(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    browser = await website.sign_in("chen")
    foreign, missing = [
        (await browser.get(f"/customers/{number}"))[1] for number in (account.id, 987654)
    ]
    assert HENGRUI not in foreign
    assert foreign == missing


async def test_the_leader_of_the_owner_and_who_stands_in_may_see_it(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    li, chen = await website.sign_in("li"), await website.sign_in("chen")
    assert await li.status(f"/customers/{account.id}") == 200
    assert await chen.status(f"/customers/{account.id}") == 404
    await website.chat.say("li", "张伟请假到周五，陈静代")
    assert await chen.status(f"/customers/{account.id}") == 200


async def test_the_pool_is_everybodys(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.say("zhang", "放回公海 恒锐机电 跟不动了")
    chen = await website.sign_in("chen")
    status, page = await chen.get(f"/customers/{account.id}")
    assert status == 200
    assert "公海（原张伟）" in page


async def test_a_file_is_not_had_by_way_of_another_customer(website: Website) -> None:
    theirs = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    entry = await website.entry(theirs, 1, data=PNG, name="现场.png")
    own = await website.chat.customer("宁波甬江轴承有限公司", "chen")
    chen = await website.sign_in("chen")
    assert await chen.status(f"/customers/{own.id}/entries/{entry.id}/files/0") == 404
    zhang = await website.sign_in("zhang")
    assert await zhang.status(f"/customers/{theirs.id}/entries/{entry.id}/files/0") == 200
    assert await zhang.status(f"/customers/{theirs.id}/entries/{entry.id}/files/1") == 404


LEADING = {Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN}


READERS = {
    "/": LEADING,
    "/live": LEADING,
    "/diagnosis": LEADING,
    "/refusals": {*LEADING, Role.PRODUCT},
    "/customers": set(Role),
}


@pytest.mark.parametrize("role", list(Role))
async def test_pages_of_a_role(website: Website, role: Role) -> None:
    await _as(website, "chen", role)
    browser = await website.sign_in("chen")
    for path, readers in READERS.items():
        async with browser.http.get(website.url + path) as answer:
            assert answer.status == (200 if role in readers else 403), path


async def test_a_supervisor_sees_the_own_team_on_the_big_screen_and_no_other(
    website: Website,
) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.customer("宁波甬江轴承有限公司", "wang")
    await _as(website, "zhao", Role.SUPERVISOR)
    own = (await (await website.sign_in("li")).get("/"))[1]
    other = (await (await website.sign_in("zhao")).get("/"))[1]
    assert "李敏团队" in own
    assert "李敏团队" not in other
    assert "团队还没有商机" in other


async def test_a_list_holds_the_own_customers_and_for_a_leader_those_of_the_team(
    website: Website,
) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.chat.customer("宁波甬江轴承有限公司", "chen")
    seen = {}
    for who in ("zhang", "chen", "li", "zhao"):
        page = (await (await website.sign_in(who)).get("/customers"))[1]
        seen[who] = (HENGRUI in page, "宁波甬江轴承有限公司" in page)
    assert seen == {
        "zhang": (True, False),
        "chen": (False, True),
        "li": (True, True),
        "zhao": (True, True),
    }


async def test_every_denial_is_audited(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    chen = await website.sign_in("chen")
    await chen.get(f"/customers/{account.id}")
    await chen.get("/diagnosis")
    who = f"person:{website.chat.people['chen'].id}"
    assert await website.audited("page_denied") == [
        (who, f"page:/customers/{account.id}"),
        (who, "page:/diagnosis"),
    ]


@pytest.mark.parametrize(
    "path", ["/", "/live", "/customers", "/customers/1", "/opportunities/1", "/refusals",
             "/diagnosis", "/customers/1/entries/1/files/0"],
)  # fmt: skip
async def test_nobody_who_is_not_signed_in_sees_anything(website: Website, path: str) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await website.entry(account, 1, data=PNG, name="现场.png")
    status, page = await website.browser().get(path)
    assert status == 401
    assert HENGRUI not in page
