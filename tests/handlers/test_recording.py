"""Presses on a draft's card, what is stored, corrected and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.opportunities import OpportunityState
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.chat_days import Days

CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"
HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_a_second_press_stores_nothing_more_and_says_so(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    card = chat.card()
    assert "已记录" in await chat.press("zhang", card, "确认")
    assert "这条已经记下了" in await chat.press("zhang", card, "确认")
    assert "这条已经记下了" in await chat.press("zhang", card, "取消")
    assert len(await chat.stream(account)) == 1


async def test_a_press_on_an_older_card_changes_nothing_and_shows_the_present_one(
    chat: Chat,
) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    older = chat.card()
    await chat.say("zhang", "不对，是下周四")
    said = await chat.press("zhang", older, "确认")
    assert "已经更新过了" in said
    assert "2月5日(周四)" in said
    assert await chat.stream(account) == []


async def test_a_colleague_cannot_press_and_hears_whose_card_it_is(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL, group="team")
    (card,) = [one.content for one in chat.said if one.to.chat_id == "team"]
    said = await chat.press("chen", card, "确认", group="team")  # type: ignore[arg-type]
    assert said == "@陈静 这张卡片是张伟的记录，只有张伟可以操作。"
    assert await chat.stream(account) == []


async def test_the_form_fills_what_was_missing(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "给恒锐机电打了电话")
    card = chat.card()
    await chat.press(
        "zhang", card, "确认", duration_min="20", next_contact="2026-02-04", objections="none"
    )
    (entry,) = await chat.stream(account)
    assert entry.slots["duration_min"] == 20
    assert entry.slots["objections"] == []
    assert entry.valid


async def test_an_untouched_drop_down_fills_nothing(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了10分钟")
    assert "缺下次联系" in await chat.press("zhang", chat.card(), "确认", next_contact="-")
    assert await chat.stream(account) == []


async def test_the_card_of_a_correction_says_what_it_replaces(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    assert "更正：确认后替换" in await chat.say("zhang", "时长应该是30分钟")
    assert "已更正" in await chat.say("zhang", "确认")
    retraction, corrected, first = await chat.stream(account)
    assert retraction.retracts_id == first.id
    assert corrected.slots["duration_min"] == 30
    assert "更正：时长应该是30分钟" in corrected.text


async def test_a_correction_without_a_value_asks_and_still_shows_the_record(chat: Chat) -> None:
    """It used to leave a draft that nobody saw, which 确认 then stored."""
    await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    said = await chat.say("zhang", "不对")
    assert "更正：确认后替换" in said
    assert "要改哪一项" in said


async def test_undoing_a_won_deal_opens_it_again(chat: Chat) -> None:
    """The deal used to stay won, without a light."""
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电签了，合同86万")
    assert "已记录：杭州恒锐机电有限公司 · 赢单。" in await chat.say("zhang", "确认")
    assert (await chat.deal(account)).state is OpportunityState.WON
    await chat.say("zhang", "撤销")
    assert (await chat.deal(account)).state is OpportunityState.OPEN


async def test_a_quote_and_a_win_set_what_the_deal_is_worth_and_undo_restores_it(
    chat: Chat,
) -> None:
    account = await chat.customer(HENGRUI)

    async def worth() -> int | None:
        return (await chat.deal(account)).amount_fen

    for said, fen in (("给恒锐机电报价12万", 12_000_000), ("恒锐机电签了，合同11万", 11_000_000)):
        await chat.say("zhang", said)
        await chat.say("zhang", "先记下")
        assert await worth() == fen
    await chat.say("zhang", "金额是11万5")
    await chat.say("zhang", "确认")
    assert await worth() == 11_500_000
    await chat.say("zhang", "撤销")
    assert await worth() == 12_000_000
    await chat.say("zhang", "撤销")
    assert await worth() is None


async def test_a_quote_of_last_week_does_not_take_the_place_of_a_newer_one(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    for said in ("给恒锐机电报价12万", "昨天给恒锐机电报价15万"):
        await chat.say("zhang", said)
        await chat.say("zhang", "先记下")
    assert (await chat.deal(account)).amount_fen == 12_000_000


async def test_what_a_customer_pays_is_not_what_the_deal_is_worth(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电回款46万")
    await chat.say("zhang", "确认")
    assert (await chat.deal(account)).amount_fen is None


async def test_a_payment_on_a_won_deal_opens_no_new_one(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电签了，合同86万")
    await chat.say("zhang", "确认")
    await chat.say("zhang", "恒锐机电回款46万")
    await chat.say("zhang", "确认")
    assert (await chat.deal(account)).state is OpportunityState.WON


async def test_undo_brings_the_earlier_promise_back(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电下周三再联系")
    await chat.say("zhang", "确认")
    promised = (await chat.deal(account)).next_contact_at
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    await chat.say("zhang", "确认")
    assert (await chat.deal(account)).next_contact_at != promised
    await chat.say("zhang", "撤销")
    assert (await chat.deal(account)).next_contact_at == promised


async def test_a_note_does_not_keep_the_promised_contact(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    await chat.say("zhang", "确认")
    promised = (await chat.deal(account)).next_contact_at
    await chat.say("zhang", "恒锐机电意向L2")
    await chat.say("zhang", "确认")
    assert (await chat.deal(account)).next_contact_at == promised


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("恒锐机电打了2分钟，下周三联系", "不足3分钟"),
        ("没打通恒锐机电", "没有接通"),
        ("上周一跟恒锐机电通了20分钟，下周三联系", "要主管解锁"),
    ],
)
async def test_what_will_not_count_is_said_before_confirming(
    chat: Chat, text: str, warning: str
) -> None:
    await chat.customer(HENGRUI)
    assert warning in await chat.say("zhang", text)


async def test_the_same_call_told_twice_counts_once(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    assert "按同一通算" in await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    assert sorted(one.valid for one in await chat.stream(account)) == [False, True]


async def test_yesterdays_calls_at_different_hours_are_two(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    for hour in ("上午10点", "下午3点"):
        await chat.say("zhang", f"昨天{hour}跟恒锐机电通了20分钟，下周三联系")
        await chat.say("zhang", "确认")
    assert [one.valid for one in await chat.stream(account)] == [True, True]


async def test_a_file_counts_for_other_customers_only(chat: Chat) -> None:
    """The customer's own earlier file used to count as one of the three."""
    names = [HENGRUI, "宁波甬江轴承有限公司", "嘉兴南湖铸造有限公司"]
    accounts = [await chat.customer(name) for name in names]
    said = ""
    for name in (names[0], names[0], names[1], names[2]):
        said = await chat.say("zhang", f"给{name}发了方案，客户已查收")
        await chat.say("zhang", "", files=("方案.pdf",))
        await chat.say("zhang", "确认")
    assert said
    validity = [[one.valid for one in await chat.stream(account)] for account in accounts]
    assert validity == [[True, True], [True], [False]]


