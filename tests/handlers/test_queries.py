"""The to-do list and questions."""

from __future__ import annotations

import re

import pytest

from bot.domain.people import Role
from storage.database import Database
from tests.handlers.chat_company import Chat


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_what_to_do_first_stands_on_top(chat: Chat) -> None:
    for name, told in (
        ("杭州恒锐机电有限公司", "恒锐机电通了10分钟，明天联系"),
        ("宁波甬江轴承有限公司", "甬江轴承下周三再联系"),
    ):
        await chat.customer(name)
        await chat.say("zhang", told)
        await chat.say("zhang", "确认")
    await chat.customer("嘉兴南湖铸造有限公司")
    await chat.later(days=2)
    await chat.say("zhang", "南湖铸造通了10分钟")
    said = await chat.say("zhang", "待办")
    order = [said.index(word) for word in ("📝 嘉兴南湖铸造", "杭州恒锐机电 · ", "宁波甬江轴承 · ")]
    assert order == sorted(order)
    assert "约好1月29日(周四)没联系" in said


async def test_sixty_items_stay_one_screen(chat: Chat) -> None:
    for number in range(60):
        await chat.customer(f"杭州第{number:02}号机械有限公司")
    await chat.later(days=14)
    said = await chat.say("zhang", "待办")
    assert "待办60项" in said
    assert "还有54项" in said
    assert len(said.encode()) < 2048  # one WeCom message


async def test_nothing_to_do_says_so(chat: Chat) -> None:
    assert "今天没有待办" in await chat.say("zhang", "待办")


async def test_a_customer_of_somebody_else_is_not_shown(chat: Chat) -> None:
    await chat.customer("宁波甬江轴承有限公司", "chen")
    for question in ("客户 甬江轴承", "动态 甬江轴承", "甬江轴承怎么样了"):
        assert "不在你和你团队的客户里" in await chat.say("zhang", question)


async def test_a_light_is_put_off_as_its_card_suggests_to_say_it(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    await chat.later(days=9)
    assert "已延后" in await chat.say("zhang", "恒锐机电延后2天，客户出差")


async def test_an_unlit_light_cannot_be_put_off(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    assert "没有亮灯" in await chat.say("zhang", "恒锐机电的黄灯缓两天，他们在盘点")


async def test_help_for_who_has_every_role_fits_into_messages_by_topic(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, list(Role))
    said = [await chat.say("zhao", "帮助")]
    topics = re.findall(r"帮助 (\w+)", said[0])
    said += [await chat.say("zhao", f"帮助 {topic}") for topic in topics]
    for word in ("过程数据", "客户画像", "切换动作库", "待匹配回款", "条款复核", "拒绝原因"):
        assert word in "".join(said)
    assert all(len(one.encode()) <= 2048 for one in said)  # of a WeCom text


async def test_help_for_who_sells_nothing_begins_with_their_own_work(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.FINANCE])
    told = await chat.say("zhao", "帮助")
    assert "待匹配回款" in told
    assert "记跟进" not in told
    assert "记跟进" in await chat.say("zhao", "帮助 销售")


async def test_help_about_the_work_of_others_is_the_own_help(chat: Chat) -> None:
    assert await chat.say("zhang", "帮助 财务") == await chat.say("zhang", "帮助")


async def test_a_leader_asks_about_one_of_theirs(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    await chat.say("zhang", "确认")
    said = await chat.say("li", "张伟今天打了几个电话")
    assert "记了1条（跟进电话1），有效跟进1次" in said
    assert "杭州恒锐机电 · 跟进电话" in said
    assert "首次电话1" in await chat.say("li", "张伟上周干了啥")
    assert "这段时间没有记录" in await chat.say("li", "张伟昨天干了啥")
    assert "进行中1个商机" in await chat.say("li", "张伟情况怎么样")


async def test_nobody_else_is_told_about_them(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    for who in ("chen", "zhang"):
        assert "张伟 " not in await chat.say(who, "张伟这周干了啥")


async def test_a_leader_asks_about_the_team(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    assert "团队总览" in await chat.say("li", "我们组现在什么情况")
    assert "团队总览" not in await chat.say("zhang", "我们组现在什么情况")


async def test_why_a_light_is_on_stands_on_the_customers_card(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    await chat.later(days=14)
    assert "个工作日没有有效跟进" in await chat.say("zhang", "为什么恒锐机电亮红灯")


async def test_a_question_about_how_it_goes_gives_nothing_up(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    for question in ("恒锐机电咋样了", "恒锐机电怎么回事", "恒锐机电啥情况"):
        said = await chat.say("zhang", question)
        assert "最近动态" in said
        assert "丢单" not in said


async def test_an_order_names_one_customer_and_one_colleague(chat: Chat) -> None:
    for name in ("杭州恒锐机电有限公司", "无锡恒锐自动化有限公司"):
        await chat.customer(name)
    assert "带上全称" in await chat.say("li", "把恒锐转给陈静")
    assert "李伟" in await chat.say("li", "把恒锐机电转给李伟")


async def test_somebody_is_back(chat: Chat) -> None:
    await chat.say("li", "陈静请假到下周三")
    assert "请假已结束" in await chat.say("li", "陈静回来了")
    assert "请假" not in await chat.say("chen", "我回来了")
