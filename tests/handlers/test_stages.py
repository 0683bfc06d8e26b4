"""Deals move through their stages by chat: with what the stage requires, from where they were
seen, and never by themselves."""

from __future__ import annotations

import pytest

from bot.domain.opportunities import Account, OpportunityState
from bot.domain.stages import MoveKind, StageEvent, place_of, rebuild
from bot.messages import Card, Incoming, Kind
from storage.database import Database
from tests.handlers.chat_company import Chat, words


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def events(chat: Chat, account: Account) -> list[StageEvent]:
    deal = await chat.deal(account)
    async with chat.database.begin() as tx:
        return await tx.stages.of_deal(deal.id)


async def to_negotiation(chat: Chat) -> str:
    """恒锐机电 stands at 报价; everything 谈判 asks for, in words."""
    await chat.say("zhang", "恒锐机电推进到谈判")
    await chat.say("zhang", "12万8")
    await chat.say("zhang", "主要跟华通比")
    return await chat.say("zhang", "付款方式")


async def test_a_stage_asks_for_what_it_requires_and_moves_once_that_is_said(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    card = await chat.say("zhang", "恒锐机电推进到谈判")
    assert "从「报价」到「谈判」还差3项：报价金额、主要对手、谈判焦点" in card
    assert (await chat.deal(account)).stage == "quote"
    assert "还差2项。主要在跟哪家比？" in await chat.say("zhang", "12万8")
    assert "还差1项" in await chat.say("zhang", "主要跟华通比")
    told = await chat.say("zhang", "付款方式")
    assert "恒锐机电：报价 → 谈判（必填3项已填）" in told
    deal = await chat.deal(account)
    assert (deal.stage, deal.stage_since, deal.amount_fen) == ("negotiation", chat.now, 12_800_000)
    event = (await events(chat, account))[-1]
    assert (event.kind, event.came_from, event.went_to) == (
        MoveKind.FORWARD,
        "quote",
        "negotiation",
    )
    assert (event.required_filled, event.person_id) == (3, chat.people["zhang"].id)
    assert event.slots["sticking_point"] == "付款方式"
    entry = (await chat.stream(account))[0]
    assert entry.title == "阶段推进"
    assert "报价 → 谈判；报价金额：12.8万" in entry.text
    assert "主要对手：主要跟华通比" in entry.text


async def test_a_stuck_deal_is_stuck_no_more_once_it_moves(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.later(days=28)
    assert (await chat.deal(account)).stuck
    await to_negotiation(chat)
    assert not (await chat.deal(account)).stuck


async def test_the_form_on_the_card_completes_the_change(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "恒锐机电到谈判阶段了")
    card = chat.card()
    assert [one.key for one in card.fields] == ["amount_fen", "rival", "sticking_point"]
    told = await chat.press("zhang", card, "确认推进", amount_fen="128000元", rival="华通")
    assert "还没有推进，还差1项" in told
    told = await chat.press("zhang", chat.shown(), "确认推进", sticking_point="价格")
    assert "报价 → 谈判" in told
    assert chat.shown().closed == "已推进"
    assert (await chat.deal(account)).stage == "negotiation"


async def test_going_over_a_stage_asks_for_the_fields_of_both(chat: Chat) -> None:
    await chat.customer("恒锐机电")
    card = await chat.say("zhang", "恒锐机电推进到签约")
    assert "还差6项" in card  # the amount is asked once for both
    for label in ("主要对手", "谈判焦点", "付款方式", "交货日期", "签字人"):
        assert label in card


async def test_a_stale_change_is_refused_with_who_did_what_meanwhile(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("li", "恒锐机电推进到谈判")
    card = chat.card("li")
    await to_negotiation(chat)
    told = await chat.press(
        "li", card, "确认推进", amount_fen="10万", rival="华通", sticking_point="价格"
    )
    assert "你看到的是「报价」，但张伟 1月28日(周三) 15:00 已把它改到「谈判」" in told
    assert (await chat.deal(account)).amount_fen == 12_800_000
    assert len(await events(chat, account)) == 2


async def test_what_is_known_is_not_asked_again(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await to_negotiation(chat)
    assert "退回到 报价" in await chat.say("zhang", "恒锐机电退回到报价，客户换了负责人")
    assert "报价 → 谈判（必填3项已填）" in await chat.say("zhang", "恒锐机电推进到谈判")
    kinds = [one.kind for one in await events(chat, account)]
    assert kinds == [MoveKind.OPENED, MoveKind.FORWARD, MoveKind.BACK, MoveKind.FORWARD]


async def test_going_back_wants_a_reason(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    asked = await chat.say("zhang", "恒锐机电退回到方案")
    assert "现在在「报价」，退回要写原因" in asked
    assert "退回到方案，" in asked
    assert (await chat.deal(account)).stage == "quote"
    told = await chat.say("zhang", "恒锐机电退回到方案，技术参数变了")
    assert "报价 退回到 方案，原因：技术参数变了" in told
    assert (await events(chat, account))[-1].reason == "技术参数变了"


async def test_a_deal_is_put_on_hold_and_taken_up_again(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    since = (await chat.deal(account)).stage_since
    asked = await chat.say("zhang", "恒锐机电暂停")
    assert "暂停要写原因" in asked
    assert "暂停到3月1日" in asked
    await chat.say("zhang", "恒锐机电暂停到3月1日，客户停产检修")
    deal = await chat.deal(account)
    assert deal.state is OpportunityState.ON_HOLD
    assert deal.hold_until is not None
    assert deal.hold_until.month in (2, 3)
    await chat.say("zhang", "恒锐机电恢复")
    deal = await chat.deal(account)
    assert (deal.state, deal.stage, deal.stage_since) == (OpportunityState.OPEN, "quote", since)


async def test_a_closed_deal_stays_closed(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "恒锐机电作废，重复线索")
    assert (await chat.deal(account)).state is OpportunityState.INVALID
    assert "没有进行中的商机" in await chat.say("zhang", "恒锐机电推进到谈判")


async def test_an_unknown_stage_is_refused_with_those_there_are(chat: Chat) -> None:
    await chat.customer("恒锐机电")
    told = await chat.say("zhang", "恒锐机电推进到试用")
    assert "没有「试用」这个阶段。可选：初步接触 → 需求确认" in told
    assert "已经在「报价」" in await chat.say("zhang", "恒锐机电推进到报价")


async def test_nobody_moves_another_reps_deal(chat: Chat) -> None:
    account = await chat.customer("恒锐机电", "chen")
    await chat.say("zhang", "恒锐机电推进到谈判")
    assert (await chat.deal(account)).stage == "quote"
    assert len(await events(chat, account)) == 1


async def test_cancel_ends_the_question_and_leaves_the_stage(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "恒锐机电推进到谈判")
    card = chat.card()
    assert "阶段没有变" in await chat.say("zhang", "取消")
    assert "已经结束" in await chat.press("zhang", card, "确认推进", rival="华通")
    assert (await chat.deal(account)).stage == "quote"


async def test_a_confirmed_action_proposes_its_stage_and_moves_nothing(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "恒锐机电退回到方案，参数变了")
    await chat.say("zhang", "给恒锐机电报价12万8", files=("报价单.pdf",))
    await chat.say("zhang", "确认")
    card = chat.card()
    assert card.lines == ("恒锐机电 要推进到「报价」阶段吗？",)
    assert (await chat.deal(account)).stage == "proposal"
    told = await chat.press("zhang", card, "推进")
    assert "从「方案」到「报价」还差3项" in told


async def test_a_move_told_beside_a_call_is_proposed_and_moves_nothing(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "恒锐机电退回到方案，参数变了")
    await chat.say("zhang", "给恒锐机电打了25分钟电话，嫌贵，下周三再联系，推进到报价了")
    assert chat.card().lines == ("恒锐机电 要推进到「报价」阶段吗？",)
    assert (await chat.deal(account)).stage == "proposal"
    assert "已记录" in await chat.say("zhang", "确认")


async def test_of_two_reports_the_move_belongs_to_the_one_it_is_told_with(chat: Chat) -> None:
    for name in ("恒锐机电", "天目湖精工"):
        await chat.customer(name)
    await chat.say(
        "zhang", "恒锐机电打了25分钟，嫌贵，下周三再联系。天目湖精工打了10分钟，已经进入谈判阶段"
    )
    cards = [one.content for one in chat.said if isinstance(one.content, Card)]
    asked = [card.lines for card in cards if card.card_id.startswith("stage-")]
    assert asked == [("天目湖精工 要推进到「谈判」阶段吗？",)]


async def test_a_stage_that_lies_behind_is_not_proposed(chat: Chat) -> None:
    await chat.customer("恒锐机电")
    assert "推进到" not in await chat.say("zhang", "恒锐机电打了25分钟电话，推进到初访了")


async def test_the_events_tell_where_every_deal_stands(chat: Chat) -> None:
    accounts = [await chat.customer(name) for name in ("恒锐机电", "天目湖精工", "栖霞泵业")]
    await to_negotiation(chat)
    await chat.say("zhang", "天目湖精工丢单了，嫌贵")
    await chat.say("zhang", "确认")
    await chat.say("zhao", "切换动作库 医疗器械")
    await chat.press("zhao", chat.card("zhao"), "确认切换")
    await chat.say("zhang", "栖霞泵业暂停，停产")
    for account in accounts:
        deal = await chat.deal(account)
        assert rebuild(await events(chat, account)) == {deal.id: place_of(deal)}


async def test_the_funnel_is_told_to_whom_it_concerns(chat: Chat) -> None:
    await chat.customer("恒锐机电")
    await chat.customer("天目湖精工", "chen")
    await to_negotiation(chat)
    team = await chat.say("li", "漏斗")
    assert "团队漏斗（制造业" in team
    assert "报价：现有1家，到过2家，进下一阶段 50%，停留2个工作日（停滞线12个工作日）" in team
    assert "初步接触：现有0家，到过2家，进下一阶段 100%，停留 —" in team
    assert "报价：现有1家，到过1家，进下一阶段 0%" in await chat.say("chen", "漏斗")


async def test_what_the_funnel_tells_was_read_before_the_message_was_handled(chat: Chat) -> None:
    """A director's question must not hold up whoever writes meanwhile."""
    await chat.customer("恒锐机电")
    message = chat._message("li", Kind.TEXT, text="漏斗")
    incoming = Incoming(message, "test:asked", chat.now)
    prepared = await chat.handlers.prepare(incoming, last_try=True)
    await chat.customer("天目湖精工")  # after that moment
    async with chat.database.begin() as tx:
        (answer,) = await chat.handlers.handle(tx, prepared)
    assert "报价：现有1家，" in words(answer.content)
    assert "报价：现有2家，" in await chat.say("li", "漏斗")
    todo = Incoming(chat._message("li", Kind.TEXT, text="待办"), "x", chat.now)
    assert await chat.handlers.prepare(todo, last_try=True) == todo


async def test_conversion_is_told_by_day_and_to_whom_it_concerns(chat: Chat) -> None:
    """«新建客户» opens a deal in the first stage; past it the customer has converted."""
    await chat.say("zhang", "新建客户 恒锐机电")
    before = await chat.say("li", "转化率")
    assert "团队线索转化（按客户去重）" in before
    assert "线索1家，转成商机0家，转化率 0%" in before
    assert "线索0家，转成商机0家，转化率 —" in before
    await chat.say("zhang", "恒锐机电推进到需求确认")
    card = chat.card()
    await chat.press(
        "zhang", card, "确认推进", application="水泵", contact="王总", need_date="3月1日"
    )
    assert "线索1家，转成商机1家，转化率 100%" in await chat.say("li", "转化率")
    assert "转成商机1家" not in await chat.say("chen", "转化率")


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ("甬江轴承", "甬江轴承"),
        ("新客户 金华婺城五金", "金华婺城五金"),
        ("谁还没写日报", "答不上来"),
    ],
)
async def test_what_leads_elsewhere_is_no_answer_to_what_a_stage_asks(
    chat: Chat, other: str, answer: str
) -> None:
    await chat.customer("恒锐机电")
    await chat.customer("甬江轴承")
    await chat.say("zhang", "恒锐机电推进到谈判")
    await chat.say("zhang", "12万8")
    told = await chat.say("zhang", other)
    assert "主要对手" not in told
    assert answer in told
    assert "主要对手：华通" in await chat.say("zhang", "华通")
