"""Own figures, the week's summary and the director's view."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days

HENGRUI = "杭州恒锐机电有限公司"
CHENCANG = "宝鸡陈仓机床有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()  # Wednesday 2026-01-28, 15:00


async def record(chat: Chat) -> None:
    """One valid call for tomorrow, and one quote without its file."""
    await chat.say("zhang", "恒锐机电通了10分钟，明天再联系")
    await chat.say("zhang", "确认")
    await chat.say("zhang", "陈仓机床报价12万")
    await chat.say("zhang", "先记下")


async def test_figures_say_how_many_and_how_they_are_computed(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    await record(chat)
    said = await chat.say("li", "过程数据")
    assert "完整率：75%（3/4）" in said  # with the two first calls of the sample
    assert "怎么算：有效动作÷全部动作" in said
    assert "首次联系用时：0分钟（2次的中位数）" in said
    assert "预警响应时效：还没有数据" in said


async def test_a_rep_sees_only_their_own(chat: Chat) -> None:
    await chat.customer(HENGRUI, "chen")
    assert "还没有数据" in await chat.say("zhang", "过程数据")
    assert "（1人）" in await chat.say("zhang", "过程数据")
    assert "销售总监" in await chat.say("zhang", "团队总览")


async def test_what_was_taken_back_is_in_no_figure(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了1分钟，明天再联系")
    await chat.say("zhang", "确认")
    assert "50%（1/2）" in await chat.say("zhang", "过程数据")
    await chat.say("zhang", "撤销")
    assert "100%（1/1）" in await chat.say("zhang", "过程数据")


async def test_the_answer_to_a_light_is_timed_from_its_push(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-03T09:30")
    await chat.press("li", chat.card("li"), "知道了")
    assert "预警响应时效：30分钟（只有1次）" in await chat.say("li", "过程数据")


async def test_the_week_is_summed_up_on_its_last_working_day(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG)
    await record(chat)
    days = Days(chat)
    await days.until("2026-02-09T12:00")
    summaries = [line for line in days.story("li") if "17:00" in line]
    assert [line[:5] for line in summaries] == ["01-30", "02-06"]
    assert "约定兑现：0%（0/1）" in days.told("li")
    assert "本周小结 1月26日–1月30日（2人）" in days.told("wang")


async def test_a_light_that_rises_on_a_weekend_is_new_in_the_week_after(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-03T12:00")  # a Tuesday: three working days later it is Saturday
    await record(chat)
    await days.until("2026-02-07T12:00")
    before = days.told("li")
    assert "现在黄灯0个" in before.split("本周小结")[-1]
    await days.until("2026-02-14T18:00")
    assert "本周新亮1个" in days.told("li").removeprefix(before)


async def test_a_director_who_leads_a_team_is_told_of_everybody_once(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["li"].id, [Role.SUPERVISOR, Role.REP])
    days = Days(chat)
    await days.until("2026-01-31T12:00")
    assert [line for line in days.story("wang") if "小结" in line] == [
        "01-30 17:00 **本周小结 1月26日–1月30日（3人）**"
    ]


async def test_a_week_that_ends_on_a_saturday_is_summed_up_then(chat: Chat) -> None:
    """2026-02-14 is worked, before the Spring Festival."""
    days = Days(chat)
    await days.until("2026-02-20T12:00")
    assert [line[:5] for line in days.story("li") if "17:00" in line][-1] == "02-14"


async def test_a_team_below_five_is_not_ranked(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("wang", "团队总览")
    assert "不足5人，不排名" in said
    assert "李敏团队（2人，商机1个）" in said
    assert "1. " not in said
