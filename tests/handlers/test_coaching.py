"""Talk tracks in chat: for a new deal, on demand, by a press, and one line on an objection."""

from __future__ import annotations

import re

import pytest

from bot.domain.opportunities import Account, OpportunityState
from bot.messages import Card
from config.coaching import load_tracks
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database, tracks=load_tracks()).open()


def codes(said: str) -> list[str]:
    return re.findall(r"（([A-Z]\d+)）\*\*", said)


def labels(card: Card) -> list[str]:
    return [button.label for button in card.buttons]


async def end(chat: Chat, account: Account, state: OpportunityState) -> None:
    told = {"won": "恒锐机电赢单了", "lost": "恒锐机电丢单了，因为价格高"}[state]
    await chat.say("zhang", told)
    await chat.say("zhang", "确认")
    assert (await chat.deal(account)).state is state


async def test_a_new_customer_comes_with_three_tracks_for_the_first_stage(chat: Chat) -> None:
    said = await chat.say("zhang", "新建客户 杭州西溪阀门有限公司")
    assert len(codes(said)) == 3
    assert "开场：" in said
    assert "前期" in said
    assert labels(chat.card()) == ["用了1", "不合适1", "用了2", "不合适2", "用了3", "不合适3"]
    assert "都不合适就回复「换一批」" in said  # a seventh button would be one more message


async def test_tracks_wait_until_the_draft_of_a_new_customer_is_confirmed(chat: Chat) -> None:
    await chat.say("zhang", "刚和西溪阀门王总通了25分钟电话，嫌价格高，下周三再联系")
    await chat.say("zhang", "西溪阀门")
    assert "话术 ·" not in await chat.say("zhang", "新建客户 杭州西溪阀门有限公司")
    said = await chat.say("zhang", "确认")
    assert "客户提了「价格高」" in said
    assert said.count("话术 · 杭州西溪阀门") == 2  # in full, and the card; no hint beside them


async def test_what_the_customer_objects_to_decides_and_is_said(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌交期太长，下周三再联系")
    await chat.say("zhang", "确认")
    said = await chat.say("zhang", "话术 恒锐机电")
    assert codes(said)[0] == "M04"
    assert "客户提了「交期/实施周期」" in said


async def test_a_deal_begun_after_a_loss_is_prepared_for_the_same_reason(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await end(chat, account, OpportunityState.LOST)
    await chat.later(days=20)
    await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，约下周三再联系")
    assert "客户提了「价格高」" in await chat.say("zhang", "先记下")


async def test_an_objection_is_answered_with_one_line_once_a_day(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    for minutes, hinted in ((25, True), (31, False)):
        await chat.say("zhang", f"刚和恒锐机电王总通了{minutes}分钟电话，嫌价格高，下周三再联系")
        said = await chat.say("zhang", "确认")
        assert ("价格高？试试「" in said) is hinted
        await chat.later(hours=1)
    await chat.later(days=1)
    await chat.say("zhang", "刚和恒锐机电王总通了12分钟电话，嫌价格高，下周三再联系")
    assert "发「话术 杭州恒锐机电」" in await chat.say("zhang", "确认")


async def test_the_next_three_are_others(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    first = codes(await chat.say("zhang", "话术 恒锐机电"))
    second = codes(await chat.press("zhang", chat.card(), "more"))
    third = codes(await chat.say("zhang", "换一批"))
    assert len({*first, *second}) == 6
    assert not set(second) & set(third)


async def test_a_press_is_taken_once_and_stays_on_the_card(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "话术 恒锐机电")
    card = chat.card()
    assert "记下了：用了" in await chat.press("zhang", card, "用了2")
    assert labels(chat.shown()) == ["用了1", "不合适1", "用了3", "不合适3", "换一批"]
    assert "〔用了〕" in chat.shown().lines[1]
    assert "已经按过了" in await chat.press("zhang", card, "不合适2")
    assert "记下了" in await chat.say("zhang", "不合适 3")
    assert "没有这一条" not in await chat.say("zhang", "用了1")


async def test_nobody_presses_on_a_colleagues_card(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "话术 恒锐机电")
    assert "张伟" in await chat.press("chen", chat.card(), "用了1")


async def test_a_colleagues_customer_has_no_tracks_for_me(chat: Chat) -> None:
    await chat.customer(HENGRUI, "chen")
    assert "不在你和你团队的客户里" in await chat.say("zhang", "话术 恒锐机电")


async def test_what_was_found_unfit_for_a_customer_does_not_come_back(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    unfit = codes(await chat.say("zhang", "话术 恒锐机电"))[0]
    await chat.press("zhang", chat.card(), "不合适1")
    for _ in range(4):
        assert unfit not in codes(await chat.say("zhang", "换一批"))


async def test_won_deals_speak_for_a_track_until_they_are_taken_back(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    used = codes(await chat.say("zhang", "话术 恒锐机电"))[0]
    await chat.press("zhang", chat.card(), "用了1")
    await end(chat, account, OpportunityState.WON)
    assert f"{used} " in (listed := await chat.say("zhao", "话术库"))
    assert "推1次，用1，不合适0，1单里成交1单" in listed
    await chat.say("zhang", "撤销")
    assert "推1次，用1，不合适0，还没有结果" in await chat.say("zhao", "话术库")


async def test_size_and_purchases_are_told_in_one_line(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("zhang", "客户画像 恒锐机电 60人 年采购200万")
    assert "60人，年采购200万元" in said
    await chat.say("zhang", "话术 恒锐机电")
    batches = [await chat.say("zhang", "换一批") for _ in range(5)]
    assert any("适合小客户" in said for said in batches)
    assert any("适合重点客户" in said for said in batches)
    assert "例如「客户画像" in await chat.say("zhang", "客户画像 恒锐机电")


async def test_in_a_group_tracks_go_to_the_rep_alone(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "话术 恒锐机电", group="room")
    assert "开场：" in chat.heard_by("zhang")
    assert "开场：" not in chat.heard_in("room")
