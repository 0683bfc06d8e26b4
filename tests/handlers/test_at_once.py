"""policy.drafts.auto_confirm: what is stored without a press, what is not, and how it is taken
back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.policy import DraftPolicy, Policy
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI, ZIDONGHUA = "杭州恒锐机电有限公司", "无锡恒锐自动化有限公司"
CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


@pytest.fixture
async def chat(database: Database) -> Chat:
    drafts = DraftPolicy(auto_confirm=True)
    return await Chat(database, replace(Policy(), drafts=drafts)).open()


async def test_a_clear_and_complete_story_is_stored_and_can_be_taken_back(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    said = await chat.say("zhang", CALL)
    assert "已记下，计为有效跟进" in said
    assert [button.label for button in chat.card().buttons] == ["修改", "撤销"]
    assert [one.valid for one in await chat.stream(account)] == [True]
    assert "已撤销" in await chat.press("zhang", chat.card(), "撤销")
    assert chat.shown().closed == "已撤销"
    assert await chat.living() == {}


async def test_undoing_it_in_words_closes_the_card_too(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "撤销")
    assert chat.shown().closed == "已撤销"
    assert "已经撤销或更正过" in await chat.press("zhang", chat.card(), "撤销")
    assert await chat.living() == {}


async def test_the_record_is_opened_again_by_a_press(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert "更正：确认后替换" in await chat.press("zhang", chat.card(), "修改")
    await chat.say("zhang", "35分钟")
    assert await chat.living() == {HENGRUI: [(await chat.stream(account))[-1]]}
    await chat.say("zhang", "确认")
    ((entry,),) = (await chat.living()).values()
    assert entry.slots["duration_min"] == 35


async def test_two_days_later_the_buttons_do_nothing_more(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    card = chat.card()
    chat.now += timedelta(hours=49)
    for label in ("撤销", "修改"):
        await chat.press("zhang", card, label)
    assert "超过48小时" in chat.heard_by("zhang")
    assert len(await chat.stream(account)) == 1


async def test_a_colleague_cannot_take_it_back(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert "只有张伟可以操作" in await chat.press("chen", chat.card(), "撤销")
    assert len(await chat.stream(account)) == 1


async def test_it_is_stored_once_the_last_gap_is_answered(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "刚给恒锐机电打了电话，嫌贵")
    await chat.say("zhang", "25分钟")
    assert await chat.stream(account) == []
    assert "已记下" in await chat.say("zhang", "下周三")
    assert len(await chat.stream(account)) == 1


async def test_a_pressed_choice_is_as_good_as_a_confirmation(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.customer(ZIDONGHUA)
    said = await chat.say("zhang", "恒锐通了8分钟，嫌贵，明天再打")
    assert "哪一家" in said
    assert "已记下" in await chat.press("zhang", chat.card(), "杭州恒锐机电")
    assert len(await chat.stream(account)) == 1
    await chat.later(hours=1)
    assert "已记下" in await chat.say("zhang", "恒锐通了18分钟，嫌贵，后天再打")
    assert "按你的习惯" in chat.shown().lines[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("跟恒瑞机电通了10分钟，嫌贵，下周三联系", "the customer was misheard"),
        ("恒锐机电通了大概20分钟，嫌贵，下周三联系", "a round figure"),
        ("恒锐机电通了20分钟，嫌贵，下周三或者下周四联系", "one of two days"),
        ("恒锐机电打了2分钟，下周三联系", "it will not count"),
        ("恒锐机电签了，合同86万", "it ends a deal"),
        ("恒锐机电丢单了，嫌贵", "it ends a deal"),
        ("恒锐机电回款大概46万", "a guessed amount"),
        ("上周一跟恒锐机电通了20分钟，下周三联系", "it comes too late"),
    ],
)
async def test_a_press_is_wanted(chat: Chat, text: str, why: str) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", text)
    assert await chat.stream(account) == [], why
    assert "已记录" in await chat.say("zhang", "确认") or "是指" in chat.heard_by("zhang")


@pytest.mark.parametrize("by", [Chat.dictate, Chat.dictate_to_the_platform])
async def test_what_was_dictated_is_seen_by_its_speaker_first(
    chat: Chat, by: Callable[[Chat, str, str], Awaitable[str]]
) -> None:
    await chat.customer(HENGRUI)
    await by(chat, "zhang", CALL)
    assert "确认" in [button.label for button in chat.card().buttons]
    assert await chat.living() == {}


async def test_what_was_not_read_surely_is_pointed_out(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("zhang", "恒锐机电通了大概20分钟，嫌贵，下周三联系")
    assert "请特别核对：通话时长" in said


async def test_a_correction_of_a_stored_record_wants_a_press(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert "更正：确认后替换" in await chat.say("zhang", "不对，是下周四")
    assert "已更正" in await chat.say("zhang", "确认")
    ((entry,),) = (await chat.living()).values()
    assert entry.slots["next_contact"] == "2026-02-05"


async def test_by_default_everything_waits_for_a_press(database: Database) -> None:
    chat = await Chat(database).open()
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert await chat.stream(account) == []
