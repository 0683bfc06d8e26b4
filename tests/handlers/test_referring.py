"""«上面那个记一下»: a message that refers to another one."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI, YONGJIANG = "杭州恒锐机电有限公司", "宁波甬江轴承有限公司"
CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


@pytest.fixture
async def chat(database: Database) -> Chat:
    chat = await Chat(database).open()
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG, "chen")
    return chat


@pytest.mark.parametrize(
    "asked",
    ["上面那个记一下", "记一下上面的", "帮我把这条记上", "这个记一下吧", "记一下", "麻烦记下来"],
)
async def test_the_quoted_message_is_what_is_recorded(chat: Chat, asked: str) -> None:
    said = await chat.say("zhang", asked, group="team", quoting=CALL)
    assert HENGRUI in said
    assert "25分钟" in said
    await chat.say("zhang", "确认", group="team")
    ((entry,),) = (await chat.living()).values()
    assert entry.text == CALL


@pytest.mark.parametrize(
    "asked", ["上面那个记一下", "记一下上面的", "把刚才陈静说的记上", "刚才小陈说的记一下"]
)
async def test_else_the_last_words_to_the_bot_that_were_not_recorded(
    chat: Chat, asked: str
) -> None:
    """Those of a colleague too, which were refused because the customer is not theirs."""
    told = "恒锐机电王总打来电话，聊了10分钟，嫌价格高，下周三再聊"
    assert "由张伟负责" in await chat.say("chen", told, group="team")
    await chat.say("chen", "没有别的了", group="other")
    said = await chat.say("zhang", asked, group="team")
    assert HENGRUI in said
    await chat.say("zhang", "确认", group="team")
    ((entry,),) = (await chat.living()).values()
    assert entry.text == f"陈静：{told}"
    assert entry.slots["duration_min"] == 10


async def test_what_reads_like_no_report_becomes_a_note(chat: Chat) -> None:
    told = "恒锐机电门口在修路，车要停到后门"
    await chat.say("zhang", told, group="team")
    await chat.say("zhang", "谢谢", group="team")
    said = await chat.say("zhang", "记一下上面的", group="team")
    assert f"沟通记录 · {HENGRUI}" in said
    await chat.say("zhang", "确认", group="team")
    ((entry,),) = (await chat.living()).values()
    assert entry.text == told


async def test_words_that_became_a_record_are_not_recorded_again(chat: Chat) -> None:
    await chat.say("zhang", CALL, group="team")
    assert "群里我只看得到 @我 的消息" in await chat.say("zhang", "上面那个记一下", group="team")


async def test_whose_words_are_meant_is_looked_at(chat: Chat) -> None:
    await chat.say("chen", "大家辛苦了，今天客户都在开会", group="team")
    assert "没有找到" in await chat.say("zhang", "把刚才老王说的记上", group="team")


async def test_words_of_yesterday_are_not_meant(chat: Chat) -> None:
    await chat.say("chen", "大家辛苦了，今天客户都在开会", group="team")
    await chat.later(hours=25)
    assert "没有找到" in await chat.say("zhang", "上面那个记一下", group="team")


async def test_a_day_in_a_quoted_message_counts_from_when_it_was_said(chat: Chat) -> None:
    said = await chat.say("zhang", "记一下", group="team", quoting="恒锐机电通了10分钟，明天再联系")
    assert "1月29日" in said


async def test_alone_with_the_bot_such_words_are_a_confirmation(chat: Chat) -> None:
    await chat.say("zhang", CALL)
    assert "已记录" in await chat.say("zhang", "记上吧")
