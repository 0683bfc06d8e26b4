"""Customers out of an ERP: proposed, accepted by the page, never linked silently."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from connectors.sandbox.kingdee import CUSTOMERS
from storage.database import Database
from tests.handlers.erp_company import HENGRUI, ErpCompany, erp_company

CODE = "91330100799655058B"


@pytest.fixture
async def company(database: Database) -> AsyncIterator[ErpCompany]:
    async with erp_company(database) as found:
        yield found


async def linked(company: ErpCompany) -> dict[str, str | None]:
    """Every customer of the ERP, and which of ours it is."""
    async with company.chat.database.begin() as tx:
        known = await tx.erp_customers.known("main", ["K1", "K2", "K3", "K4"])
        return {
            code: (await tx.accounts.get(one.account_id)).name if one.account_id else None
            for code, one in known.items()
        }


async def test_a_customer_of_the_erp_is_proposed_and_linked_by_a_press(company: ErpCompany) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    company.erp.know("K1", "恒锐机电(杭州)有限公司", credit_code=CODE)
    await company.read()
    assert await linked(company) == {"K1": None}
    assert "ERP客户" in "".join(company.said_of("erp-customers"))
    shown = await chat.say("zhao", "ERP客户")
    assert f"K1 恒锐机电(杭州)有限公司 → {HENGRUI}" in shown
    assert "已关联1个" in await chat.press("zhao", chat.card("zhao"), "接受以上1个")
    assert await linked(company) == {"K1": HENGRUI}
    card = await chat.say("zhang", "客户 恒锐机电")
    assert "ERP编码：K1" in card
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name(HENGRUI)
        assert account is not None
        assert account.credit_code == CODE
        assert "恒锐机电(杭州)有限公司" in account.aliases
        assert await tx.audit.verify() is None
    assert len(await company.titles()) == 1


async def test_only_administrators_and_the_director_say(company: ErpCompany) -> None:
    assert "管理员" in await company.chat.say("zhang", "ERP客户")
    assert "没有待确认" in await company.chat.say("wang", "ERP客户")


async def test_told_again_nothing_happens_and_a_change_is_shown(company: ErpCompany) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    company.erp.know("K1", HENGRUI)
    await company.read()
    await chat.say("zhao", "ERP客户 K1 是 恒锐机电")
    for _ in range(2):
        chat.now += timedelta(minutes=10)
        await company.read()
    assert len(await company.titles()) == 1
    company.erp.books.change(CUSTOMERS, "K1", FName="恒锐智能装备", FForbidStatus="B")
    await company.read()
    changed = (await company.titles())[-1]
    assert f"名称 {HENGRUI} → 恒锐智能装备" in changed
    assert "停用" in changed
    assert "K1（已停用）" in await chat.say("zhang", "客户 恒锐机电")


async def test_a_page_accepts_what_it_showed_and_nothing_that_changed_meanwhile(
    company: ErpCompany,
) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    await chat.customer("宁波甬江轴承有限公司")
    company.erp.know("K1", "恒锐机电")
    company.erp.know("K2", "甬江轴承")
    await company.read()
    await chat.say("zhao", "ERP客户")
    page = chat.card("zhao")
    await chat.say("wang", "ERP客户 K2 不要")
    told = await chat.press("zhao", page, "接受以上2个")
    assert "已关联1个，1个已变动" in told
    assert await linked(company) == {"K1": HENGRUI, "K2": None}
    assert "处理过" in await chat.press("zhao", page, "accept")


async def test_all_of_the_same_credit_code_are_accepted_at_once(company: ErpCompany) -> None:
    chat = company.chat
    codes = ("91330100799655058B", "91350100M000100Y43", "91320500000000001W")
    names = ("恒锐机电", "甬江轴承", "南湖铸造")
    for name, code in zip(names, codes, strict=True):
        account = await chat.customer(f"杭州{name}有限公司")
        async with chat.database.begin() as tx:
            await tx.accounts.identify(account.id, credit_code=code)
    for place, code in enumerate(codes, 1):
        company.erp.know(f"K{place}", f"另一个名字{place}号", credit_code=code)
    await company.read()
    shown = await chat.say("zhao", "ERP客户")
    assert shown.count("同一统一信用代码") == 3
    await chat.press("zhao", chat.card("zhao"), "codes")
    assert set((await linked(company)).values()) == {f"杭州{name}有限公司" for name in names}


async def test_nobody_like_it_is_created_in_the_pool_only_when_somebody_says_so(
    company: ErpCompany,
) -> None:
    chat = company.chat
    company.erp.know("K1", "天目湖精密工业有限公司", credit_code=CODE, phone="0571-87654321")
    await company.read()
    async with chat.database.begin() as tx:
        assert await tx.accounts.find_by_name("天目湖精密工业有限公司") is None
    assert "在册客户里没有像的" in await chat.say("zhao", "ERP客户")
    assert "已新建1个" in await chat.press("zhao", chat.card("zhao"), "新建以上1个")
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name("天目湖精密工业有限公司")
        assert account is not None
        assert account.in_pool_since is not None
        assert (account.credit_code, account.phone) == (CODE, "+8657187654321")
        assert await tx.opportunities.of_account(account.id) == []


async def test_policy_may_link_by_the_credit_code_and_create_the_rest(company: ErpCompany) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    async with chat.database.begin() as tx:
        await tx.accounts.identify(account.id, credit_code=CODE)
    company.work_by(link_same_code=True, create_unknown=True)
    company.erp.know("K1", "恒锐智能", credit_code=CODE)
    company.erp.know("K2", "天目湖精密工业有限公司")
    company.erp.know("K3", "恒锐机电")
    await company.read()
    assert await linked(company) == {"K1": HENGRUI, "K2": "天目湖精密工业有限公司", "K3": None}


async def test_a_wrong_link_is_taken_back(company: ErpCompany) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    await chat.customer("宁波甬江轴承有限公司")
    company.erp.know("K1", "恒锐机电")
    await company.read()
    await chat.say("zhao", "ERP客户 K1 是 甬江轴承")
    assert "解除" in await chat.say("zhao", "ERP客户 K1 是 恒锐机电")
    assert "已解除" in await chat.say("zhao", "ERP客户 K1 解除")
    assert "已关联" in await chat.say("zhao", "ERP客户 K1 是 恒锐机电")
    assert await linked(company) == {"K1": HENGRUI}


async def test_a_link_follows_a_merge_of_our_customers(company: ErpCompany) -> None:
    chat = company.chat
    one, other = await chat.customer(HENGRUI), await chat.customer("恒锐机电老厂")
    company.erp.know("K1", "恒锐机电老厂")
    await company.read()
    await chat.say("zhao", "ERP客户 K1 是 恒锐机电老厂")
    async with chat.database.begin() as tx:
        await tx.merges.merge(other.id, one.id, by=chat.people["zhao"].id, at=chat.now)
    assert await linked(company) == {"K1": HENGRUI}


async def test_thousands_are_compared_a_few_at_a_time(company: ErpCompany) -> None:
    for number in range(130):
        company.erp.know(f"N{number}", f"第{number}号采购单位")
    await company.read()
    async with company.chat.database.begin() as tx:
        assert (await tx.erp_customers.counts())["new"] == 30
    await company.read()
    async with company.chat.database.begin() as tx:
        assert "new" not in await tx.erp_customers.counts()
