"""Sales orders out of an ERP: whose they are, once in the stream per order and change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from bot.domain.erp import ErpCustomer, ErpOrder, OrderStatus
from connectors.sandbox.kingdee import ORDERS
from storage.database import Database
from tests.handlers.erp_company import HENGRUI, ErpCompany, erp_company

SIGNED = "恒锐机电合同签了，HT-2026-018，35万，预付30%，1月30日前付"


@pytest.fixture
async def company(database: Database) -> AsyncIterator[ErpCompany]:
    """恒锐机电 is K1 there."""
    async with erp_company(database) as found:
        await found.chat.customer(HENGRUI)
        found.erp.know("K1", HENGRUI)
        await found.read()
        await found.chat.say("zhao", "ERP客户 K1 是 恒锐机电")
        yield found


def order(number: str, **changes: object) -> ErpOrder:
    facts = {
        "number": number, "customer_code": "", "customer_name": "恒锐机电", "amount_fen": 100,
        "lines_fen": 100, "line_count": 1, "currency": "CNY", "ordered_on": date(2026, 1, 28),
        "status": OrderStatus.CONFIRMED, **changes,
    }  # fmt: skip
    return ErpOrder(**facts)  # type: ignore[arg-type]


async def test_an_order_stands_on_the_card_and_once_in_the_stream(company: ErpCompany) -> None:
    company.erp.order("XSDD1", "K1", [100_000, 250_000], delivery="2026-03-01")
    for _ in range(3):
        await company.read()
    card = await company.chat.say("zhang", "客户 恒锐机电")
    assert "XSDD1 35万元 2026-01-28 交货2026-03-01 已审核" in card
    assert [one for one in await company.titles() if "订单" in one] == [
        "ERP 订单 XSDD1，35万元 2026-01-28 交货2026-03-01 已审核"
    ]
    async with company.chat.database.begin() as tx:
        [stored], _ = await tx.erp_orders.of_account(1, limit=5)
    assert stored.whose.opportunity_id is not None


async def test_each_change_is_one_entry_that_says_what_changed(company: ErpCompany) -> None:
    company.erp.order("XSDD1", "K1", [350_000], delivery="2026-03-01")
    await company.read()
    company.erp.order("XSDD1", "K1", [360_000], delivery="2026-03-15")
    await company.read()
    company.erp.order("XSDD1", "K1", [350_000], delivery="2026-03-15")
    await company.read()
    company.erp.books.change(ORDERS, "XSDD1", FCancelStatus="B")
    await company.read()
    orders = [one for one in await company.titles() if "订单" in one]
    assert len(orders) == 4
    assert "金额 35万元 → 36万元，交货 2026-03-01 → 2026-03-15" in orders[1]
    assert "金额 36万元 → 35万元" in orders[2]
    assert "状态 已审核 → 已作废" in orders[3]
    assert "不作依据" in orders[3]


async def test_an_order_that_was_never_audited_is_no_news(company: ErpCompany) -> None:
    company.erp.order("XSDD1", "K1", [350_000])
    company.erp.books.change(ORDERS, "XSDD1", FDocumentStatus="B")
    await company.read()
    assert "XSDD1" not in await company.chat.say("zhang", "客户 恒锐机电")
    company.erp.books.change(ORDERS, "XSDD1", FDocumentStatus="C")
    await company.read()
    assert "XSDD1" in await company.chat.say("zhang", "客户 恒锐机电")


async def test_orders_of_an_unknown_customer_wait_and_follow_their_code(
    company: ErpCompany,
) -> None:
    chat = company.chat
    company.erp.know("K2", "恒锐机电二厂")
    company.erp.order("XSDD1", "K2", [100])
    company.erp.order("XSDD2", "K2", [200])
    await company.read()
    assert "财务" in await chat.say("zhang", "待匹配订单")
    assert "XSDD1" in await chat.say("qian", "待匹配订单")
    card = chat.card("qian")
    assert "选客户" in await chat.press("qian", card, "匹配")
    option = card.fields[0].options[0]
    assert option.label == HENGRUI
    assert "已归到" in await chat.press("qian", card, "匹配", customer=option.id)
    assert "没有待匹配" in await chat.say("qian", "待匹配订单")
    assert sum("ERP 订单 " in one for one in await company.titles()) == 2
    assert "已经匹配过" in await chat.press("qian", card, "match", customer=option.id)


async def test_an_order_without_a_code_is_matched_by_words_and_stays(company: ErpCompany) -> None:
    await company.tell(orders=(order("D1"),))
    assert "D1" in await company.chat.say("qian", "待匹配订单")
    assert "已归到" in await company.chat.say("qian", "匹配订单 D1 恒锐机电")
    await company.tell(orders=(order("D1", amount_fen=200, lines_fen=200),))
    assert "D1 2元" in await company.chat.say("zhang", "客户 恒锐机电")


async def test_a_contract_says_whose_an_order_is(company: ErpCompany) -> None:
    chat = company.chat
    await company.tell(orders=(order("D1", contract_number="HT-2026-018", customer_code="K9"),))
    assert "D1" in await chat.say("qian", "待匹配订单")
    await chat.say("zhang", SIGNED)
    await chat.press("zhang", chat.card("zhang"), "确认登记")
    assert "没有待匹配" in await chat.say("qian", "待匹配订单")
    assert "D1" in await chat.say("zhang", "客户 恒锐机电")


async def test_a_contract_of_another_customer_leaves_the_order_to_be_decided(
    company: ErpCompany,
) -> None:
    chat = company.chat
    await chat.customer("宁波甬江轴承有限公司")
    await chat.say("zhang", SIGNED.replace("恒锐机电", "甬江轴承"))
    await chat.press("zhang", chat.card("zhang"), "确认登记")
    company.erp.order("XSDD1", "K1", [100], contract="HT-2026-018")
    await company.read()
    assert "XSDD1" in await chat.say("qian", "待匹配订单")
    assert "是「宁波甬江轴承有限公司」的" in await chat.say("qian", "匹配订单 XSDD1 恒锐机电")


async def test_an_order_that_moves_to_another_customer_is_told_with_both(
    company: ErpCompany,
) -> None:
    await company.chat.customer("宁波甬江轴承有限公司")
    company.erp.know("K2", "甬江轴承")
    company.erp.order("XSDD1", "K1", [100])
    await company.read()
    await company.chat.say("zhao", "ERP客户 K2 是 甬江轴承")
    company.erp.order("XSDD1", "K2", [100])
    await company.read()
    assert "改到了别的客户" in (await company.titles())[-1]
    assert any("XSDD1" in one for one in await company.titles("宁波甬江轴承有限公司"))
    assert "📦" not in await company.chat.say("zhang", "客户 恒锐机电")


async def test_lines_that_do_not_add_up_and_other_currencies_are_no_evidence(
    company: ErpCompany,
) -> None:
    company.erp.order("XSDD1", "K1", [100.0, 200.0], total=310.0)
    company.erp.order("XSDD2", "K1", [100.0], currency="PRE007")
    await company.read()
    card = await company.chat.say("zhang", "客户 恒锐机电")
    assert "明细合计与总额不符，不作依据" in card
    assert "PRE007 100.00" in card


async def test_a_silent_erp_makes_orders_unknown_and_is_told_once(company: ErpCompany) -> None:
    company.erp.order("XSDD1", "K1", [100])
    await company.read()
    company.chat.now += timedelta(hours=3)
    company.away(times=4)
    await company.read()
    await company.read()
    card = await company.chat.say("zhang", "客户 恒锐机电")
    assert "订单自 1月28日(周三) 15:00 起未知" in card
    assert "XSDD1" in card
    told = {one.dedupe_key for one in company.chat.said if ":orders:" in one.dedupe_key}
    assert len(told) == 1
    await company.read()
    assert "起未知" not in await company.chat.say("zhang", "客户 恒锐机电")


async def test_a_row_nobody_understands_is_kept_with_its_reason_and_told_once(
    company: ErpCompany,
) -> None:
    company.erp.order("XSDD1", "K1", [10.005])
    company.erp.order("XSDD2", "K1", [10])
    for _ in range(2):
        await company.read()
    [kept] = company.kept.values()
    assert kept.unreadable is not None
    assert "XSDD1" in kept.unreadable
    assert b"10.005" in kept.body
    told = {one.dedupe_key for one in company.chat.said if "erp-unread" in one.dedupe_key}
    assert len(told) == 1
    assert "XSDD2" in await company.chat.say("zhang", "客户 恒锐机电")


async def test_customers_and_orders_may_be_told_by_a_notification(company: ErpCompany) -> None:
    await company.tell(
        customers=(ErpCustomer("K1", HENGRUI, "91330100799655058B"),),
        orders=(order("D1", customer_code="K1"),),
    )
    await company.tell(orders=(order("D1", customer_code="K1"),))
    assert "统一信用代码 空 → 91330100799655058B" in "".join(await company.titles())
    assert sum("ERP 订单 D1" in one for one in await company.titles()) == 1
