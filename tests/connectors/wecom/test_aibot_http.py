"""An intelligent robot that is called, against the emulated platform, which shares no code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import RateLimited, Rejected, TimedOut, Unavailable
from bot.messages import (
    Address,
    Button,
    Card,
    CardUpdate,
    Field,
    FileContent,
    InboundMessage,
    Kind,
    Markdown,
    Option,
    Platform,
    Text,
)
from connectors.sandbox.world import Fault
from connectors.wecom import aibot_door
from tests.connectors.sandbox.wecom_bed import PNG
from tests.connectors.wecom import aibot_bed
from tests.connectors.wecom.aibot_bed import EAST, GROUP, SINGLE, ZHANG3, Bed
from tests.engine.parts import until

CARD = Card(
    card_id="draft-118",
    title="拜访 恒锐机电",
    lines=("嫌价格高", "下周三再联系"),
    facts=(("时长", "25 分钟"),),
    fields=(Field("stage", "阶段", options=(Option("s1", "初访"), Option("s2", "报价"))),),
    buttons=(Button("confirm", "确认", "primary"), Button("cancel", "取消", "danger")),
)
LI4 = Address(Platform.WECOM, "helper", user_id="li4")
CLOSED = replace(CARD, buttons=(), fields=(), revision=2, closed="已确认")


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with aibot_bed.open_bed() as one:
        yield one


async def test_the_address_is_accepted_when_the_admin_saves_it(bed: Bed) -> None:
    assert await bed.emulator.callbacks.verify(bed.robot.app)


async def test_what_is_said_is_answered_in_the_answer_to_the_callback(bed: Bed) -> None:
    bed.answering(Text("记下了"))
    await bed.say("恒锐机电通话25分钟")
    assert (bed.heard[0].text, bed.heard[0].origin) == ("恒锐机电通话25分钟", ZHANG3)
    assert [said.text for said in bed.shown()] == ["记下了"]
    assert "wecom:aibot/response" not in bed.world.counters
    assert bed.complaints() == []


async def test_a_second_answer_goes_through_the_response_url_and_a_third_by_the_application(
    bed: Bed,
) -> None:
    bed.answering(Text("一"), Markdown("", "**二**"), Text("三"))
    await bed.say("你好")
    assert [said.text for said in bed.shown()] == ["一", "**二**"]
    person = Address(Platform.WECOM, "sales", user_id="zhang3")
    assert bed.application.sent == [(person, Text("三"))]


async def test_nothing_is_answered_before_it_is_stored(bed: Bed) -> None:
    bed.answering(Text("记下了"))
    bed.failures.append(OSError("disk full"))
    await bed.say("恒锐机电通话25分钟")
    assert bed.world.attempts[-1]["status"] == 500
    assert bed.shown() == []


async def test_a_press_changes_its_card_within_the_answer(bed: Bed) -> None:
    bed.answering(CARD)
    await bed.say("恒锐机电通话25分钟")
    bed.answering(CardUpdate(CLOSED), Text("已记录"))
    shown = bed.shown()[-1]
    assert shown.card is not None
    confirm = shown.card["buttons"][0]["action"]
    card = await bed.emulator.press(shown, "zhang3", confirm, {"stage": "s2"})
    await bed.settled()
    pressed = bed.heard[-1]
    assert pressed.action is not None
    assert (pressed.action.card_id, pressed.action.revision) == ("draft-118", 1)
    assert (pressed.action.action, pressed.action.values) == ("confirm", {"stage": "s2"})
    assert "已确认" in card["body"]
    assert [button["action"] for button in card["buttons"]] == [""]  # leads to a page only
    assert bed.shown()[-1].text == "已记录"
    assert bed.complaints() == []


async def test_an_untouched_field_chooses_nothing(bed: Bed) -> None:
    bed.answering(CARD)
    await bed.say("恒锐机电通话25分钟")
    bed.on_message = None
    shown = bed.shown()[-1]
    assert shown.card is not None
    pressing = bed.emulator.press(shown, "zhang3", shown.card["buttons"][1]["action"], {})
    await asyncio.wait_for(pressing, 10)
    assert bed.heard[-1].action is not None
    assert (bed.heard[-1].action.action, bed.heard[-1].action.values) == ("cancel", {})


async def test_a_press_on_a_changed_card_tells_the_picture_that_was_seen(bed: Bed) -> None:
    """The task_id must stay the same over updates, so the revision stands elsewhere."""
    bed.answering(CARD)
    await bed.say("恒锐机电通话25分钟")
    shown = bed.shown()[-1]
    for revision in (2, 3):
        bed.answering(CardUpdate(replace(CARD, revision=revision)))
        assert shown.card is not None
        await bed.emulator.press(shown, "zhang3", shown.card["buttons"][0]["action"], {})
        action = bed.heard[-1].action
        assert action is not None
        assert (action.revision, action.action) == (revision - 1, "confirm")
    assert bed.complaints() == []


async def test_a_change_that_comes_too_late_is_a_new_card(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed.answering(CARD)
    await bed.say("恒锐机电通话25分钟")
    monkeypatch.setattr(aibot_door, "PRESS_WITHIN_S", 0.02)
    answered = asyncio.Event()

    async def slowly(message: InboundMessage) -> None:
        await answered.wait()
        await bed.answer(message, CardUpdate(CLOSED))

    bed.on_message = slowly
    shown = bed.shown()[-1]
    assert shown.card is not None
    await bed.emulator.press(shown, "zhang3", shown.card["buttons"][0]["action"], {})
    answered.set()
    await bed.settled()
    assert [said.kind for said in bed.shown()] == ["card", "card"]
    assert "已确认" in str(bed.shown()[-1].card)


async def test_a_change_wanted_only_in_place_is_dropped_where_it_is_not_the_pressed_card(
    bed: Bed,
) -> None:
    bed.answering(Text("好"), CardUpdate(CLOSED, only_in_place=True))
    await bed.say("确认")
    assert [said.text for said in bed.shown()] == ["好"]
    assert bed.application.sent == []


async def test_work_that_takes_long_is_announced_and_the_next_poll_takes_its_answer(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_door, "MESSAGE_WITHIN_S", 0.02)
    go_on = asyncio.Event()

    async def slowly(message: InboundMessage) -> None:
        await go_on.wait()
        await bed.answer(message, Text("整理好了"), CARD)

    bed.on_message = slowly
    await bed.emulator.say("zhang3", SINGLE, "恒锐机电通话25分钟")
    await bed.emulator.callbacks.settle()
    assert [said.text for said in bed.shown()] == [aibot_door.AT_WORK]
    go_on.set()
    await bed.settled()
    assert [said.text for said in bed.shown()] == ["整理好了", "拜访 恒锐机电"]
    assert bed.complaints() == []


async def test_a_card_that_took_long_comes_with_the_stream(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_door, "MESSAGE_WITHIN_S", 0.02)
    go_on = asyncio.Event()

    async def slowly(message: InboundMessage) -> None:
        await go_on.wait()
        await bed.answer(message, CARD)

    bed.on_message = slowly
    await bed.emulator.say("zhang3", SINGLE, "恒锐机电通话25分钟")
    await bed.emulator.callbacks.settle()
    go_on.set()
    await bed.settled()
    assert [said.kind for said in bed.shown()] == ["markdown", "card"]
    assert bed.complaints() == []


async def test_a_stream_ends_before_the_platform_stops_asking(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_door, "MESSAGE_WITHIN_S", 0.02)
    go_on = asyncio.Event()

    async def very_slowly(message: InboundMessage) -> None:
        await go_on.wait()
        await bed.answer(message, Text("现在才好"))

    bed.on_message = very_slowly
    await bed.emulator.say("zhang3", SINGLE, "恒锐机电通话25分钟")
    await bed.emulator.callbacks.settle()
    bed.clock.pass_by(minutes=5, seconds=45)
    await until(lambda: bed.shown()[-1].text == aibot_door.LATE)
    go_on.set()
    await bed.settled()
    assert bed.shown()[-1].text == "现在才好"


async def test_work_that_ends_without_an_answer_leaves_nothing_open(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As «待办» in a group, whose answer goes to the asker alone."""
    monkeypatch.setattr(aibot_door, "MESSAGE_WITHIN_S", 0.02)
    go_on = asyncio.Event()

    async def slowly(_: InboundMessage) -> None:
        await go_on.wait()

    bed.on_message = slowly
    await bed.emulator.say("zhang3", GROUP, "@跟单 待办")
    await bed.emulator.callbacks.settle()
    assert bed.shown(GROUP)[-1].text == aibot_door.AT_WORK
    go_on.set()
    await bed.settled()
    async with asyncio.timeout(10):
        while bed.shown(GROUP)[-1].text != aibot_door.DONE:
            bed.clock.pass_by(seconds=1)
            await asyncio.sleep(0.05)


