"""An intelligent robot on its long connection, against the emulated platform, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from bot.errors import RateLimited, Rejected, TimedOut, Unavailable
from bot.messages import Address, CardUpdate, Kind, Platform, Text
from connectors.sandbox.world import Fault
from tests.connectors.sandbox.wecom_bed import PNG
from tests.connectors.wecom.aibot_bed import (
    EAST,
    GROUP,
    SECRET,
    SINGLE,
    ZHANG3,
    SocketBed,
    open_socket_bed,
)
from tests.connectors.wecom.test_aibot_http import CARD, CLOSED
from tests.virtual_time import virtually

LI4 = Address(Platform.WECOM, "helper", user_id="li4")


def key(bed: SocketBed, number: int = 0) -> str:
    return f"wecom:helper:aibot:{bed.heard[-1].message_id}:{number}"


@virtually
async def test_the_first_answer_replies_and_the_next_is_a_message_of_its_own() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(Text("一"), CARD)
        await bed.say("恒锐机电通话25分钟")
        assert [said.text for said in bed.shown()] == ["一", "拜访 恒锐机电"]
        counters = bed.world.counters
        assert (counters["wecom:aibot_respond_msg"], counters["wecom:aibot_send_msg"]) == (1, 1)


@virtually
async def test_a_group_is_heard_when_it_mentions_the_robot_and_answered_there() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(CARD, Text("二"))
        asked = await bed.say("@跟单 上面那个记一下", GROUP, by="wang5")
        assert (bed.heard[0].text, bed.heard[0].origin) == ("上面那个记一下", EAST)
        first, second = bed.shown(GROUP)
        assert "确认 / 取消" in first.text
        assert (first.wire["quotes"], second.text) == (asked.message_id, "二")


@virtually
async def test_a_press_changes_its_card() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(CARD)
        await bed.say("恒锐机电通话25分钟")
        bed.answering(CardUpdate(CLOSED), Text("已记录"))
        shown = bed.shown()[-1]
        assert shown.card is not None
        await bed.emulator.press(shown, "zhang3", shown.card["buttons"][0]["action"], {})
        await bed.settled()
        assert "已确认" in str(shown.card)
        assert bed.shown()[-1].text == "已记录"


@virtually
async def test_a_change_that_comes_too_late_is_a_new_card() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(CARD)
        await bed.say("恒锐机电通话25分钟")
        bed.on_message = None
        shown = bed.shown()[-1]
        assert shown.card is not None
        await bed.emulator.press(shown, "zhang3", shown.card["buttons"][0]["action"], {})
        await bed.answer(bed.heard[-1], CardUpdate(CLOSED))
        assert [said.kind for said in bed.shown()] == ["card", "card"]


@virtually
async def test_who_opens_the_chat_is_welcomed() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(Text("你好，张三"))
        member, chat = bed.world.member("wecom", "zhang3"), bed.world.chat("wecom", SINGLE)
        assert member is not None
        assert chat is not None
        await bed.emulator.aibots.enter(member, chat)
        await bed.settled()
        assert [said.text for said in bed.shown()] == ["你好，张三"]
        assert bed.world.counters["wecom:aibot_respond_welcome_msg"] == 1


@virtually
async def test_a_welcome_that_comes_too_late_goes_through_the_application() -> None:
    """Nobody has spoken to the robot yet, so it may not push."""
    async with open_socket_bed() as bed:
        await bed.up()
        member, chat = bed.world.member("wecom", "zhang3"), bed.world.chat("wecom", SINGLE)
        assert member is not None
        assert chat is not None
        await bed.emulator.aibots.enter(member, chat)
        await bed.settled()
        await asyncio.sleep(6)
        await bed.answer(bed.heard[-1], Text("你好"))
        assert bed.shown() == []
        assert [content for _, content in bed.application.sent] == [Text("你好")]


@virtually
async def test_recordings_and_files_come_in() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.emulator.say_voice("zhang3", SINGLE, "今天见了恒锐机电王总")
        await bed.settled()
        assert (bed.heard[-1].kind, bed.heard[-1].text) == (Kind.VOICE, "今天见了恒锐机电王总")
        await bed.emulator.say_file("zhang3", SINGLE, "file", "报价.pdf", b"%PDF-1.7 demo")
        await bed.settled()
        (attachment,) = bed.heard[-1].attachments
        assert await bed.client.download(attachment) == (b"%PDF-1.7 demo", "报价.pdf")


@pytest.mark.parametrize("size", [200, 3 * 512 * 1024])
@virtually
async def test_a_file_goes_out_in_chunks_and_a_second_time_without_them(size: int) -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("把报价发我")
        content = await bed.file("image", PNG + b"\x00" * size, "map.png")
        bed.world.faults.append(Fault("wecom", "aibot_upload_media_chunk", errcode=-1))
        for number in range(2):
            await bed.client.send(ZHANG3, content, dedupe_key=key(bed, number))
        assert [said.kind for said in bed.shown()] == ["image", "image"]
        assert bed.world.counters["wecom:aibot_upload_media_init"] == 1


@virtually
async def test_a_person_is_written_to_as_the_platform_spells_them() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("你好", "robot-Li4", by="Li4")
        await bed.client.send(LI4, Text("红灯"), dedupe_key="light:1")
        assert [said.text for said in bed.shown("robot-Li4")] == ["红灯"]


@virtually
async def test_who_never_spoke_to_the_robot_is_told_by_the_application() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.client.send(ZHANG3, Text("红灯"), dedupe_key="light:1")
        assert [content for _, content in bed.application.sent] == [Text("红灯")]
        with pytest.raises(Rejected):
            await bed.client.send(EAST, Text("红灯"), dedupe_key="light:2")


@virtually
async def test_raw_control_characters_in_a_frame_do_no_harm() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(Text("好"))
        for number in range(12):
            await bed.say(f"第{number}句")
        assert len(bed.shown()) == len(bed.heard) == 12


@virtually
async def test_a_forgotten_subscription_is_made_anew_and_the_answer_still_arrives_once() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("恒锐机电通话25分钟")
        await asyncio.sleep(100)
        bed.connection.is_forgotten = True
        await bed.answer(bed.heard[-1], Text("记下了"))
        assert [said.text for said in bed.shown()] == ["记下了"]
        assert bed.openings == 2


@virtually
async def test_a_connection_that_answers_no_pings_is_replaced() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.connection.is_silent = True
        await asyncio.sleep(120)
        await bed.up()
        bed.answering(Text("好"))
        await bed.say("你好")
        assert [said.text for said in bed.shown()] == ["好"]


@virtually
async def test_a_connection_that_brings_nothing_any_more_is_renewed() -> None:
    """It acknowledges pings, and callbacks have stopped."""
    async with open_socket_bed() as bed:
        await bed.up()
        bed.connection.is_mute = True
        await asyncio.sleep(1000)
        bed.answering(Text("好"))
        await bed.say("你好")
        assert [said.text for said in bed.shown()] == ["好"]


@virtually
async def test_quiet_nights_do_not_open_connections_in_a_hurry_and_lose_nothing() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(Text("好"))
        await asyncio.sleep(12 * 3600)
        assert bed.openings <= 10
        await bed.say("早")
        assert [said.text for said in bed.shown()] == ["好"]
        assert bed.link.refusal == ""


@virtually
async def test_who_was_evicted_rests_before_it_connects_again() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        url = bed.client.robot.ws_url
        async with asyncio.timeout(5):
            other = await _another(bed, url)
        await asyncio.sleep(30)
        assert bed.openings == 2
        assert "同一个 BotID" in bed.link.refusal
        assert bed.link.down_since is not None
        await asyncio.sleep(500)
        assert bed.openings == 2
        await other.close()
        await asyncio.sleep(100)
        assert (bed.openings, bed.link.refusal, bed.link.down_since) == (3, "", None)


@virtually
async def test_two_bots_do_not_evict_each_other_all_day() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        for _ in range(24):
            other = await _another(bed, bed.client.robot.ws_url)
            await asyncio.sleep(3600)
            await other.close()
        ours = bed.openings - 24
        assert ours <= 26


@virtually
async def test_without_the_database_nobody_connects() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.owns = False
        bed.connection.cut()
        await asyncio.sleep(3600)
        assert bed.openings == 1
        assert "另一个进程" in bed.link.refusal
        bed.owns = True
        await bed.up()
        assert bed.link.trouble == ""


@virtually
async def test_a_wrong_secret_is_told_and_asked_for_seldom() -> None:
    async with open_socket_bed(secret="wrong") as bed:
        await asyncio.sleep(3600)
        assert "BotID" in bed.link.refusal
        assert bed.openings <= 12
        assert SECRET not in bed.link.refusal


@virtually
async def test_a_push_that_cannot_be_stored_is_tried_until_it_is() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(Text("好"))
        bed.failures += [OSError("disk full")] * 6
        await bed.say("恒锐机电通话25分钟")
        await asyncio.sleep(120)
        assert [said.text for said in bed.shown()] == ["好"]


@virtually
async def test_a_short_gap_is_waited_out_and_a_long_one_goes_by_the_application() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("恒锐机电通话25分钟")
        bed.world.faults.append(Fault("wecom", "aibot/connect", status=502, times=1000))
        bed.connection.cut()
        await asyncio.sleep(10)
        with pytest.raises(Unavailable):
            await bed.client.send(ZHANG3, Text("记下了"), dedupe_key=key(bed))
        await asyncio.sleep(60)
        await bed.client.send(ZHANG3, Text("记下了"), dedupe_key=key(bed))
        assert [content for _, content in bed.application.sent] == [Text("记下了")]
        with pytest.raises(Unavailable):
            await bed.client.send(EAST, Text("群里等"), dedupe_key="x")


@virtually
async def test_after_a_reconnect_an_answer_is_a_message_of_its_own() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("恒锐机电通话25分钟")
        await asyncio.sleep(100)
        bed.connection.cut()
        await asyncio.sleep(30)
        await bed.answer(bed.heard[-1], Text("记下了"))
        assert [said.text for said in bed.shown()] == ["记下了"]
        assert bed.world.counters.get("wecom:aibot_respond_msg", 0) == 0


@virtually
async def test_no_acknowledgement_is_an_unknown_fate() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("你好")
        bed.world.faults.append(Fault("wecom", "aibot_respond_msg", drop=True))
        with pytest.raises(TimedOut):
            await bed.client.send(ZHANG3, Text("好"), dedupe_key=key(bed))


@virtually
async def test_busy_and_limited_are_told_apart() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("你好")
        for code, error in ((-1, Unavailable), (45009, RateLimited)):
            bed.world.faults.append(Fault("wecom", "aibot_send_msg", errcode=code))
            with pytest.raises(error):
                await bed.client.send(ZHANG3, Text("好"), dedupe_key="light:1")
        await bed.client.send(ZHANG3, Text("好"), dedupe_key="light:1")


@virtually
async def test_thirty_a_minute_arrive_and_the_rest_waits_here() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        await bed.say("你好")
        for number in range(30):
            await bed.client.send(ZHANG3, Text(str(number)), dedupe_key=f"x:{number}")
        with pytest.raises(RateLimited):
            await bed.client.send(ZHANG3, Text("31"), dedupe_key="x:31")
        assert len(bed.shown()) == 30


@virtually
async def test_at_the_end_what_is_being_stored_is_waited_for() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.failures.append(OSError("busy"))
        await bed.emulator.say("zhang3", SINGLE, "最后一句")
        await bed.emulator.callbacks.settle()
    assert [message.text for message in bed.heard] == ["最后一句"]


@virtually
async def test_an_updated_card_can_be_pressed_and_updated_again() -> None:
    async with open_socket_bed() as bed:
        await bed.up()
        bed.answering(CARD)
        await bed.say("恒锐机电通话25分钟")
        shown = bed.shown()[-1]
        for revision in (2, 3):
            bed.answering(CardUpdate(replace(CARD, revision=revision)))
            assert shown.card is not None
            await bed.emulator.press(shown, "zhang3", shown.card["buttons"][0]["action"], {})
            action = bed.heard[-1].action
            assert action is not None
            assert action.revision == revision - 1


async def _another(bed: SocketBed, url: str) -> aiohttp.ClientWebSocketResponse:
    """Somebody else with the same credentials."""
    ws = await bed.session.ws_connect(url)
    robot = bed.client.robot
    await ws.send_json(
        {
            "cmd": "aibot_subscribe",
            "headers": {"req_id": "other"},
            "body": {"bot_id": robot.bot_id, "secret": robot.secret},
        }
    )
    assert (await ws.receive_json())["errcode"] == 0
    return ws
