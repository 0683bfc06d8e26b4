"""Signed contracts without an order are told to the ERP, kept in step, and looked after at
night."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.messages import Text
from storage.database import Database
from tests.handlers.erp_company import HENGRUI, ErpCompany, erp_company
from tests.handlers.light_company import at

SIGNED = "恒锐机电合同签了，HT-2026-018，35万，预付30%，1月30日前付"
KEY = "GD-C1"


@pytest.fixture
async def company(database: Database) -> AsyncIterator[ErpCompany]:
    """恒锐机电 is K1 there, and the contract is on record."""
    async with erp_company(database) as found:
        await found.chat.customer(HENGRUI)
        found.erp.know("K1", HENGRUI)
        await found.read()
        await found.chat.say("zhao", "ERP客户 K1 是 恒锐机电")
        await sign(found)
        yield found


async def sign(company: ErpCompany, text: str = SIGNED) -> None:
    await company.chat.say("zhang", text)
    await company.chat.press("zhang", company.chat.card("zhang"), "确认登记")
    await company.send()


async def amend(company: ErpCompany, text: str) -> None:
    await company.chat.say("zhang", text)
    await company.chat.press("zhang", company.chat.card("zhang"), "确认变更")
    await company.send()


async def test_a_signed_contract_without_an_order_stands_in_the_erp(company: ErpCompany) -> None:
    row = company.forecasts()[KEY]
    assert (row["F_GD_CUST.FNumber"], row["F_GD_AMOUNT"]) == ("K1", "350000.00")
    assert (row["F_GD_DATE"], row["F_GD_EVIDENCE"]) == ("2026-01-30", "HT-2026-018")
    assert (row["F_GD_STATE"], row["FDocumentStatus"]) == ("有效", "B")
    shown = await company.chat.say("ji", "ERP预测")
    assert f"{KEY} {HENGRUI} 35万元 2026-01-30 HT-2026-018：已写入（{row['FBillNo']}）" in shown
    assert "计划" in await company.chat.say("zhang", "ERP预测")


async def test_changed_terms_change_the_line_and_the_order_withdraws_it(
    company: ErpCompany,
) -> None:
    await amend(company, "改合同 HT-2026-018 40万，2月10日前付")
    row = company.forecasts()[KEY]
    assert (row["F_GD_AMOUNT"], row["F_GD_DATE"]) == ("400000.00", "2026-02-10")
    company.erp.order("XSDD1", "K1", [400_000], contract="HT-2026-018")
    await company.read()
    row = company.forecasts()[KEY]
    assert (row["F_GD_STATE"], row["F_GD_AMOUNT"]) == ("已撤回", "0.00")
    assert len(company.forecasts()) == 1
    assert "已撤回" in await company.chat.say("ji", "ERP预测")


async def test_an_order_that_is_cancelled_brings_the_line_back(company: ErpCompany) -> None:
    company.erp.order("XSDD1", "K1", [350_000], contract="HT-2026-018")
    await company.read()
    company.erp.books.change("SAL_SaleOrder", "XSDD1", FCancelStatus="B")
    await company.read()
    assert company.forecasts()[KEY]["F_GD_STATE"] == "有效"


async def test_a_customer_that_is_no_more_linked_takes_its_lines_along(
    company: ErpCompany,
) -> None:
    await company.chat.say("zhao", "ERP客户 K1 解除")
    await company.send()
    assert company.forecasts()[KEY]["F_GD_STATE"] == "已撤回"


async def test_an_erp_that_is_away_gets_the_line_once_when_it_is_back(company: ErpCompany) -> None:
    company.away("ExecuteBillQuery", times=2)
    await amend(company, "改合同 HT-2026-018 40万")
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "350000.00"
    assert "排队中" in await company.chat.say("ji", "ERP预测")
    company.chat.now += timedelta(minutes=1)
    await company.send()
    company.chat.now += timedelta(minutes=1)
    await company.send()
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "400000.00"
    assert len(company.forecasts()) == 1


async def test_only_the_newest_of_what_waits_is_written(company: ErpCompany) -> None:
    company.away("ExecuteBillQuery")
    await amend(company, "改合同 HT-2026-018 40万")
    await amend(company, "改合同 HT-2026-018 41万")
    company.chat.now += timedelta(minutes=1)
    await company.send()
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "410000.00"


async def test_a_replay_of_what_was_given_up_brings_no_older_line_back(company: ErpCompany) -> None:
    company.erp.books.change("BD_Customer", "K1", FDocumentStatus="D")
    await amend(company, "改合同 HT-2026-018 40万")
    company.erp.books.change("BD_Customer", "K1", FDocumentStatus="C")
    await amend(company, "改合同 HT-2026-018 41万")
    async with company.chat.database.begin() as tx:
        await tx.delivery.send_again(since=None, at=company.chat.now)
    await company.send()
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "410000.00"
    assert "已写入" in await company.chat.say("ji", "ERP预测")


async def test_what_planning_changed_there_is_told_and_stays_until_it_is_decided(
    company: ErpCompany,
) -> None:
    company.forecasts()[KEY]["F_GD_AMOUNT"] = 300_000.0
    await amend(company, "改合同 HT-2026-018 40万")
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == 300_000.0
    told = company.chat.heard_by("ji")
    assert "现为金额 30万元" in told
    assert "没有覆盖" in told
    assert "现为金额 30万元" in company.chat.heard_by("zhao")
    assert "冲突" in await company.chat.say("ji", "ERP预测")
    assert "计划" in await company.chat.say("qian", f"ERP预测 重写 {KEY}")
    assert "已排队" in await company.chat.say("ji", f"ERP预测 重写 {KEY}")
    await company.send()
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "400000.00"


async def test_a_refusal_is_told_with_the_erps_words_and_tried_again_at_night(
    company: ErpCompany,
) -> None:
    company.erp.books.change("BD_Customer", "K1", FDocumentStatus="D")
    await amend(company, "改合同 HT-2026-018 40万")
    assert "编码“K1”不存在" in company.chat.heard_by("ji")
    assert "没写进" in await company.chat.say("ji", "ERP预测")
    company.erp.books.change("BD_Customer", "K1", FDocumentStatus="C")
    await company.night()
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == "400000.00"
    assert f"已重新排队：{KEY}" in company.chat.heard_by("ji")


async def test_a_night_with_everything_in_step_says_nothing(company: ErpCompany) -> None:
    await company.night()
    assert company.said_of("erp-reconciled") == []
    assert "上次核对 1月28日" in await company.chat.say("ji", "ERP预测")


async def test_a_night_tells_what_differs_and_writes_over_nothing(company: ErpCompany) -> None:
    company.forecasts()[KEY]["F_GD_AMOUNT"] = 300_000.0
    company.erp.books.add(
        "ora_SaleForecast", F_GD_KEY="GD-X9", F_GD_AMOUNT=1.0, F_GD_DATE="2026-03-01"
    )
    await company.night()
    told = company.chat.heard_by("ji")
    assert f"{KEY} 在 ERP 里被改过，现为 K1 30万元" in told
    assert "GD-X9" in told
    assert company.forecasts()[KEY]["F_GD_AMOUNT"] == 300_000.0


async def test_a_line_removed_there_is_told_at_night(company: ErpCompany) -> None:
    company.erp.books.remove("ora_SaleForecast", company.forecasts()[KEY]["FBillNo"])
    await company.night()
    assert f"{KEY} 写过，ERP 里已不在" in company.chat.heard_by("zhao")
    assert company.forecasts() == {}


async def test_what_cannot_be_a_line_is_told_and_not_guessed(company: ErpCompany) -> None:
    await company.chat.customer("宁波甬江轴承有限公司")
    await sign(company, "甬江轴承合同签了，HT-2026-019，20万，预付30%")
    await sign(company, "恒锐机电合同签了，HT-2026-020，10万，货到付款")
    assert set(company.forecasts()) == {KEY}
    await company.night()
    told = company.chat.heard_by("ji")
    assert "客户没有关联 ERP 编码，1条没有写过去：HT-2026-019" in told
    assert "没有约定付款日期，1条没有写过去：HT-2026-020" in told
    company.erp.know("K2", "甬江轴承")
    await company.read()
    await company.chat.say("zhao", "ERP客户 K2 是 甬江轴承")
    await company.send()
    assert set(company.forecasts()) == {KEY, "GD-C2"}


async def test_an_erp_that_is_away_at_night_is_unknown(company: ErpCompany) -> None:
    company.away()
    await company.night()
    assert "没有核对预测，那边的情况未知" in company.chat.heard_by("ji")


async def test_a_report_that_says_the_same_is_told_once_a_week(company: ErpCompany) -> None:
    def told() -> int:
        return sum("没有核对预测" in one.content.text for one in company.chat.said
                   if one.to.user_id == "ji" and isinstance(one.content, Text))  # fmt: skip

    company.away(times=99)
    for _ in range(7):
        await company.night()
        company.chat.now += timedelta(days=1)
    assert told() == 1
    await company.night()
    assert told() == 2


async def test_the_report_of_the_night_waits_for_the_morning(company: ErpCompany) -> None:
    company.chat.now = at("2026-01-30 02:40")
    company.away()
    await company.night()
    [told] = [one for one in company.chat.said if "erp-reconciled" in one.dedupe_key
              and one.to.user_id == "ji"]  # fmt: skip
    assert told.not_before == at("2026-01-30 08:30")
