"""Taking back a win whose sentence also told of a contract: the contract is asked about."""

from __future__ import annotations

import pytest

from bot.messages import Card
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.test_receivables import SIGNED, Company, receipt


@pytest.fixture
async def company(database: Database) -> Company:
    return await Company(Chat(database)).open()


async def won(company: Company, *, recorded: bool = True) -> None:
    """The sentence, its win confirmed, and its contract on record if wanted."""
    chat = company.chat
    await chat.say("zhang", SIGNED)
    contract, win = chat.card("zhang"), chat.card("zhang", before=1)
    assert win.card_id.startswith("draft-")
    if recorded:
        await chat.press("zhang", contract, "确认登记")
    await chat.say("zhang", "先记下")


def question(company: Company) -> Card:
    card = company.chat.card("zhang")
    assert card.card_id.startswith("withdraw-")
    return card


async def test_it_is_taken_off_the_record_when_the_rep_says_so(company: Company) -> None:
    await won(company)
    said = await company.chat.say("zhang", "撤销")
    assert "合同 HT-2026-018 是同一句话里登记的" in said
    assert "HT-2026-018" in await company.asked()  # not before the answer
    assert "已撤下" in await company.chat.press("zhang", question(company), "一起撤下")
    assert "没有登记" in await company.asked()
    async with company.chat.database.begin() as tx:
        assert await tx.contracts.next_check_at() is None
        assert await tx.audit.verify() is None


async def test_it_stays_when_the_rep_says_so(company: Company) -> None:
    await won(company)
    await company.chat.say("zhang", "撤销")
    assert "保留" in await company.chat.press("zhang", question(company), "保留合同")
    assert "HT-2026-018" in await company.asked()


async def test_a_contract_that_nobody_confirmed_goes_by_itself(company: Company) -> None:
    await won(company, recorded=False)
    waiting = next(
        one.content
        for one in reversed(company.chat.said)
        if isinstance(one.content, Card) and one.content.card_id.startswith("contract-")
    )
    await company.chat.say("zhang", "撤销")
    assert company.chat.shown_as(waiting).closed == "未登记"
    assert "已处理过" in await company.chat.press("zhang", waiting, "confirm")


async def test_its_number_may_come_again(company: Company) -> None:
    await won(company)
    await company.chat.say("zhang", "撤销")
    await company.chat.press("zhang", question(company), "一起撤下")
    again = "登记合同 恒锐机电 HT-2026-018，20万，预付50%，1月30日前付"
    await company.chat.say("zhang", again)
    assert "已登记" in await company.chat.press("zhang", company.chat.card("zhang"), "确认登记")
    assert "20万元" in await company.asked()


async def test_one_that_somebody_paid_for_stays(company: Company) -> None:
    await won(company)
    await company.tell(receipt("SK1", 105_000))
    await company.chat.say("zhang", "撤销")
    told = await company.chat.press("zhang", question(company), "一起撤下")
    assert "已有回款或条款复核，不能撤下" in told
    assert "HT-2026-018" in await company.asked()


async def test_a_colleague_does_not_decide(company: Company) -> None:
    await won(company)
    await company.chat.say("zhang", "撤销")
    told = await company.chat.press("chen", question(company), "一起撤下")
    assert "撤下，" not in told
    assert "HT-2026-018" in await company.asked()


async def test_a_receipt_for_a_withdrawn_contract_waits_for_its_match(company: Company) -> None:
    await won(company)
    await company.chat.say("zhang", "撤销")
    await company.chat.press("zhang", question(company), "一起撤下")
    await company.tell(receipt("SK1", 105_000))
    assert "SK1 10.5万元 恒锐机电有限公司 1月29日" in await company.chat.say("qian", "待匹配回款")