async def test_a_proposal_asks_for_its_pdf_and_tells_what_came_instead(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "给恒锐机电发了方案，客户已查收")
    assert "已收到照片.png，但这里要的是方案PDF" in await chat.say("zhang", "", files=("照片.png",))
    assert "请核对" in await chat.say("zhang", "", files=("方案.pdf",))


async def test_an_expired_draft_ends_with_a_word_and_a_closed_card(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    card = chat.card()
    await chat.later(hours=25)
    assert "已经作废，没有存下" in chat.heard_by("zhang")
    assert "已经作废了" in await chat.press("zhang", card, "确认")
    assert await chat.stream(account) == []


async def test_a_moved_visit_keeps_its_host(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "约了恒锐机电王总下周四上午10点去拜访")
    await chat.say("zhang", "确认")
    said = await chat.say("zhang", "约了恒锐机电下周五上午10点上门拜访")
    assert "王总" in said
    assert "改期，只算一次" in said


async def test_undo_is_possible_for_two_days_only(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    chat.now += timedelta(hours=49)
    assert "没有找到" in await chat.say("zhang", "撤销")


async def test_what_the_rep_did_is_said_before_what_followed(chat: Chat) -> None:
    await chat.customer("恒锐机电")
    await Days(chat).until("2026-02-04T12:00")
    await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    said = await chat.say("zhang", "确认")
    assert said.index("已记录") < said.index("红灯已解除")