async def test_in_a_group_the_mention_goes_and_a_card_comes_as_words(bed: Bed) -> None:
    bed.answering(CARD)
    await bed.say("@跟单 @李四 说的那个记一下", GROUP)
    message = bed.heard[-1]
    assert (message.text, message.origin, message.in_group) == ("@李四 说的那个记一下", EAST, True)
    (shown,) = bed.shown(GROUP)
    assert shown.kind == "markdown"
    assert "确认 / 取消" in shown.text


async def test_a_group_that_does_not_mention_the_robot_is_not_heard(bed: Bed) -> None:
    await bed.say("今天拜访了恒锐", GROUP)
    assert bed.heard == []


async def test_a_quoted_message_comes_along(bed: Bed) -> None:
    quoted = await bed.say("昨天报了 32 万", GROUP)
    await bed.emulator.reply("wang5", GROUP, "@跟单 记一下", quoted)
    await bed.settled()
    assert (bed.heard[-1].text, bed.heard[-1].quoted_text) == ("记一下", "昨天报了 32 万")


async def test_a_recording_comes_as_its_transcript(bed: Bed) -> None:
    await bed.emulator.say_voice("zhang3", SINGLE, "今天见了恒锐机电王总")
    await bed.settled()
    heard = bed.heard[-1]
    assert (heard.kind, heard.text, heard.attachments) == (Kind.VOICE, "今天见了恒锐机电王总", ())


