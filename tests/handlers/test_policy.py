"""«设置» and the buttons of «诊断»: who may change a number, what is asked before, when it is in
force, and how it is taken back."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from bot.domain.people import Role
from bot.domain.policy import Policy
from config.policy import change_policy
from handlers import Handlers
from handlers.policy.policies import PolicyBook
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days

HENGRUI = "杭州恒锐机电有限公司"
CALL = "恒锐机电通了25分钟电话，王总要看样机，下周三再联系"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def changed(chat: Chat, who: str, words: str) -> str:
    await chat.say(who, words)
    return await chat.press(who, chat.card(who), "确认修改")


@pytest.mark.parametrize("order", ["黄灯改成两天", "把黄灯天数设成2天", "黄灯天数改成2"])
async def test_a_number_is_changed_in_everyday_words(chat: Chat, order: str) -> None:
    assert "3个工作日 → 2个工作日" in await chat.say("zhao", order)
    assert "设置由管理员改" in await chat.say("zhang", order)


async def test_a_teams_number_is_changed_in_everyday_words(chat: Chat) -> None:
    asked = await chat.say("zhao", "给李敏团队黄灯改成两天")
    assert "李敏" in asked
    assert "2个工作日" in asked


async def test_an_administrator_reads_what_a_number_means_and_changes_it(chat: Chat) -> None:
    assert "黄灯天数：3个工作日" in await chat.say("zhao", "设置")
    told = await chat.say("zhao", "设置 黄灯天数")
    assert "没有有效跟进满这么多，亮黄灯" in told
    assert "默认：3个工作日" in told
    asked = await chat.say("zhao", "设置 黄灯天数 2")
    assert "3个工作日 → 2个工作日" in asked
    assert "影响：全公司，5人" in asked
    assert chat.office.policy.lights.yellow_days == 3  # nothing before the press
    assert "改为 2个工作日，已生效" in await chat.press("zhao", chat.card("zhao"), "确认修改")
    assert "黄灯天数：2个工作日（改过）" in await chat.say("zhao", "设置")
    record = await chat.say("zhao", "设置记录")
    assert "赵倩：全公司 黄灯天数 默认（3个工作日） → 2个工作日" in record


async def test_the_change_is_in_the_audit_chain(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 黄灯天数 2")
    async with chat.database.begin() as tx:
        assert await tx.audit.verify() is None
        number, _ = await tx.audit.head()
        change = await tx.policy_changes.newest("lights.yellow_days", None)
    assert number == 1
    assert change is not None
    assert (change.before, change.after, change.person_id) == (None, 2, chat.people["zhao"].id)


async def test_a_lead_is_judged_by_the_new_number_at_the_next_sweep(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)  # a first call three working days ago
    await chat.later(minutes=1)
    assert (await chat.deal(account)).light == "green"
    await changed(chat, "zhao", "设置 黄灯天数 2")
    await chat.later(minutes=1)
    assert (await chat.deal(account)).light == "yellow"


async def test_undoing_puts_back_what_was_there(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 补录时限 72小时")
    await changed(chat, "zhao", "设置 补录时限 24")
    card = chat.shown_as(chat.card("zhao"))
    assert [button.label for button in card.buttons] == ["撤销"]
    assert "改为 72小时" in await chat.press("zhao", card, "撤销")
    assert "补录时限：72小时" in await chat.say("zhao", "设置")


async def test_only_the_last_change_of_a_number_is_undone(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 补录时限 72")
    first = chat.shown_as(chat.card("zhao"))
    await changed(chat, "zhao", "设置 补录时限 24")
    assert "后来又改过，现在是 24小时" in await chat.press("zhao", first, "撤销")
    assert "补录时限：24小时" in await chat.say("zhao", "设置")


async def test_a_number_that_somebody_changed_meanwhile_is_not_written_over(chat: Chat) -> None:
    await chat.say("zhao", "设置 黄灯天数 2")
    mine = chat.card("zhao")
    await changed(chat, "zhao", "设置 黄灯天数 4")
    assert "已经被别人改过，现在是 4个工作日" in await chat.press("zhao", mine, "确认修改")
    assert "黄灯天数：4个工作日" in await chat.say("zhao", "设置")


async def test_a_second_press_of_the_same_button_changes_nothing(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 黄灯天数 2")
    again = await chat.press("zhao", chat.card("zhao"), "确认修改")
    assert "已经被别人改过" in again
    async with chat.database.begin() as tx:
        assert len(await tx.policy_changes.list_last(limit=9)) == 1


async def test_default_gives_the_number_back_to_the_file(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 黄灯天数 2")
    await changed(chat, "zhao", "设置 黄灯天数 默认")
    assert "黄灯天数：3个工作日\n" in await chat.say("zhao", "设置")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("设置 黄灯天数 9", "黄灯天数不能改成 9个工作日：红灯天数不应小于黄灯天数"),
        ("设置 黄灯天数 0", "应为不小于 1 的整数"),
        ("设置 黄灯天数 三两天", "不是黄灯天数的写法"),
        ("设置 黄灯天数 3", "现在就是 3个工作日"),
        ("设置 晨报时间 23:00", "不应落在免打扰时段"),
        ("设置 晨报时间 9点 给 李敏团队", "整个公司共用"),
        ("设置 火星天数 3", "没有叫「火星天数」的设置"),
        ("设置 黄灯天数 2 给 张伟团队", "没有团队成员"),
        ("设置 黄灯天数 2 给 刘备团队", "没找到主管"),
    ],
)
async def test_what_does_not_go_is_refused_with_the_reason(
    chat: Chat, words: str, answer: str
) -> None:
    assert answer in await chat.say("zhao", words)


async def test_reps_and_supervisors_change_nothing(chat: Chat) -> None:
    for who in ("zhang", "li"):
        assert "由管理员改" in await chat.say(who, "设置 黄灯天数 2")
    await chat.say("zhao", "设置 黄灯天数 2")
    assert "由管理员改" in await chat.press("li", chat.card("zhao"), "确认修改")


async def test_a_director_changes_their_own_people_but_not_the_company(chat: Chat) -> None:
    assert "由管理员改" in await chat.say("wang", "设置 黄灯天数 2")
    assert "由管理员改" in await chat.say("wang", "设置 催办间隔 2")
    asked = await chat.say("wang", "设置 黄灯天数 2 给 我的团队")
    assert "影响：王建国的团队，4人" in asked


async def test_a_team_works_by_its_own_number_and_its_leader_is_told(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    async with chat.database.begin() as tx:
        await tx.people.set_supervisor_override(chat.people["chen"].id, chat.people["wang"].id)
    other = await chat.customer("宝鸡陈仓机床有限公司", "chen")
    await changed(chat, "zhao", "设置 黄灯天数 2 给 李敏团队")
    assert "赵倩把李敏的团队的黄灯天数从 3个工作日 改为 2个工作日" in chat.heard_by("li")
    await chat.later(minutes=1)
    assert (await chat.deal(account)).light == "yellow"
    assert (await chat.deal(other)).light == "green"
    assert "单独设的团队：李敏的团队 2个工作日" in await chat.say("zhao", "设置 黄灯天数")
    asked = await chat.say("zhao", "设置 黄灯天数 4")
    assert "影响：全公司，3人" in asked  # not 张伟 and 李敏, who have their own


async def test_who_joins_a_team_works_by_its_number_within_ten_minutes(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_supervisor_override(chat.people["chen"].id, chat.people["wang"].id)
    await changed(chat, "zhao", "设置 黄灯天数 2 给 李敏团队")
    await chat.say("chen", "帮助")
    policies, chen = chat.office.policies, chat.people["chen"].id
    assert policies.of(chen).lights.yellow_days == 3
    async with chat.database.begin() as tx:
        await tx.people.set_supervisor_override(chen, chat.people["li"].id)
    chat.now += timedelta(minutes=10)
    await chat.say("chen", "帮助")
    assert policies.of(chen).lights.yellow_days == 2


async def test_numbers_of_a_team_are_layered_over_those_of_the_teams_above(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 黄灯天数 2 给 王建国团队")
    await changed(chat, "zhao", "设置 红灯天数 9 给 李敏团队")
    await chat.say("zhang", "帮助")
    lights = chat.office.policies.of(chat.people["zhang"].id).lights
    assert (lights.yellow_days, lights.red_days) == (2, 9)
    # 红灯 of the company may not fall below what 王建国's people have for 黄灯.
    assert "不能改成" in await chat.say("zhao", "设置 红灯天数 1")


async def test_another_process_works_by_the_new_number_with_its_next_message(chat: Chat) -> None:
    policies = PolicyBook(Policy(), change_policy)
    other = dataclasses.replace(chat.office, policies=policies)
    await chat.customer(HENGRUI)
    await changed(chat, "zhao", "设置 自动存草稿 开")
    assert not policies.organisation.drafts.auto_confirm
    chat.handlers = Handlers(other)
    said = await chat.say("zhang", CALL)
    assert "撤销" in said  # stored at once
    assert policies.organisation.drafts.auto_confirm


async def test_changes_survive_a_restart_and_an_upgrade_that_refuses_one(chat: Chat) -> None:
    await changed(chat, "zhao", "设置 黄灯天数 2")
    async with chat.database.begin() as tx:
        await tx.policy_changes.add(
            team_id=chat.people["li"].id, key="lights.gone_days", before=None, after=4,
            by=chat.people["zhao"].id, at=chat.now,
        )  # fmt: skip
        for key, value in (("gone.table", 1), ("lights.red_days", 0)):
            await tx.policy_changes.add(
                team_id=None, key=key, before=None, after=value,
                by=chat.people["zhao"].id, at=chat.now,
            )  # fmt: skip
    fresh = PolicyBook(Policy(), change_policy)
    async with chat.database.begin() as tx:
        await fresh.follow(tx, chat.now)
    assert fresh.organisation.lights.yellow_days == 2
    assert fresh.of(chat.people["zhang"].id).lights.yellow_days == 2


async def test_the_call_minimum_and_the_late_hours_reach_the_action_units(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await changed(chat, "zhao", "设置 电话最短时长 600秒")
    await chat.say("zhang", "恒锐机电通了8分钟电话，王总要看样机，下周三再联系")
    await chat.say("zhang", "确认")
    assert not (await chat.stream(account))[0].valid
    await changed(chat, "zhao", "设置 补录时限 2")
    await chat.say("zhang", "昨天上午恒锐机电通了25分钟电话，王总要看样机，下周三再联系")
    await chat.say("zhang", "确认")
    assert any(one.late for one in await chat.stream(account))


async def test_the_morning_list_goes_out_at_the_new_time_and_once_a_day(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    days = Days(chat)
    await days.until("2026-02-04T08:00")
    await changed(chat, "zhao", "设置 晨报时间 8:40")
    before = len(chat.said)
    await days.until("2026-02-04T08:41")
    lists = [one for one in chat.said[before:] if one.dedupe_key.startswith("morning-")]
    assert len(lists) == 1
    await changed(chat, "zhao", "设置 晨报时间 9:30")
    before = len(chat.said)
    await days.until("2026-02-04T12:00")
    assert not [one for one in chat.said[before:] if one.dedupe_key.startswith("morning-")]


async def test_a_diagnosis_offers_an_administrator_what_helps(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await Days(chat).until("2026-03-10T10:00")
    await chat.say("zhao", "诊断")
    offers = chat.card("zhao")
    line = next(one for one in offers.lines if "公海天数" in one)
    assert "超过20个工作日没有有效跟进：公海天数 关 → 30个工作日" in line
    asked = await chat.press("zhao", offers, f"开启第{line[0]}项")
    assert "影响：全公司，5人" in asked
    await chat.press("zhao", chat.card("zhao"), "确认修改")
    await chat.say("zhao", "诊断")
    assert chat.office.policy.customers.pool_after_workdays == 30
    assert not any("公海天数" in line for line in chat.card("zhao").lines)


async def test_a_director_is_offered_what_a_team_may_have_and_a_supervisor_nothing(
    chat: Chat,
) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电约了明天下午三点面访李总")
    await chat.say("zhang", "确认")
    await Days(chat).until("2026-03-10T10:00")
    await chat.say("wang", "诊断")
    offers = chat.card("wang")
    assert offers.lines[:-1]
    assert not any("公海" in line or "催办" in line for line in offers.lines)
    asked = await chat.press("wang", offers, "开启第1项")
    assert "影响：王建国的团队" in asked
    assert "开启第1项" not in await chat.say("li", "诊断")


async def test_a_number_no_longer_offered_is_refused_to_who_lost_the_role(chat: Chat) -> None:
    await chat.say("zhao", "设置 黄灯天数 2")
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.REP])
    assert "由管理员改" in await chat.press("zhao", chat.card("zhao"), "确认修改")
