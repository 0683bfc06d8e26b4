"""The morning list of a rep and the digest of a supervisor, by the real scheduler."""

from __future__ import annotations

import pytest

from bot.messages import Card, CardUpdate
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days

HENGRUI = "杭州恒锐机电有限公司"
CHENCANG = "宝鸡陈仓机床有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()  # Wednesday 2026-01-28, 15:00


async def call(chat: Chat, words: str) -> None:
    await chat.say("zhang", words)
    assert "有效" in await chat.say("zhang", "确认")


def team_card(days: Days) -> Card:
    cards = [one.content for _, one in days.arrived if isinstance(one.content, Card)]
    return [card for card in cards if card.card_id.startswith("team-")][-1]


async def test_the_list_has_todays_calls_and_is_worked_down_to_empty(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    await call(chat, "陈仓机床通了12分钟，明天上午十点再联系")
    days = Days(chat)
    await days.until("2026-01-29T09:05")
    assert days.story("zhang") == ["01-29 09:00 1月29日(周四)早报：今天约好2个"]
    card = chat.card()
    await chat.press("zhang", card, "打电话了", item="today-2")
    assert "没填完1个" in chat.shown_as(card).title
    await chat.say("zhang", "8分钟，下周三再联系")
    await chat.say("zhang", "确认")
    shown = chat.shown_as(card)
    assert shown.title == "1月29日(周四)早报：今天约好1个"
    await chat.press("zhang", shown, "打电话了")
    await chat.say("zhang", "8分钟，下周三再联系")
    await chat.say("zhang", "确认")
    assert chat.shown_as(card).closed == "今天的清单已做完"


async def test_a_press_for_an_item_that_is_done_opens_nothing(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    await Days(chat).until("2026-01-29T09:05")
    card = chat.card()
    await call(chat, "恒锐机电通了10分钟，下周三再联系")
    assert "已经处理过了" in await chat.press("zhang", card, "打电话了", item="today-1")
    assert chat.shown_as(card).closed == "今天的清单已做完"


async def test_nothing_to_do_is_no_card(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，下周五再联系")
    days = Days(chat)
    await days.until("2026-01-30T12:00")
    assert days.story("zhang") == []


async def test_who_is_away_is_sent_no_list_and_may_ask_for_it(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    assert "请假到" in await chat.say("li", "张伟请假到周五")
    days = Days(chat)
    await days.until("2026-01-30T12:00")
    assert days.story("zhang") == []
    assert "恒锐机电" in await chat.say("zhang", "待办")
    await days.until("2026-02-02T12:00")
    assert days.story("zhang") == ["02-02 09:00 2月2日(周一)早报：约好没联系1个"]


async def test_no_list_on_a_day_off(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，周六再联系")
    days = Days(chat)
    await days.until("2026-02-01T12:00")
    assert days.story("zhang") == []


async def test_what_is_put_off_wants_a_reason_for_a_light_and_a_day_for_a_promise(
    chat: Chat,
) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    days = Days(chat)
    await days.until("2026-01-29T09:05")
    assert "改到哪天" in await chat.press("zhang", chat.card(), "延后")
    await days.until("2026-02-04T09:05")
    card = chat.card()
    assert "约好没联系1个" in card.title
    await chat.press("zhang", card, "延后")
    told = await chat.press("zhang", chat.card(), "延后1个工作日", reason="客户出差或休假")
    assert "已延后到" in told


async def test_somebody_elses_list_cannot_be_pressed(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    await Days(chat).until("2026-01-29T09:05")
    assert "张伟" in await chat.press("chen", chat.card("zhang"), "打电话了")


async def test_the_supervisor_acknowledges_one_lead_and_then_the_rest(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    days = Days(chat)
    await days.until("2026-02-04T09:05")
    card = team_card(days)
    assert card.title == "2月4日(周三)团队早报：红灯2个"
    (field,) = card.fields
    await chat.press("li", card, "知道了", lead=field.options[1].id)
    assert chat.shown_as(card).title == "2月4日(周三)团队早报：红灯1个"
    await chat.press("li", chat.shown_as(card), "知道了")
    assert chat.shown_as(card).closed == "团队红灯都已处理"


async def test_what_is_done_from_a_list_does_not_tell_the_list_again(chat: Chat) -> None:
    """What does not fit on a WeCom card follows it as a text, once, and again on «刷新»."""
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    days = Days(chat)
    await days.until("2026-01-29T09:05")
    card = chat.card()

    def in_place() -> bool:
        updates = [one.content for one in chat.said if isinstance(one.content, CardUpdate)]
        return updates[-1].only_in_place

    await chat.press("zhang", card, "延后")
    assert in_place()
    await chat.press("zhang", card, "刷新")
    assert not in_place()
    await days.until("2026-02-10T09:05")
    await chat.press("li", team_card(days), "看详情")
    assert in_place()


async def test_a_press_for_one_lead_that_is_dealt_with_touches_no_other(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    days = Days(chat)
    await days.until("2026-02-04T09:05")
    card = team_card(days)
    one = card.fields[0].options[1].id
    await chat.press("li", card, "知道了", lead=one)
    assert "已经处理过了" in await chat.press("li", card, "知道了", lead=one)
    assert chat.shown_as(card).title == "2月4日(周三)团队早报：红灯1个"


async def test_the_supervisor_hands_a_lead_over_by_buttons(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-04T09:05")
    await chat.press("li", team_card(days), "转给…")
    question = chat.card("li")
    assert [button.label for button in question.buttons] == ["陈静"]
    assert "没有改动" in await chat.press("zhang", question, "陈静")
    assert "已从张伟转给陈静" in await chat.press("li", question, "陈静")
    assert (await chat.deal(account)).owner_id == chat.people["chen"].id


async def test_one_lead_must_be_chosen_to_hand_over_or_remark(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    days = Days(chat)
    await days.until("2026-02-04T09:05")
    for button in ("转给…", "批注"):
        assert "先在卡片上选一家" in await chat.press("li", team_card(days), button)


async def test_a_remark_goes_to_the_rep_and_into_the_stream(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-04T09:05")
    assert "批注什么" in await chat.press("li", team_card(days), "批注")
    await chat.say("li", "价格可以再让两个点")
    assert "李敏批注「杭州恒锐机电有限公司」：价格可以再让两个点" in chat.heard_by("zhang")
    assert "主管批注 价格可以再让两个点" in await chat.say("zhang", "动态 恒锐机电")
    assert "负责人的主管来写" in await chat.say("zhang", "批注 恒锐机电 我自己写")


async def test_minutes_that_are_asked_for_this_morning_are_no_reason_for_a_list(
    chat: Chat,
) -> None:
    """The second reminder falls at six, the lock at ten: the list at nine would be a third word."""
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电约了明天上午十点面访李总")
    await chat.say("zhang", "确认")
    days = Days(chat)
    await days.until("2026-02-02T12:00")
    assert days.story("zhang") == [
        "01-29 09:00 1月29日(周四)早报：今天约好1个",
        "01-30 10:00 面访纪要待补：杭州恒锐机电",
        "02-02 08:30 面访纪要待补：杭州恒锐机电",
        "02-02 10:00 面访纪要已锁定：杭州恒锐机电",
    ]
    assert "面访纪要还没交" in await chat.say("zhang", "待办")


async def test_a_list_names_what_was_told_before_it_last_and_in_one_line(chat: Chat) -> None:
    """The light of one customer reddens and is told at 08:30; the other one's call is news."""
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    days = Days(chat)
    await call(chat, "恒锐机电通了10分钟，2月13日再联系")
    await days.until("2026-02-02T10:00")
    await call(chat, "陈仓机床通了12分钟，周五上午十点再联系")
    await days.until("2026-02-06T09:05")
    assert days.story("zhang")[-2:] == [
        "02-06 08:30 红灯提醒：红灯1个，黄灯1个",
        "02-06 09:00 2月6日(周五)早报：红灯1个，今天约好1个",
    ]
    card = chat.card()
    assert card.lines[0].startswith("1. ")
    assert "陈仓" in card.lines[0]
    assert card.lines[1:] == ("今天另有单独提醒：2. 杭州恒锐机电",)
    assert card.fields[0].value == card.fields[0].options[0].id, "what is acted on is shown"
    await chat.press("zhang", card, "刷新")
    assert chat.shown_as(card).lines == card.lines
    await chat.press("zhang", card, "打电话了", item=card.fields[0].options[1].id)
    assert "恒锐" in chat.card().title


async def test_an_old_promise_is_not_told_again_beside_the_light_of_the_day(chat: Chat) -> None:
    """Overdue since Thursday and told on Friday; on Tuesday the light is the news, once."""
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    days = Days(chat)
    await days.until("2026-02-03T12:00")
    assert days.story("zhang") == [
        "01-29 09:00 1月29日(周四)早报：今天约好1个",
        "01-30 09:00 1月30日(周五)早报：约好没联系1个",
        "02-02 09:00 2月2日(周一)早报：约好没联系1个",
        "02-03 08:30 跟进提醒：黄灯1个",
    ]


async def test_new_locks_are_told_once_in_the_digest(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电报价12万")
    await chat.say("zhang", "先记下")
    days = Days(chat)
    await days.until("2026-02-03T12:00")
    locks = [line for line in days.story("li") if "新锁定" in line]
    assert locks == ["02-02 09:00 2月2日(周一)团队早报：新锁定1条"]
    assert "🔒 杭州恒锐机电（张伟）" in days.told("li")


async def test_a_supervisor_whose_team_reacts_to_nothing_is_not_flooded(chat: Chat) -> None:
    """Two leads redden each day: the push and its one reminder for the new ones, one digest for
    all the others."""
    days = Days(chat)
    for day in range(2, 7):
        await days.until(f"2026-02-0{day}T10:00")
        for number in range(2):
            await chat.customer(f"杭州第{day}{number}号机械有限公司")
    await days.until("2026-02-14T23:00")
    told = [line.split()[0] for line in days.story("li")]
    assert max(told.count(day) for day in told) == 3


async def test_an_older_list_brings_todays_up_to_date_and_points_to_it(chat: Chat) -> None:
    """A platform takes each card once: the day's list, sent again, would be seen by nobody."""
    await chat.customer(HENGRUI)
    await call(chat, "恒锐机电通了10分钟，明天再联系")
    days = Days(chat)
    await days.until("2026-01-29T09:05")
    yesterdays = chat.card()
    await days.until("2026-01-30T09:05")
    todays = chat.card()
    assert todays.card_id != yesterdays.card_id
    assert "今天早上的那张卡片" in await chat.press("zhang", yesterdays, "刷新")
    update = chat.said[-1].content
    assert isinstance(update, CardUpdate)
    assert update.card.card_id == todays.card_id