async def test_a_file_is_fetched_decrypted_and_named(bed: Bed) -> None:
    await bed.emulator.say_file("zhang3", SINGLE, "file", "报价 单.pdf", b"%PDF-1.7 demo")
    await bed.settled()
    (attachment,) = bed.heard[-1].attachments
    assert await bed.client.download(attachment) == (b"%PDF-1.7 demo", "报价 单.pdf")


async def test_pictures_come_with_the_words_they_were_sent_with(bed: Bed) -> None:
    member = bed.world.member("wecom", "zhang3")
    chat = bed.world.chat("wecom", SINGLE)
    assert member is not None
    assert chat is not None
    await bed.emulator.aibots.say_mixed(member, chat, "恒锐的名片", [("a.png", PNG)])
    await bed.settled()
    heard = bed.heard[-1]
    assert (heard.kind, heard.text) == (Kind.MIXED, "恒锐的名片")
    assert (await bed.client.download(heard.attachments[0]))[0] == PNG


async def test_a_download_that_fails_for_now_may_be_tried_again(bed: Bed) -> None:
    await bed.emulator.say_file("zhang3", SINGLE, "image", "a.png", PNG)
    await bed.settled()
    (attachment,) = bed.heard[-1].attachments
    bed.world.faults.append(Fault("wecom", "aibot/media", status=503))
    with pytest.raises(Unavailable):
        await bed.client.download(attachment)
    assert (await bed.client.download(attachment))[0] == PNG
    bed.clock.pass_by(minutes=5, seconds=1)
    with pytest.raises(Rejected):
        await bed.client.download(attachment)


async def test_who_opens_the_chat_is_welcomed_once_a_day(bed: Bed) -> None:
    bed.answering(Text("你好，张三"))
    member, chat = bed.world.member("wecom", "zhang3"), bed.world.chat("wecom", SINGLE)
    assert member is not None
    assert chat is not None
    for _ in range(2):
        await bed.emulator.aibots.enter(member, chat)
        await bed.settled()
    assert [message.kind for message in bed.heard] == [Kind.ENTER]
    assert [said.text for said in bed.shown()] == ["你好，张三"]
    assert bed.complaints() == []


async def test_a_mark_is_taken_and_gets_no_answer(bed: Bed) -> None:
    member, chat = bed.world.member("wecom", "zhang3"), bed.world.chat("wecom", SINGLE)
    assert member is not None
    assert chat is not None
    await bed.emulator.aibots.mark(member, chat, 2)
    await bed.settled()
    assert [message.kind for message in bed.heard] == [Kind.IGNORED]
    assert (bed.shown(), bed.complaints()) == ([], [])


