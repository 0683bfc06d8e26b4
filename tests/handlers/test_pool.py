"""The public pool and leads that are given to somebody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.opportunities import Account, Light, OpportunityState
from bot.domain.policy import CustomerPolicy, Policy
from bot.domain.stages import MoveKind
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.light_company import at

HENGRUI = "杭州恒锐机电有限公司"
YONGJIANG = "宁波甬江轴承有限公司"
RULES = CustomerPolicy(pool_after_workdays=10, pool_warn_workdays=3, claims_per_day=2)


@pytest.fixture
async def chat(database: Database) -> Chat:
    chat = Chat(database, policy=Policy(customers=RULES))
    chat.now = at("2026-03-02 15:00")  # a Monday without holidays near
    return await chat.open()


async def run(chat: Chat, job_name: str) -> None:
    """A tick of a job now."""
    (job,) = [job for job in chat.handlers.jobs() if job.name == job_name]
    async with chat.database.begin() as tx:
        chat.said += await job.run(tx, chat.now)


async def days_go_by(chat: Chat, until: str, job_name: str = "customer pool") -> None:
    while chat.now < at(until):
        chat.now = min(chat.now + timedelta(hours=1), at(until))
        await run(chat, job_name)


async def account(chat: Chat, name: str = HENGRUI) -> Account:
    async with chat.database.begin() as tx:
        found = await tx.accounts.find_by_name(name)
    assert found is not None
    return found


async def test_a_customer_nobody_works_on_goes_to_the_pool_after_a_warning(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await days_go_by(chat, "2026-03-05 18:00")
    assert "会进公海" not in chat.heard_by("zhang")
    await days_go_by(chat, "2026-03-10 18:00")
    assert chat.heard_by("zhang").count("会进公海") == 1
    assert (await account(chat)).in_pool_since is None
    await days_go_by(chat, "2026-03-11 18:00")
    assert "已进公海" in chat.heard_by("zhang")
    assert (await account(chat)).in_pool_since is not None
    deal = await chat.deal(await account(chat))
    assert (deal.state, deal.light) == (OpportunityState.ON_HOLD, Light.GREEN)


async def test_a_valid_action_after_the_warning_keeps_it(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await days_go_by(chat, "2026-03-10 10:00")
    assert "会进公海" in chat.heard_by("zhang")
    await chat.say("zhang", "跟恒锐机电王总打了20分钟电话，没异议，后天再联系")
    await chat.press("zhang", chat.card("zhang"), "确认")
    await days_go_by(chat, "2026-03-18 18:00")
    assert (await account(chat)).in_pool_since is None


@pytest.mark.parametrize("state", [OpportunityState.WON, OpportunityState.ON_HOLD])
async def test_what_is_won_or_on_hold_does_not_go(chat: Chat, state: OpportunityState) -> None:
    deal = await chat.deal(await chat.customer(HENGRUI))
    async with chat.database.begin() as tx:
        await tx.opportunities.save(replace(deal, state=state))
    await days_go_by(chat, "2026-04-10 18:00")
    assert (await account(chat)).in_pool_since is None
    assert "不进公海" in await chat.say("zhang", "放回公海 恒锐机电 不跟了")


async def test_without_the_rule_nobody_is_warned_until_it_is_switched_on(
    database: Database,
) -> None:
    chat = await Chat(database).open()
    await chat.customer(HENGRUI)
    chat.now = at("2026-03-10 15:00")
    await run(chat, "customer pool")
    async with chat.database.begin() as tx:
        job = next(one for one in chat.handlers.jobs() if one.name == "customer pool")
        assert job.next_due is not None
        assert await job.next_due(tx) is None  # so a clock that jumps does not stop for it
    assert "公海" not in chat.heard_by("zhang")
    await chat.say("zhao", "设置 公海天数 20")
    await chat.press("zhao", chat.card("zhao"), "确认修改")
    await run(chat, "customer pool")
    assert chat.heard_by("zhang").count("会进公海") == 1


async def test_put_back_with_a_reason_and_taken_by_a_colleague(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "请带上原因" in await chat.say("zhang", "放回公海 恒锐机电")
    assert "已放回公海" in await chat.say("zhang", "放回公海 恒锐机电 半年内没有采购计划")
    listed = await chat.say("chen", "公海")
    assert HENGRUI in listed
    assert "半年内没有采购计划" in listed
    assert "先发「领取" in await chat.say("chen", "跟恒锐机电王总打了20分钟电话，没异议，后天联系")
    assert "归你了" in await chat.say("chen", "领取 恒锐机电")
    owned = await account(chat)
    assert (owned.owner_id, owned.in_pool_since) == (chat.people["chen"].id, None)
    deal = await chat.deal(owned)
    assert (deal.state, deal.owner_id) == (OpportunityState.OPEN, owned.owner_id)
    assert "看不到" in await chat.say("zhang", "领取 恒锐机电")
    assert "公海里没有客户" in await chat.say("zhang", "公海")


async def test_the_list_is_searched_by_words(chat: Chat) -> None:
    for name in (HENGRUI, YONGJIANG):
        await chat.customer(name)
        await chat.say("zhang", f"放回公海 {name} 不跟了")
    said = await chat.say("chen", "公海 轴承")
    assert YONGJIANG in said
    assert HENGRUI not in said
    assert "没有含「水泵」的客户" in await chat.say("chen", "公海 水泵")


async def test_the_last_owner_may_not_take_it_again_at_once(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "放回公海 恒锐机电 不跟了")
    assert "4月1日起你才能再领" in await chat.say("zhang", "领取 恒锐机电")
    chat.now += timedelta(days=31)
    assert "归你了" in await chat.say("zhang", "领取 恒锐机电")


async def test_nobody_takes_more_than_the_day_allows(chat: Chat) -> None:
    names = (HENGRUI, YONGJIANG, "绍兴越城纺机有限公司")
    for name in names:
        await chat.customer(name)
        await chat.say("zhang", f"放回公海 {name} 不跟了")
    for name in names[:2]:
        assert "归你了" in await chat.say("chen", f"领取 {name}")
    assert "今天已经从公海领了2家" in await chat.say("chen", f"领取 {names[2]}")
    chat.now += timedelta(days=1)
    assert "归你了" in await chat.say("chen", f"领取 {names[2]}")


async def test_what_lies_in_the_pool_is_not_created_again(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "放回公海 恒锐机电 不跟了")
    assert "发「领取" in await chat.say("chen", f"新建客户 {HENGRUI}")


async def test_only_the_owner_or_a_leader_puts_back(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("chen", "放回公海 恒锐机电 不跟了")
    assert "不是你的客户" in said or "不在你和你团队" in said
    assert "已放回公海" in await chat.say("li", "放回公海 恒锐机电 重新分配")


async def lead(chat: Chat) -> None:
    """A lead from a table without an owner, given to 陈静."""
    table = f"name,owner,phone\n{HENGRUI},,0571-87654321\n"
    said = await chat.upload("zhao", "线索.csv", table.encode())
    assert "其中1家没有写负责人" in said
    assert "等对方接收" in await chat.say("li", "分配 恒锐机电 给 陈静")


async def test_a_lead_is_given_and_accepted(chat: Chat) -> None:
    await lead(chat)
    card = chat.card("chen")
    assert ("电话", "+8657187654321") in card.facts
    assert "分给你" in await chat.press("zhang", card, "接收")
    assert "你已接收" in await chat.press("chen", card, "接收")
    assert "陈静已接收" in chat.heard_by("li")
    assert "已经处理过" in await chat.press("chen", card, "退回")
    await days_go_by(chat, "2026-03-04 18:00", "leads nobody took")
    assert "没有接收" not in chat.heard_by("li")
    deal = await chat.deal(await account(chat))
    assert (deal.state, deal.owner_id) == (OpportunityState.OPEN, chat.people["chen"].id)


async def test_who_had_the_lead_before_is_told(chat: Chat) -> None:
    await chat.customer(HENGRUI, "zhang")
    await chat.say("li", "分配 恒锐机电 给 陈静")
    assert f"李敏把「{HENGRUI}」转给了陈静" in chat.heard_by("zhang")


async def test_a_lead_that_is_returned_lies_in_the_pool(chat: Chat) -> None:
    await lead(chat)
    assert "已退回公海" in await chat.press("chen", chat.card("chen"), "退回")
    assert "陈静退回了" in chat.heard_by("li")
    assert (await account(chat)).in_pool_since is not None


async def test_nobody_took_it_so_the_supervisor_hears_once_then_their_leader(chat: Chat) -> None:
    chat.now = at("2026-03-02 17:00")
    await lead(chat)
    await days_go_by(chat, "2026-03-03 09:30", "leads nobody took")
    assert "没有接收" not in chat.heard_by("li")
    await days_go_by(chat, "2026-03-03 10:30", "leads nobody took")
    assert chat.heard_by("li").count("已经2个工作小时没有接收") == 1
    assert "没有接收" not in chat.heard_by("wang")
    await days_go_by(chat, "2026-03-06 18:00", "leads nobody took")
    assert chat.heard_by("li").count("没有接收") == 1
    assert chat.heard_by("wang").count("已经4个工作小时没有接收") == 1


async def test_whoever_has_begun_to_work_has_taken_it(chat: Chat) -> None:
    await lead(chat)
    await chat.say("chen", "跟恒锐机电王总打了20分钟电话，没异议，后天再联系")
    await chat.press("chen", chat.card("chen"), "确认")
    await days_go_by(chat, "2026-03-04 18:00", "leads nobody took")
    assert "没有接收" not in chat.heard_by("li")


@pytest.mark.parametrize(
    ("who", "words", "told"),
    [
        ("li", "分配", "例如「分配 恒锐机电 给 李敏」"),
        ("li", "分配 恒锐机电 给 没有这人", "没有这人"),
        ("li", "分配 恒锐机电 给 张伟", "本来就由张伟负责"),
        ("zhang", "分配 恒锐机电 给 陈静", "由主管和管理员来做"),
        ("zhang", "领取", "要领取哪家"),
        ("zhang", "领取 恒锐机电", "不在公海里"),
        ("zhang", "放回公海", "要放回哪家"),
    ],
)
async def test_what_cannot_be_done_is_said(chat: Chat, who: str, words: str, told: str) -> None:
    await chat.customer(HENGRUI)
    assert told in await chat.say(who, words)
    assert (await account(chat)).owner_id == chat.people["zhang"].id


async def test_each_stay_in_the_pool_is_told_by_the_deals_events(chat: Chat) -> None:
    deal = await chat.deal(await chat.customer(HENGRUI))
    await chat.say("zhang", "放回公海 恒锐机电 没有需求")
    chat.now += timedelta(days=31)
    await chat.say("zhang", "领取 恒锐机电")
    async with chat.database.begin() as tx:
        events = await tx.stages.of_deal(deal.id)
    assert [event.kind for event in events] == [
        MoveKind.OPENED, MoveKind.HELD, MoveKind.RESUMED
    ]  # fmt: skip
    assert events[-1].went_to == (await chat.deal(await account(chat))).stage
