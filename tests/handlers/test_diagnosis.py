"""«诊断»: what breaks, how often, an example and the setting."""

from __future__ import annotations

import itertools
import re

import pytest

from bot.domain.people import Role
from bot.domain.stages import MoveKind, StageEvent
from storage.database import Database
from tests.handlers.chat_company import CALENDAR, Chat
from tests.handlers.chat_days import Days

HENGRUI = "杭州恒锐机电有限公司"
CHENCANG = "宝鸡陈仓机床有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()  # Wednesday 2026-01-28, 15:00


async def test_each_break_has_its_count_an_example_and_the_setting(chat: Chat) -> None:
    for name in (HENGRUI, CHENCANG, "宁波甬江轴承有限公司"):
        await chat.customer(name)
    await chat.say("zhang", "恒锐机电约了明天下午三点面访李总")
    await chat.say("zhang", "确认")
    await chat.say("zhang", "陈仓机床报价12万")
    await chat.say("zhang", "先记下")
    await chat.say("zhang", "甬江轴承通了10分钟")
    await Days(chat).until("2026-02-05T10:00")
    said = await chat.say("li", "诊断")
    assert _block(said, "面访没交纪要：1处")["例如"] == "杭州恒锐机电（张伟）"
    assert _block(said, "记录没补全：1处")["例如"] == "宝鸡陈仓机床（张伟）"
    assert _block(said, "草稿没确认就作废：1处")["例如"] == "宁波甬江轴承（张伟）"
    assert _block(said, "约好没联系：1处")
    assert _block(said, "什么都没记的人：1人")["例如"] == "陈静"
    reminders = _block(said, "面访没交纪要：1处")["相关设置"]
    assert reminders == "补全提醒（现在 24、44小时），可以改成 8、24、44小时"
    assert "设置由管理员或销售总监开启" in said
    assert not re.search(r"[a-z]", said)  # no key of a file
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["chen"].id, [Role.SUPERVISOR, Role.REP])
    assert "什么都没记的人" not in await chat.say("li", "诊断")  # who leads need not sell
    assert "红灯没人点知道了" in said


async def test_a_late_record_shows_until_it_is_old(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "上周四恒锐机电通了10分钟，下周三再联系")
    await chat.say("zhang", "确认")
    said = await chat.say("li", "诊断")
    assert "补录太晚：1处**" in said
    assert "补录等解锁：1处**" in said
    await chat.say("li", "解锁 恒锐机电 出差没信号")
    assert "补录等解锁" not in await chat.say("li", "诊断")


async def test_a_lead_without_any_action_for_long_is_dead(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-28T10:00")  # twenty working days lie between: not more
    assert "超过20个工作日" not in await chat.say("li", "诊断")
    await days.until("2026-03-03T10:00")
    assert "超过20个工作日没有有效跟进：1处" in await chat.say("li", "诊断")


async def test_a_team_where_nothing_breaks_is_told_so(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(CHENCANG, "chen")
    assert "没有发现断点" in await chat.say("li", "诊断")


async def test_a_rep_gets_no_diagnosis_of_others(chat: Chat) -> None:
    assert "诊断给主管" in await chat.say("zhang", "诊断")


async def test_minutes_that_came_after_the_lock_are_late_evidence(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电约了明天下午三点面访李总")
    await chat.say("zhang", "确认")
    await Days(chat).until("2026-02-03T10:00")
    assert "材料锁定后才补" not in await chat.say("li", "诊断")  # still owed
    await chat.say("zhang", "1月29日下午三点到恒锐机电面访李总，谈了一个小时交期，下周三再联系")
    await chat.say("zhang", "先记下")
    told = _block(await chat.say("li", "诊断"), "材料锁定后才补：1处")
    assert told["例如"] == "杭州恒锐机电（张伟）"


async def test_a_stage_that_moved_without_any_work_is_told(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    other = await chat.customer(CHENCANG)
    await Days(chat).until("2026-03-10T10:00")
    await chat.say("zhang", "陈仓机床通了25分钟电话，王总要看样机，下周三再联系")
    await chat.say("zhang", "确认")
    async with chat.database.begin() as tx:
        for one in (account, other):
            deal = (await tx.opportunities.of_account(one.id))[-1]
            await tx.stages.add(
                StageEvent(deal.id, one.id, MoveKind.FORWARD, deal.library, came_from="quote",
                           went_to="negotiation", at=chat.now, person_id=one.owner_id,
                           required_filled=3),
                CALENDAR,
            )  # fmt: skip
    told = _block(await chat.say("li", "诊断"), "阶段变了没有跟进记录：1处")
    assert told["例如"] == "杭州恒锐机电（张伟）"


async def test_a_group_of_which_nothing_was_kept_is_told(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "今天天气不错", group="g1")
    await chat.say("chen", "今天天气不错", group="g2")
    await chat.say("zhang", "恒锐机电通了25分钟电话，王总要看样机，下周三再联系", group="g2")
    await chat.say("zhang", "确认", group="g2")
    told = _block(await chat.say("li", "诊断"), "群里说了没记到客户：1处")
    assert told["例如"] == "群聊（张伟）"


def _block(said: str, title: str) -> dict[str, str]:
    """The lines under one finding, by their names."""
    text = said.split(f"**{title}**\n")[1]
    lines = itertools.takewhile(lambda line: line.startswith("- "), text.split("\n"))
    return {name: told for name, _, told in (line[2:].partition("：") for line in lines)}
