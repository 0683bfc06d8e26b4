"""An ordinary message asks little of the database: each statement holds up whoever else writes."""

from __future__ import annotations

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
