"""Those who lead: hand a customer over, set a leave, unlock a late record, see red lights."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.people import Role
from bot.messages import Card, Receipt
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days
from tests.handlers.light_company import at

HENGRUI = "杭州恒锐机电有限公司"
LATE = "上周一跟恒锐机电通了20分钟，嫌贵，下周三联系"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_a_supervisor_hands_a_customer_over_and_both_hear_of_it(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    before = await chat.deal(account)
    assert "已从张伟转给陈静" in await chat.say("li", "把恒锐机电转给陈静")
    deal = await chat.deal(account)
    assert deal.owner_id == chat.people["chen"].id
    assert deal.assigned_at > before.assigned_at
    assert deal.last_valid_at is None
    assert "转给了陈静" in chat.heard_by("zhang")
    assert "转给了你" in chat.heard_by("chen")
    assert "请核对" in await chat.say("chen", "恒锐机电通了10分钟，下周五联系")
    assert "由陈静负责" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")


async def test_an_undo_after_a_hand_over_leaves_the_former_owners_actions_alone(
    chat: Chat,
) -> None:
    """They used to become the new owner's last valid action."""
    account = await chat.customer(HENGRUI)
    await chat.say("li", "把恒锐机电转给陈静")
    await chat.say("chen", "恒锐机电通了10分钟，下周五联系")
    await chat.say("chen", "确认")
    assert (await chat.deal(account)).last_valid_at is not None
    await chat.say("chen", "撤销")
    assert (await chat.deal(account)).last_valid_at is None


