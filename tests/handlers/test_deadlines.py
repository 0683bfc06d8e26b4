"""What a record still owes: reminders after 24 and 44 hours, the lock after 48, reopening."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days

NAME = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()  # Wednesday 2026-01-28, 15:00


async def book(chat: Chat, words: str = "恒锐机电约了明天下午三点面访李总") -> None:
    await chat.say("zhang", words)
    said = await chat.say("zhang", "确认")
    assert "有效" in said


async def hurry(chat: Chat) -> None:
    """An incomplete quote, stored as it is."""
    await chat.say("zhang", "恒锐机电报价12万")
    await chat.say("zhang", "先记下")


def about_records(days: Days, who: str) -> list[str]:
    return [line for line in days.story(who) if "待补：" in line or "锁定：" in line]


async def test_a_visit_without_minutes_is_reminded_of_twice_and_then_locked(chat: Chat) -> None:
    """The visit is on Thursday at three: the weekend has no hours."""
    await chat.customer(NAME)
    await book(chat)
    days = Days(chat)
    await days.until("2026-02-06T12:00")
    assert about_records(days, "zhang") == [
        "01-30 15:00 面访纪要待补：杭州恒锐机电",
        "02-02 11:00 面访纪要待补：杭州恒锐机电",
        "02-02 15:00 面访纪要已锁定：杭州恒锐机电",
    ]


async def test_minutes_in_time_end_the_reminding(chat: Chat) -> None:
    await chat.customer(NAME)
    await book(chat)
    days = Days(chat)
    await days.until("2026-01-30T15:05")
    reminder = chat.card()
    for _ in range(2):  # a second press shows the same draft
        assert "面访纪要" in await chat.press("zhang", reminder, "写纪要")
    await chat.say("zhang", "见的李总，下周二再联系")
    assert "有效" in await chat.say("zhang", "确认")
    await days.until("2026-02-06T12:00")
    assert about_records(days, "zhang") == ["01-30 15:00 面访纪要待补：杭州恒锐机电"]
    assert "补录" not in await chat.say("zhang", "动态 恒锐机电")


async def test_a_reminder_that_falls_in_the_night_is_dropped_if_it_is_done_by_the_morning(
    chat: Chat,
) -> None:
    await chat.customer(NAME)
    await book(chat, "恒锐机电约了明天晚上九点面访李总")
    days = Days(chat)
    await days.until("2026-01-30T22:00")
    assert about_records(days, "zhang") == []
    await chat.say("zhang", "昨天晚上拜访了恒锐机电李总，下周二再联系")
    await chat.say("zhang", "确认")
    await days.until("2026-02-06T12:00")
    assert about_records(days, "zhang") == []


async def test_a_quote_without_its_file_is_locked_and_completing_it_needs_the_supervisor(
    chat: Chat,
) -> None:
    account = await chat.customer(NAME)
    await hurry(chat)
    days = Days(chat)
    await days.until("2026-01-30T16:00")
    assert about_records(days, "zhang") == [
        "01-29 15:01 记录待补：杭州恒锐机电",
        "01-30 11:01 记录待补：杭州恒锐机电",
        "01-30 15:01 记录已锁定：杭州恒锐机电",
    ]
    lock = chat.card()
    assert "已锁定" in await chat.say("zhang", "待办")
    assert "已锁定" in await chat.say("zhang", "客户 恒锐机电")
    assert "（已锁定）" in await chat.say("zhang", "动态 恒锐机电")
    await chat.press("zhang", lock, "补齐")
    await chat.say("zhang", "", files=("报价单.pdf",))
    assert "已请李敏解锁" in await chat.say("zhang", "确认")
    await chat.press("li", chat.card("li"), "解锁", reason="已当面核实")
    newest = max(await chat.stream(account), key=lambda one: one.id)
    assert newest.valid
    assert newest.late
    assert "（补录）" in await chat.say("zhang", "动态 恒锐机电")
    assert "已锁定" not in await chat.say("zhang", "待办")


async def test_only_the_supervisor_reopens_and_only_with_a_reason(chat: Chat) -> None:
    account = await chat.customer(NAME)
    await hurry(chat)
    days = Days(chat)
    await days.until("2026-01-30T16:00")
    lock = chat.card()
    assert "已请李敏解锁" in await chat.press("zhang", lock, "请主管解锁")
    question = chat.card("li")
    assert "由记录人的主管解锁" in await chat.say("zhang", "解锁 恒锐机电 我忘了")
    assert "由记录人的主管解锁" in await chat.press("zhang", question, "解锁", reason="已当面核实")
    assert "解锁要写原因" in await chat.say("li", "解锁 恒锐机电")
    assert "48小时内" in await chat.press("li", question, "解锁", reason="已当面核实")
    assert "李敏已解锁" in chat.heard_by("zhang")
    assert "已经处理过了" in await chat.press("li", question, "解锁", reason="已当面核实")
    await chat.press("zhang", lock, "补齐")
    await chat.say("zhang", "", files=("报价单.pdf",))
    await chat.say("zhang", "确认")
    newest = max(await chat.stream(account), key=lambda one: one.id)
    assert newest.valid
    assert newest.late


async def test_what_was_reopened_and_still_not_made_good_is_locked_again(chat: Chat) -> None:
    await chat.customer(NAME)
    await hurry(chat)
    days = Days(chat)
    await days.until("2026-01-30T16:00")
    assert "已解锁" in await chat.say("li", "解锁 恒锐机电 客户补充确认")
    await days.until("2026-02-06T12:00")
    assert about_records(days, "zhang")[3:] == [
        "02-02 16:01 记录待补：杭州恒锐机电",
        "02-03 12:01 记录待补：杭州恒锐机电",
        "02-03 16:01 记录已锁定：杭州恒锐机电",
    ]


async def test_a_moved_visit_is_owed_at_its_new_hour(chat: Chat) -> None:
    await chat.customer(NAME)
    await book(chat)
    await chat.say("zhang", "恒锐机电面访改到下周二下午三点，还是见李总")
    await chat.say("zhang", "确认")
    days = Days(chat)
    await days.until("2026-02-02T12:00")
    assert about_records(days, "zhang") == []
    await days.until("2026-02-04T16:00")
    assert about_records(days, "zhang") == ["02-04 15:00 面访纪要待补：杭州恒锐机电"]


async def test_a_visit_that_was_not_held_owes_nothing_and_stands_in_the_stream(
    chat: Chat,
) -> None:
    await chat.customer(NAME)
    await book(chat)
    days = Days(chat)
    await days.until("2026-01-30T15:05")
    assert "未成行" in await chat.press("zhang", chat.card(), "没见成")
    await days.until("2026-02-06T12:00")
    assert len(about_records(days, "zhang")) == 1
    assert "面访未成行" in await chat.say("zhang", "动态 恒锐机电")


async def test_taking_the_minutes_back_makes_them_owed_again(chat: Chat) -> None:
    await chat.customer(NAME)
    await book(chat)
    days = Days(chat)
    await days.until("2026-01-29T17:00")
    await chat.say("zhang", "今天下午拜访了恒锐机电李总，下周二再联系")
    await chat.say("zhang", "确认")
    await chat.say("zhang", "撤销")
    await days.until("2026-02-02T16:00")
    assert about_records(days, "zhang")[-1] == "02-02 15:00 面访纪要已锁定：杭州恒锐机电"


async def test_who_is_on_leave_is_not_reminded_their_deputy_is(chat: Chat) -> None:
    await chat.customer(NAME)
    await hurry(chat)
    assert "陈静代跟" in await chat.say("li", "张伟请假到周五，陈静代")
    days = Days(chat)
    await days.until("2026-01-29T16:00")
    assert about_records(days, "zhang") == []
    assert about_records(days, "chen") == ["01-29 15:01 记录待补：杭州恒锐机电"]


async def test_the_new_owner_of_a_customer_owes_what_is_open(chat: Chat) -> None:
    await chat.customer(NAME)
    await hurry(chat)
    await chat.say("li", "把恒锐机电转给陈静")
    days = Days(chat)
    await days.until("2026-01-29T16:00")
    assert about_records(days, "zhang") == []
    assert about_records(days, "chen") == ["01-29 15:01 记录待补：杭州恒锐机电"]


async def test_a_lost_deal_owes_nothing_more(chat: Chat) -> None:
    await chat.customer(NAME)
    await hurry(chat)
    await chat.say("zhang", "恒锐机电丢单了")
    await chat.press("zhang", chat.card(), "价格高")
    assert "丢单" in await chat.say("zhang", "确认")
    days = Days(chat)
    await days.until("2026-02-02T12:00")
    assert about_records(days, "zhang") == []


async def test_a_draft_that_expires_at_night_is_told_of_in_the_morning(chat: Chat) -> None:
    await chat.customer(NAME)
    days = Days(chat)
    await days.until("2026-01-28T22:00")
    await chat.say("zhang", "恒锐机电通了10分钟")
    await days.until("2026-01-30T12:00")
    told = [line[:11] for line in days.story("zhang") if "已经作废" in line]
    assert told == ["01-30 08:30"]
