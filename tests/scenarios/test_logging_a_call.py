"""A rep tells the bot about a call; what they see, and what is in the stream afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.driver import Sandbox, Speaker, at, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


async def stream_of(sandbox: Sandbox, name: str) -> list[dict[str, object]]:
    world = await sandbox.get("world")
    number = next(one["id"] for one in world["customers"] if one["name"] == name)
    return (await sandbox.get("stream", customer=str(number)))["activities"]


async def test_one_sentence_becomes_a_draft_and_one_press_a_fact(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.say(CALL)
    said = words(answers)
    assert "杭州恒锐机电有限公司" in said
    assert "25分钟" in said
    assert "价格高" in said
    assert "周三" in said
    before = await stream_of(sandbox, "杭州恒锐机电有限公司")
    answers = await rep.press(last_card(answers), "确认")
    assert "已记录" in words(answers)
    after = await stream_of(sandbox, "杭州恒锐机电有限公司")
    assert len(after) == len(before) + 1
    assert after[0]["text"] == CALL
    assert after[0]["valid"] is True


async def test_plain_words_correct_a_draft(rep: Speaker) -> None:
    await rep.say("和宁波甬江轴承打了12分钟电话，没有异议，下周三再联系")
    answers = await rep.say("不对，是下周四")
    assert "周四" in words(answers)
    assert "周三)" not in words([last_card(answers)])
    assert "已取消" in words(await rep.say("取消")) or "不记" in words(await rep.all())


async def test_the_bot_asks_for_what_is_missing(rep: Speaker) -> None:
    answers = await rep.say("刚给宁波甬江轴承打了电话，嫌贵")
    assert "还缺" in words(answers)
    answers = await rep.say("25分钟")
    answers = await rep.say("下周五")
    assert "还缺" not in words([last_card(answers)])
    answers = await rep.press(last_card(answers), "确认")
    assert "已记录" in words(answers)


async def test_undo_takes_the_record_back_but_keeps_it_readable(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.say("宁波甬江轴承通话18分钟，嫌交期长，下周二再联系")
    await rep.press(last_card(answers), "确认")
    assert "已撤销" in words(await rep.say("撤销"))
    entries = await stream_of(sandbox, "宁波甬江轴承有限公司")
    taken_back = [entry for entry in entries if entry["reason"] == "已撤回"]
    assert taken_back
    assert taken_back[0]["valid"] is False


async def test_a_stored_record_is_corrected_by_a_new_one(sandbox: Sandbox, rep: Speaker) -> None:
    answers = await rep.say("嘉兴南湖铸造通话16分钟，担心粉尘，下周二再联系")
    await rep.press(last_card(answers), "确认")
    answers = await rep.say("不对，是下周三")
    assert "确认后替换" in words(answers)
    assert "已更正" in words(await rep.press(last_card(answers), "确认"))
    retraction, corrected, first = (await stream_of(sandbox, "嘉兴南湖铸造有限公司"))[:3]
    assert "更正了这条" in str(retraction["text"])
    assert (corrected["valid"], first["reason"]) == (True, "已撤回")


async def test_two_similar_customers_are_asked_about_never_guessed(sandbox: Sandbox) -> None:
    """Both 恒锐 belong to her team; for a rep with one of them the name is plain."""
    supervisor = Speaker(sandbox, "wecom", "limin")
    answers = await supervisor.say("恒锐通了8分钟电话，嫌贵，明天再打")
    labels = [button["label"] for button in last_card(answers)["card"]["buttons"]]
    assert any("恒锐" in label for label in labels)
    assert "确认" not in labels
    answers = await supervisor.press(last_card(answers), "杭州恒锐")
    assert "杭州恒锐机电有限公司" in words(answers)
    await supervisor.say("取消")


async def test_unknown_customer_can_be_created_from_the_question(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.say("新建客户 绍兴柯桥纺机有限公司")
    assert "已新建" in words(answers)
    world = await sandbox.get("world")
    assert "绍兴柯桥纺机有限公司" in [one["name"] for one in world["customers"]]
    answers = await rep.say("柯桥纺机打了20分钟电话，没异议，后天再聊")
    assert "绍兴柯桥纺机有限公司" in words(answers)
    await rep.say("取消")


async def test_commands_answer_with_something_useful(rep: Speaker) -> None:
    assert "像平时说话一样" in words(await rep.say("帮助"))
    card = words(await rep.say("客户 恒锐机电"))
    assert "杭州恒锐机电有限公司" in card
    assert "最近动态" in words(await rep.say("动态 恒锐机电"))
    assert await rep.say("待办")


async def test_seven_working_days_of_silence_bring_the_red_light(
    sandbox: Sandbox, rep: Speaker
) -> None:
    supervisor = Speaker(sandbox, "wecom", "limin")
    await rep.say("新建客户 湖州南浔电梯配件有限公司")
    answers = await rep.say("南浔电梯配件通话10分钟，没有异议，下周一再联系")
    await rep.press(last_card(answers), "确认")
    await supervisor.look()
    now = at(await sandbox.get("world"))
    await sandbox.post("clock", advance=timedelta(days=12).total_seconds())
    moved = at(await sandbox.get("world"))
    assert moved - now >= timedelta(days=12)
    await sandbox.quiesce()
    pushed = await supervisor.look()
    assert "南浔电梯配件" in words(pushed)
    assert any(message["kind"] == "image" for message in pushed)
    assert "南浔电梯配件" in words(await rep.look())


async def test_a_card_without_buttons_leads_to_our_pages(rep: Speaker) -> None:
    """WeCom wants such a card to lead somewhere."""
    told = await rep.say("我的奖金")
    card = next(message["card"] for message in told if message["kind"] == "card")
    assert [button["url"] for button in card["buttons"]] == [rep.sandbox.url]
