"""An ordinary message asks little of the database: each statement holds up whoever else writes."""

from __future__ import annotations

from dataclasses import replace

from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.statements import statements

CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"
A_CALL, A_CONFIRMATION = 10, 30
"""Statements at most. Not what they are today, but what a careless step would exceed: asking for
each customer, draft or person twice made them 21 and 33."""


async def test_a_call_told_in_one_sentence_takes_few_statements(database: Database) -> None:
    chat = await Chat(database).open()
    await chat.customer("杭州恒锐机电有限公司")
    with statements() as asked:
        await chat.say("zhang", CALL)
    assert chat.card().title == "跟进电话 · 杭州恒锐机电有限公司"
    assert len(asked) <= A_CALL, "\n".join(asked)


async def test_its_confirmation_takes_few_statements(database: Database) -> None:
    chat = await Chat(database).open()
    account = await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", CALL)
    with statements() as asked:
        await chat.say("zhang", "确认")
    assert len(await chat.stream(account)) == 1
    assert len(asked) <= A_CONFIRMATION, "\n".join(asked)


async def test_only_what_a_record_changes_of_its_deal_is_written(database: Database) -> None:
    """Each column that is set, to what it was even, has its indexes written anew."""
    chat = await Chat(database).open()
    await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", CALL)
    with statements() as asked:
        await chat.say("zhang", "确认")
    [written] = [one for one in asked if one.startswith("UPDATE opportunities")]
    assert "last_valid_at" in written
    assert "owner_id" not in written


async def test_what_is_saved_again_is_written_as_it_is_now(database: Database) -> None:
    chat = await Chat(database).open()
    account = await chat.customer("杭州恒锐机电有限公司")
    async with database.begin() as tx:
        [deal] = await tx.opportunities.of_account(account.id)
        for amount_fen, stage in ((100, "proposal"), (200, "proposal"), (200, deal.stage)):
            await tx.opportunities.save(replace(deal, amount_fen=amount_fen, stage=stage))
    async with database.begin() as tx:
        assert await tx.opportunities.get(deal.id) == replace(deal, amount_fen=200)
