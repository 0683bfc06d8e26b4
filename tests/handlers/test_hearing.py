"""What a rep may say, in which order, and what must never happen meanwhile."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.chat_company import Chat

CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"
HENGRUI, YONGJIANG, NANHU = "杭州恒锐机电有限公司", "宁波甬江轴承有限公司", "嘉兴南湖铸造有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_nothing_is_stored_before_the_rep_confirms(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert await chat.stream(account) == []
    assert "已记录" in await chat.say("zhang", "确认")
    (entry,) = await chat.stream(account)
    assert (entry.valid, entry.slots["duration_min"]) == (True, 25)


async def test_a_story_of_another_customer_never_answers_the_open_question(chat: Chat) -> None:
    """It used to be taken for the answer to 关键异议, and was lost."""
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG)
    await chat.say("zhang", "恒锐机电通了10分钟")
    said = await chat.say("zhang", "甬江轴承通了15分钟电话，没异议，下周一联系")
    assert YONGJIANG in said
    assert HENGRUI not in said
    assert "还缺" in chat.card(before=1).lines[0]


@pytest.mark.parametrize("denial", ["没啥异议", "没异议", "没有问题", "客户那边没什么意见"])
async def test_no_objections_said_along_is_not_asked_for_again(chat: Chat, denial: str) -> None:
    await chat.say("zhang", "新建客户 绍兴柯桥纺机有限公司")
    said = await chat.say("zhang", f"柯桥纺机打了12分钟电话，{denial}，下周三再联系")
    assert "还缺" not in said
    assert "没有异议" in said


async def test_each_customer_of_one_message_gets_their_own_words(chat: Chat) -> None:
    hengrui, yongjiang = await chat.customer(HENGRUI), await chat.customer(YONGJIANG)
    await chat.say("zhang", "恒锐机电通了10分钟，嫌贵，下周一联系；甬江轴承通了15分钟，下周二联系")
    assert "全部确认" not in await chat.say("zhang", "全部确认")
    assert [one.text for one in await chat.stream(hengrui)] == [
        "恒锐机电通了10分钟，嫌贵，下周一联系"
    ]
    assert [one.text for one in await chat.stream(yongjiang)] == ["甬江轴承通了15分钟，下周二联系"]


async def test_confirming_one_of_several_names_the_others(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "甬江轴承通了15分钟，下周二联系")
    said = await chat.say("zhang", "确认恒锐机电")
    assert f"已记录：{HENGRUI}" in said
    assert f"还有1条等你确认：{YONGJIANG}" in said


async def test_a_name_alone_goes_back_to_its_draft(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG)
    await chat.say("zhang", "恒锐机电通了10分钟")
    await chat.say("zhang", "甬江轴承通了15分钟，下周二联系")
    assert HENGRUI in await chat.say("zhang", "恒锐机电")
    assert "时长：30分钟" in await chat.say("zhang", "30分钟")
    assert HENGRUI in chat.card().title


async def test_a_bare_value_takes_the_place_of_what_was_understood(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert "2月5日(周四)" in await chat.say("zhang", "下周四吧")
    assert "1月27日" in await chat.say("zhang", "是昨天打的")


async def test_the_hour_of_a_visit_is_asked_for_and_keeps_its_day(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    assert "约在几点" in await chat.say("zhang", "约了恒锐机电王总下周四去拜访")
    assert "2月5日(周四) 10:00" in await chat.say("zhang", "上午10点")
    await chat.say("zhang", "确认")
    assert [one.valid for one in await chat.stream(account)] == [True]


async def test_a_remark_that_fits_no_slot_is_kept(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    assert "备注" in await chat.say("zhang", "他们还要看样机，让我们准备一台")
    await chat.say("zhang", "确认")
    assert "看样机" in (await chat.stream(account))[0].text


async def test_an_incomplete_draft_says_what_is_missing_and_how_to_go_on(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了10分钟")
    assert "还没有记下，缺下次联系" in await chat.say("zhang", "确认")
    assert "不计为有效跟进" in await chat.say("zhang", "先记下")
    assert [one.valid for one in await chat.stream(account)] == [False]


async def test_an_unknown_customer_is_created_by_a_word(chat: Chat) -> None:
    said = await chat.say("zhang", "跟杭州天目湖精工李总打了10分钟电话，没异议，下周一联系")
    assert "没有找到「杭州天目湖精工」" in said
    assert "没有找到「苏州天目湖机床」" in await chat.say("zhang", "苏州天目湖机床")
    assert "请核对" in await chat.say("zhang", "新建")
    assert "已记录：苏州天目湖机床 · 首次电话" in await chat.say("zhang", "确认")


async def test_two_similar_customers_are_chosen_by_number_or_by_a_part(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer("无锡恒锐自动化有限公司")
    for answer in ("第二个", "机电那家"):
        said = await chat.say("zhang", "恒锐通了8分钟，嫌贵，明天再打")
        assert "确认" not in [button.label for button in chat.card().buttons]
        assert "是哪一家" in said
        assert "请核对" in await chat.say("zhang", answer)
        await chat.say("zhang", "取消")


async def test_somebody_elses_customer_is_refused_with_the_owner_named(chat: Chat) -> None:
    account = await chat.customer(YONGJIANG, "chen")
    said = await chat.say("zhang", "甬江轴承通了15分钟，下周二联系")
    assert "由陈静负责" in said
    assert "没有保存" in said
    assert await chat.stream(account) == []


async def test_cancel_never_touches_what_is_stored(chat: Chat) -> None:
    """取消 without a draft used to take the last record back."""
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    assert "请发「撤销」" in await chat.say("zhang", "取消")
    assert len(await chat.stream(account)) == 1


async def test_undo_takes_back_the_record_that_came_after_an_older_draft(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG)
    await chat.say("zhang", "恒锐机电通了10分钟")
    await chat.say("zhang", "甬江轴承通了15分钟，下周二联系")
    await chat.say("zhang", "确认")
    assert f"已撤销：{YONGJIANG}" in await chat.say("zhang", "撤销")
    assert f"「{HENGRUI} 跟进电话」不记了" in await chat.say("zhang", "撤销")


async def test_in_a_group_everybody_hears_for_whom_an_answer_is(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "@张伟 请核对" in await chat.say("zhang", CALL, group="team")
    assert "@陈静 现在没有等你确认的记录" in await chat.say("chen", "确认", group="team")


async def test_customers_are_shown_to_the_asker_alone(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    for question in ("客户 恒锐机电", "动态 恒锐机电", "待办"):
        await chat.say("zhang", question, group="team")
        *_, shown, note = chat.said
        assert shown.to.user_id == "zhang"
        assert note.to.chat_id == "team"
