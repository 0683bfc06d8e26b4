"""Deals at L1 are told to the ERP until their contract is: written, replaced, withdrawn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.opportunities import Opportunity, OpportunityState
from handlers.levels import changing
from handlers.policy.policies import PolicyBook
from storage.database import Database
from tests.handlers.erp_company import HENGRUI, AnyErpCompany, erp_company
from tests.handlers.u9c_company import u9c_company

DEAL, CONTRACT = "GD-D1", "GD-C1"
SIGNED = "恒锐机电合同签了，HT-2026-018，36万，预付30%，1月30日前付"


@pytest.fixture(params=["kingdee", "u9c"])
async def company(
    database: Database, request: pytest.FixtureRequest
) -> AsyncIterator[AnyErpCompany]:
    """恒锐机电 is K1 there, and its deal of 350,000 yuan is expected on 20 February."""
    opened: AbstractAsyncContextManager[AnyErpCompany] = (
        erp_company(database) if request.param == "kingdee" else u9c_company(database)
    )
    async with opened as found:
        await found.chat.customer(HENGRUI)
        found.erp.know("K1", HENGRUI)
        await found.read()
        await found.chat.say("zhao", "ERP客户 K1 是 恒锐机电")
        await found.chat.say("zhang", "改预测 恒锐机电 35万 2月20日")
        await prove(found, await first(found))
        yield found


async def first(company: AnyErpCompany) -> Opportunity:
    async with company.chat.database.begin() as tx:
        return await tx.opportunities.get(1)


async def prove(
    company: AnyErpCompany,
    deal: Opportunity,
    *kinds: EvidenceKind,
    number: str = "PO-7",
) -> None:
    """kinds: of the files, by default a purchase order of that number."""
    async with company.chat.database.begin() as tx:
        for kind in kinds or (EvidenceKind.PURCHASE_ORDER,):
            await tx.levels.add_evidence(
                Evidence(
                    id=0,
                    opportunity_id=deal.id,
                    kind=kind,
                    added_by=company.chat.people["zhang"].id,
                    added_at=company.chat.now,
                    expires_at=changing.end_of_evidence(company.chat.office, company.chat.now),
                    number=number if kind is EvidenceKind.PURCHASE_ORDER else "",
                    sha256="a" * 64,
                )
            )


async def level(
    company: AnyErpCompany,
    to: Level | None,
    cause: Cause = Cause.CLAIMED,
    *,
    deal_id: int = 1,
    reason: str = "",
) -> None:
    chat = company.chat
    async with chat.database.begin() as tx:
        deal = await tx.opportunities.get_for_update(deal_id)
        done = await changing.set_level(
            tx, chat.office, deal, to, cause=cause, at=chat.now, reason=reason
        )
        await tx.delivery.queue(done.messages, at=chat.now)
    chat.said += done.messages
    await company.send()


async def sign(company: AnyErpCompany, text: str = SIGNED) -> str:
    await company.chat.say("zhang", text)
    told = await company.chat.press("zhang", company.chat.card("zhang"), "确认登记")
    await company.send()
    return told


async def second_deal(company: AnyErpCompany, yuan: int = 200_000) -> Opportunity:
    """Of the same customer, at L1 as well."""
    chat = company.chat
    async with chat.database.begin() as tx:
        one = await tx.opportunities.get(1)
        made = await tx.opportunities.add(
            account_id=one.account_id,
            name="二期",
            owner_id=one.owner_id,
            stage=one.stage,
            library=one.library,
            rank=0,
            at=chat.now,
        )
        await tx.opportunities.save(replace(made, amount_fen=yuan * 100))
        by = chat.people["zhang"].id
        day = chat.office.calendar.day_of(chat.now)
        await tx.forecasts.note_outlook(made.id, {"expected_on": day}, by=by, at=chat.now)
    await prove(company, made, number="PO-8")
    await level(company, Level.L1, deal_id=made.id)
    return made


def states(company: AnyErpCompany) -> dict[str, tuple[str, str]]:
    """key -> (state, amount) as the ERP holds it."""
    return {key: (row.state, row.amount) for key, row in company.held().items()}


async def test_a_deal_at_l1_stands_in_the_erp_until_its_contract_does(
    company: AnyErpCompany,
) -> None:
    assert company.held() == {}
    await level(company, Level.L1)
    row = company.held()[DEAL]
    assert (row.customer, row.amount) == ("K1", "350000.00")
    assert (row.expected_on, row.level) == ("2026-02-20", "L1")
    assert (row.evidence, row.state) == ("PO-7", "有效")
    shown = await company.chat.say("ji", "ERP预测")
    assert f"{DEAL} {HENGRUI} 35万元 2026-02-20 PO-7：已写入（{row.number}）" in shown
    await sign(company)
    assert states(company) == {DEAL: ("已撤回", "0.00"), CONTRACT: ("有效", "360000.00")}
    assert company.held()[CONTRACT].deal == company.held()[DEAL].deal
    company.erp.order("XSDD1", "K1", [360_000], contract="HT-2026-018")
    await company.read()
    assert {state for state, _ in states(company).values()} == {"已撤回"}


async def test_what_the_rep_says_of_day_and_amount_is_there_at_once(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    await company.chat.say("zhang", "改预测 恒锐机电 40万 3月5日")
    await company.send()
    row = company.held()[DEAL]
    assert (row.amount, row.expected_on) == ("400000.00", "2026-03-05")
    await company.chat.say("zhang", "改预测 恒锐机电 风险：预算未批")
    await company.night()
    assert len(company.held()) == 1
    assert company.said_of("erp-reconciled") == []


async def test_a_level_that_falls_takes_the_line_back_and_one_that_returns_brings_it(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    await level(company, Level.L3, Cause.LOWERED, reason="客户说再等等")
    assert states(company) == {DEAL: ("已撤回", "0.00")}
    await level(company, Level.L1)
    assert states(company) == {DEAL: ("有效", "350000.00")}


async def test_a_lost_deal_is_withdrawn_and_undoing_brings_it_back(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    await company.chat.say("zhang", "恒锐机电丢了，嫌价格高")
    await company.chat.press("zhang", company.chat.card("zhang"), "确认")
    await company.send()
    assert (await first(company)).state is OpportunityState.LOST
    assert states(company) == {DEAL: ("已撤回", "0.00")}
    await company.chat.say("zhang", "撤销")
    await company.send()
    assert states(company) == {DEAL: ("有效", "350000.00")}


@pytest.mark.parametrize(("to_level", "written"), [(0, False), (1, False), (2, True)])
async def test_the_policy_says_to_which_level(
    company: AnyErpCompany, to_level: int, written: bool
) -> None:
    chat = company.chat
    policy = replace(chat.policy, erp=replace(chat.policy.erp, forecast_to_level=to_level))
    chat.office = replace(chat.office, policies=PolicyBook(policy))
    deal = await first(company)
    await prove(
        company, deal, EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL
    )  # fmt: skip
    await level(company, Level.L2)
    assert (DEAL in company.held()) is written
    await level(company, Level.L1)
    assert (DEAL in company.held()) is (to_level > 0)


async def test_what_is_missing_is_asked_of_the_rep_at_once_and_told_at_night(
    company: AnyErpCompany,
) -> None:
    async with company.chat.database.begin() as tx:
        deal = await tx.opportunities.get_for_update(1)
        await tx.opportunities.save(replace(deal, amount_fen=None))
        by = company.chat.people["zhang"].id
        await tx.forecasts.note_outlook(1, {"expected_on": None}, by=by, at=company.chat.now)
    await level(company, Level.L1)
    assert company.held() == {}
    assert "缺金额" in company.chat.heard_by("zhang")
    await company.night()
    assert f"商机没有金额，1条没有写过去：{HENGRUI}（{DEAL}）" in company.chat.heard_by("ji")
    await company.chat.say("zhang", "改预测 恒锐机电 35万 2月20日")
    await company.send()
    assert states(company) == {DEAL: ("有效", "350000.00")}


async def test_a_contract_that_cannot_be_told_leaves_its_deal_standing(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    await sign(company, "恒锐机电合同签了，HT-2026-020，36万，货到付款")
    assert states(company) == {DEAL: ("有效", "350000.00")}


async def test_an_order_without_a_contract_takes_its_amount_off(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    company.erp.order("XSDD1", "K1", [100_000])
    await company.read()
    assert states(company) == {DEAL: ("有效", "250000.00")}
    company.erp.order("XSDD2", "K1", [250_000])
    await company.read()
    assert states(company) == {DEAL: ("已撤回", "0.00")}


async def test_a_contract_is_of_the_deal_whose_order_or_amount_it_has(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    await second_deal(company)
    await sign(company, "恒锐机电合同签了，HT-2026-021，20万，预付30%，1月30日前付")
    assert states(company) == {
        DEAL: ("有效", "350000.00"),
        "GD-D2": ("已撤回", "0.00"),
        CONTRACT: ("有效", "200000.00"),
    }


async def test_between_two_deals_nobody_guesses_and_nothing_counts_twice(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    await second_deal(company)
    told = await sign(company)
    assert f"合同 HT-2026-018 可能属于几个商机：{DEAL}" in told
    assert {key for key, (state, _) in states(company).items() if state == "有效"} == {CONTRACT}
    await company.night()
    assert "客户的合同分不清是哪个商机，2条没有写过去" in company.chat.heard_by("ji")
    assert "计划" not in await company.chat.say("zhang", "ERP预测 HT-2026-018 是 GD-D2")
    await company.send()
    assert {key for key, (state, _) in states(company).items() if state == "有效"} == {
        CONTRACT,
        DEAL,
    }
    assert "没有商机 GD-D9" in await company.chat.say("zhang", "ERP预测 HT-2026-018 是 GD-D9")
    await company.chat.say("ji", "ERP预测 HT-2026-018 没有商机")
    await company.send()
    assert {state for state, _ in states(company).values()} == {"有效"}


async def test_whose_customer_it_is_not_may_not_say_whose_contract(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    await sign(company)
    await company.chat.say("chen", "ERP预测 HT-2026-018 没有商机")
    await company.send()
    assert states(company)[DEAL] == ("已撤回", "0.00")


async def test_a_deal_that_comes_after_the_contract_is_another_sale(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    await sign(company)
    company.chat.now += timedelta(hours=1)
    await second_deal(company)
    assert states(company) == {
        DEAL: ("已撤回", "0.00"),
        CONTRACT: ("有效", "360000.00"),
        "GD-D2": ("有效", "200000.00"),
    }


async def test_what_planning_changed_is_told_to_planning_and_to_the_rep(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    company.change_there(DEAL, 300_000)
    await company.chat.say("zhang", "改预测 恒锐机电 40万")
    await company.send()
    assert company.held()[DEAL].amount == "300000.00"
    assert "现为金额 30万元" in company.chat.heard_by("ji")
    assert f"{HENGRUI}这一单的预测，计划部门在 ERP 里改过" in company.chat.heard_by("zhang")
    await company.chat.say("ji", f"ERP预测 重写 {DEAL}")
    await company.send()
    assert states(company) == {DEAL: ("有效", "400000.00")}


async def test_the_night_mends_what_no_event_told(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    async with company.chat.database.begin() as tx:
        deal = await tx.opportunities.get_for_update(1)
        await tx.opportunities.save(replace(deal, state=OpportunityState.INVALID))
    await company.night()
    assert states(company) == {DEAL: ("已撤回", "0.00")}


async def test_a_contract_taken_off_the_record_gives_its_deal_back(company: AnyErpCompany) -> None:
    await level(company, Level.L1)
    await sign(company)
    await company.chat.say("zhang", "先记下")
    await company.chat.say("zhang", "撤销")
    await company.chat.press("zhang", company.chat.card("zhang"), "一起撤下")
    await company.send()
    assert states(company) == {DEAL: ("有效", "350000.00"), CONTRACT: ("已撤回", "0.00")}


async def test_what_was_written_by_a_call_whose_answer_was_lost_stands_there_once(
    company: AnyErpCompany,
) -> None:
    company.lose_answer()
    await level(company, Level.L1)
    company.chat.now += timedelta(minutes=1)
    await company.send()
    assert states(company) == {DEAL: ("有效", "350000.00")}
    shown = await company.chat.say("ji", "ERP预测")
    assert f"已写入（{company.held()[DEAL].number}）" in shown


async def test_an_erp_that_is_away_gets_the_newest_once_when_it_is_back(
    company: AnyErpCompany,
) -> None:
    company.away(times=2)
    await level(company, Level.L1)
    await company.chat.say("zhang", "改预测 恒锐机电 40万 3月5日")
    assert company.held() == {}
    assert "排队中" in await company.chat.say("ji", "ERP预测")
    for _ in range(3):
        company.chat.now += timedelta(minutes=1)
        await company.send()
    assert states(company) == {DEAL: ("有效", "400000.00")}
    await company.night()
    assert company.said_of("erp-reconciled") == []


async def test_the_night_tells_what_was_changed_or_removed_there_and_writes_over_nothing(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    await second_deal(company)
    company.change_there(DEAL, 300_000)
    company.remove_there("GD-D2")
    await company.night()
    told = company.chat.heard_by("ji")
    assert f"{DEAL} 在 ERP 里被改过，现为 K1 30万元" in told
    assert "GD-D2 写过，ERP 里已不在" in told
    assert states(company) == {DEAL: ("有效", "300000.00")}
    await company.chat.say("ji", f"ERP预测 重写 {DEAL}")
    await company.chat.say("ji", "ERP预测 重写 GD-D2")
    await company.send()
    assert states(company) == {DEAL: ("有效", "350000.00"), "GD-D2": ("有效", "200000.00")}


async def test_more_lines_than_a_page_are_compared_each(company: AnyErpCompany) -> None:
    """Two hundred of the ERP's own stand among ours."""
    await level(company, Level.L1)
    company.fill(250)
    await company.night()
    told = company.chat.heard_by("ji")
    assert "GD-X0" in told
    assert f"{DEAL} " not in told


async def test_an_order_that_grows_takes_more_off_and_a_cancelled_one_gives_it_back(
    company: AnyErpCompany,
) -> None:
    await level(company, Level.L1)
    company.erp.order("XSDD1", "K1", [100_000])
    await company.read()
    company.erp.order("XSDD1", "K1", [150_000])
    await company.read()
    assert states(company) == {DEAL: ("有效", "200000.00")}
    company.erp.cancel("XSDD1")
    await company.read()
    assert states(company) == {DEAL: ("有效", "350000.00")}