async def test_a_draft_of_the_former_owner_is_not_stored(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    await chat.say("li", "把恒锐机电转给陈静")
    assert "由陈静负责" in await chat.say("zhang", "确认")
    assert await chat.stream(account) == []


async def test_giving_a_customer_to_somebody_is_said_in_short(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "给了" not in await chat.say("li", "把恒锐机电的方案给陈静")
    assert "已从张伟转给陈静" in await chat.say("li", "把恒锐机电给陈静")


@pytest.mark.parametrize(
    "order", ["把恒锐机电那个转给陈静", "恒锐机电以后让陈静跟", "恒锐机电转给陈静，他跟不动"]
)
async def test_a_customer_is_handed_over_in_everyday_words(chat: Chat, order: str) -> None:
    await chat.customer(HENGRUI)
    assert "已从张伟转给陈静" in await chat.say("li", order)


async def test_a_rep_who_asks_to_hand_over_hears_who_decides(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "要由双方的主管" in await chat.say("zhang", "帮我把恒锐机电转给陈静")


async def test_a_leader_calls_their_people_as_people_do(chat: Chat) -> None:
    assert "张伟 1月26日–1月28日" in await chat.say("li", "小张这周怎么样")
    await chat.customer(HENGRUI)
    assert "张伟的客户（1）" in await chat.say("li", "张伟手上有哪些客户")
    assert "你带的人里没有找到" in await chat.say("zhang", "陈静手上有哪些客户")


async def test_a_leaders_word_for_a_rep_goes_to_the_rep(chat: Chat) -> None:
    """It used to become a draft of the leader's own."""
    await chat.customer(HENGRUI)
    assert "批注已转给张伟" in await chat.say("li", "给张伟说一声让他赶紧跟恒锐机电")
    assert "让他赶紧跟恒锐机电" in chat.heard_by("zhang")
    assert "批注已转给张伟" in await chat.say("li", "提醒小张明天给恒锐机电打电话")
    assert "批注" not in await chat.say("zhang", "提醒陈静明天给恒锐机电打电话")


async def test_a_rep_cannot_hand_over(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    assert "要由双方的主管" in await chat.say("zhang", "把恒锐机电转给陈静")
    assert (await chat.deal(account)).owner_id == chat.people["zhang"].id


async def test_giving_a_proposal_to_a_customers_boss_is_no_hand_over(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "转给" not in await chat.say("li", "把恒锐机电的方案转给王总了")


async def test_a_leave_is_covered_by_the_deputy(chat: Chat) -> None:
    account = await chat.customer(HENGRUI, "chen")
    assert "请假到1月30日(周五)" in await chat.say("li", "陈静请假到周五，张伟代")
    assert "由你代跟" in chat.heard_by("zhang")
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    assert "已记录" in await chat.say("zhang", "确认")
    assert len(await chat.stream(account)) == 1
    chat.now += timedelta(days=3)
    assert "由陈静负责" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")


@pytest.mark.parametrize(
    ("who", "text", "told"),
    [
        ("zhang", "陈静请假到周五，张伟代", "要由主管"),
        ("zhang", "我请假到周五", "要由主管"),
        ("zhang", "请假到周五", "要由主管"),
        ("li", "解锁", "要解锁哪家客户"),
        ("li", "张三请假到周五", "没有找到「张三」"),
        ("li", "陈静请假", "请假到哪天"),
        ("li", "陈静请假到周五，陈静代", "不能代班"),
        ("li", "陈静销假", "现在没有请假"),
        ("wang", "陈静请假3天", "请假到1月30日(周五)"),
        ("li", "陈静明天请假，张伟顶一下", "请假到1月29日(周四)"),
        ("li", "下周三陈静请假", "请假到2月4日(周三)"),
        ("li", "陈静周五起请假3天", "请假到2月1日(周日)"),
        ("li", "陈静明天起休假到下周三", "请假到2月4日(周三)"),
        ("zhang", "明天我请假", "要由主管"),
        ("zhang", "下周我要休假三天", "要由主管"),
        ("li", "周一帆请假到周五", "没有找到"),
    ],
)
async def test_leaves_that_cannot_be_set_say_why(
    chat: Chat, who: str, text: str, told: str
) -> None:
    assert told in await chat.say(who, text)


async def test_back_from_leave_ends_it(chat: Chat) -> None:
    await chat.say("li", "陈静请假到周五，张伟代")
    assert "请假已结束" in await chat.say("li", "陈静销假")
    assert "不再由你代跟" in chat.heard_by("zhang")
    async with chat.database.begin() as tx:
        assert not (await tx.people.get(chat.people["chen"].id)).on_leave(chat.now)


async def test_a_late_record_is_locked_until_the_supervisor_unlocks_it(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", LATE)
    assert "已请李敏解锁" in await chat.say("zhang", "确认")
    card = chat.card("li")
    assert "解锁要写原因" in await chat.press("li", card, "解锁", reason="-")
    assert "已计为有效跟进" in await chat.press("li", card, "解锁", reason="出差或外勤不便")
    assert "李敏已解锁" in chat.heard_by("zhang")
    unlocked, locked = await chat.stream(account)
    assert (unlocked.valid, unlocked.late, unlocked.retracts_id) == (True, True, locked.id)
    assert unlocked.slots["unlocked"] == "李敏：出差或外勤不便"
    assert "已经处理过了" in await chat.press("li", card, "解锁", reason="出差或外勤不便")


async def test_at_night_the_supervisor_is_not_asked_before_the_morning(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    chat.now = at("2026-01-28 22:30")
    await chat.say("zhang", LATE)
    await chat.say("zhang", "确认")
    (card,) = [one for one in chat.said if one.to.user_id == "li" and isinstance(one.content, Card)]
    assert card.not_before == at("2026-01-29 08:30")
    await chat.say("li", "解锁 恒锐机电 他出差没信号")
    assert "现在计为有效跟进" in chat.heard_by("zhang")
    assert card.dedupe_key not in await sent_by(chat, "2026-01-29 09:00"), "nothing to ask"


async def sent_by(chat: Chat, until: str) -> list[str]:
    """The keys of all that goes out until then."""
    keys: list[str] = []
    async with chat.database.begin() as tx:
        while due := await tx.delivery.take_due(at=at(until), limit=50):
            keys += [one.dedupe_key for one in due]
            for one in due:
                await tx.delivery.mark_sent(one.id, Receipt(), at=at(until))
    return keys


async def test_words_unlock_as_well(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", LATE)
    await chat.say("zhang", "确认")
    assert "要写原因" in await chat.say("li", "解锁 恒锐机电")
    assert "已解锁" in await chat.say("li", "解锁恒锐机电，他出差没信号")
    assert (await chat.stream(account))[0].valid


async def test_nobody_unlocks_their_own_record(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", LATE)
    await chat.say("zhang", "确认")
    assert "由记录人的主管解锁" in await chat.say("zhang", "解锁 恒锐机电 我出差了")


async def test_a_record_that_stays_locked_is_told_to_its_rep(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", LATE)
    await chat.say("zhang", "确认")
    assert "保持锁定" in await chat.press("li", chat.card("li"), "不解锁")
    assert "李敏没有解锁" in chat.heard_by("zhang")
    assert [one.valid for one in await chat.stream(account)] == [False]


async def test_of_two_who_decide_the_first_stands_and_the_second_is_told(chat: Chat) -> None:
    """Without a supervisor all administrators are asked."""
    account = await chat.customer(HENGRUI)
    async with chat.database.begin() as tx:
        await tx.people.set_supervisor_override(chat.people["zhang"].id, None)
        await tx.people.set_roles(chat.people["wang"].id, [Role.ADMIN])
    await chat.say("zhang", LATE)
    assert "已请" in await chat.say("zhang", "确认")
    first, second = chat.card("zhao"), chat.card("wang")
    assert "保持锁定" in await chat.press("zhao", first, "不解锁")
    heard = len(chat.said)
    told = await chat.press("wang", second, "解锁", reason="已当面核实")
    assert "已经处理过了：赵倩没有解锁" in told
    assert chat.shown_as(second).closed == "赵倩没有解锁"
    assert not [one for one in chat.said[heard:] if one.to.user_id == "zhang"]
    assert [one.valid for one in await chat.stream(account)] == [False]
    assert "等主管解锁" not in await chat.say("zhang", "待办")
    assert "已解锁" in await chat.say("wang", "解锁 恒锐机电 补交了通话记录")


async def test_who_was_refused_may_ask_again(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电报价12万")
    await chat.say("zhang", "先记下")
    days = Days(chat)
    await days.until("2026-01-30T16:00")
    lock = chat.card()
    await chat.press("zhang", lock, "请主管解锁")
    question = chat.card("li")
    await chat.press("li", question, "不解锁")
    await chat.press("zhang", lock, "请主管解锁")
    again = chat.card("li")
    assert again.revision > question.revision
    assert "48小时内" in await chat.press("li", again, "解锁", reason="已当面核实")


async def test_an_unlocked_record_can_be_undone_by_its_rep(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", LATE)
    await chat.say("zhang", "确认")
    await chat.say("li", "解锁 恒锐机电 他出差没信号")
    assert "已撤销" in await chat.say("zhang", "撤销")
    assert "没有等着解锁" in await chat.say("li", "解锁 恒锐机电 他出差没信号")


async def test_leaders_see_the_red_lights_of_their_people(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer("宁波甬江轴承有限公司", "chen")
    await chat.later(days=14)
    for who in ("li", "wang", "zhao"):
        for question in ("待办", "我的灯"):
            said = await chat.say(who, question)
            assert "🔴 杭州恒锐机电（张伟）" in said
            assert "🔴 宁波甬江轴承（陈静）" in said
    assert "陈静" not in await chat.say("zhang", "我的灯")