async def test_what_nobody_asked_for_goes_through_the_application(bed: Bed) -> None:
    await bed.client.send(ZHANG3, Text("红灯"), dedupe_key="light:1")
    file = FileContent("image", "0" * 64, "map.png")
    await bed.client.send(ZHANG3, file, dedupe_key="light:1:map")
    assert [content for _, content in bed.application.sent] == [Text("红灯"), file]
    with pytest.raises(Rejected):
        await bed.client.send(EAST, Text("红灯"), dedupe_key="light:2")


async def test_a_private_word_for_somebody_in_a_group_is_not_said_in_the_group(bed: Bed) -> None:
    await bed.say("@跟单 待办", GROUP)
    key = f"wecom:helper:aibot:{bed.heard[-1].message_id}:0"
    await bed.client.send(ZHANG3, Text("你的待办"), dedupe_key=key)
    assert bed.shown(GROUP) == []
    assert [content for _, content in bed.application.sent] == [Text("你的待办")]


async def test_a_response_url_is_used_once_and_for_an_hour(bed: Bed) -> None:
    bed.answering(Text("一"))
    await bed.say("你好")
    bed.clock.pass_by(hours=1)
    await bed.client.send(ZHANG3, Text("二"), dedupe_key=_key(bed, 1))
    assert [said.text for said in bed.shown()] == ["一"]
    assert [content for _, content in bed.application.sent] == [Text("二")]


async def test_an_answer_whose_fate_is_unknown_is_not_said_twice(bed: Bed) -> None:
    bed.answering(Text("一"))
    await bed.say("你好")
    bed.world.faults.append(Fault("wecom", "aibot/response", drop=True, after=True))
    with pytest.raises(TimedOut):
        await bed.client.send(ZHANG3, Text("二"), dedupe_key=_key(bed, 1))
    await bed.client.send(ZHANG3, Text("二"), dedupe_key=_key(bed, 1))
    assert [said.text for said in bed.shown()] == ["一", "二"]
    assert bed.application.sent == []


async def test_a_platform_that_is_busy_is_asked_again(bed: Bed) -> None:
    bed.answering(Text("一"))
    await bed.say("你好")
    bed.world.faults.append(Fault("wecom", "aibot/response", status=502))
    with pytest.raises(Unavailable):
        await bed.client.send(ZHANG3, Text("二"), dedupe_key=_key(bed, 1))
    await bed.client.send(ZHANG3, Text("二"), dedupe_key=_key(bed, 1))
    assert [said.text for said in bed.shown()] == ["一", "二"]


async def test_after_a_crash_a_message_still_gets_its_answer_in_its_chat(bed: Bed) -> None:
    """The callback is gone; its response_url stands in the stored envelope."""
    await bed.say("恒锐机电通话25分钟")
    bed.client.replies.forget()
    message = bed.client.parse(bed.accepted[-1])
    await bed.answer(message, Text("记下了"))
    assert bed.shown()[-1].text == "记下了"


async def test_the_same_delivery_twice_is_answered_once(bed: Bed) -> None:
    bed.answering(Text("记下了"))
    bed.world.faults.append(Fault("wecom", "callback", after=True))
    await bed.say("恒锐机电通话25分钟")
    assert len(bed.heard) == 1


async def test_our_own_limit_is_told_with_the_wait(bed: Bed) -> None:
    for number in range(30):
        await bed.client.send(ZHANG3, Text(str(number)), dedupe_key=f"x:{number}")
    with pytest.raises(RateLimited) as caught:
        await bed.client.send(ZHANG3, Text("31"), dedupe_key="x:31")
    assert caught.value.retry_after_s
    await bed.client.send(LI4, Text("somebody else"), dedupe_key="y")


async def test_a_long_text_arrives_whole(bed: Bed) -> None:
    long = Text("很长的一行。\n" * 800)
    parts = bed.client.split(long)
    assert len(parts) == 1
    bed.answering(*parts)
    await bed.say("动态 恒锐")
    assert bed.shown()[-1].text.strip() == long.text.strip()
    assert bed.complaints() == []


def _key(bed: Bed, number: int) -> str:
    return f"wecom:helper:aibot:{bed.heard[-1].message_id}:{number}"
