"""What people say to the robot, as its HTTP callback delivers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from connectors.sandbox.dingtalk_crypto import sign_robot
from connectors.sandbox.world import Fault
from tests.connectors.sandbox.dingtalk_bed import (
    GROUP,
    KEY,
    SECRET,
    Bed,
    answer_500,
    open_bed,
)

WANG, LI, BOSS = "0147001", "0147002", "0147009"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def test_private_text_arrives_signed_and_complete(bed: Bed) -> None:
    said = await bed.emulator.say(WANG, None, "刚和恒锐机电王总通了25分钟电话")
    await bed.drained()
    (post,) = bed.door.posts
    body = post.body
    now_ms = int(bed.clock.at.timestamp() * 1000)
    assert post.headers["timestamp"] == str(now_ms)
    assert post.headers["sign"] == sign_robot(str(now_ms), SECRET)
    assert body["text"] == {"content": "刚和恒锐机电王总通了25分钟电话"}
    assert (body["msgtype"], body["conversationType"]) == ("text", "1")
    assert (body["senderStaffId"], body["senderNick"], body["senderUnionId"]) == (
        WANG,
        "小王",
        "uWang",
    )
    assert (body["robotCode"], body["chatbotCorpId"]) == (KEY, "dingcorp01")
    assert body["createAt"] == now_ms
    assert body["sessionWebhookExpiredTime"] == now_ms + 5_400_000
    assert "conversationTitle" not in body
    assert (said.sender, said.to, said.chat) == (WANG, WANG, None)


async def test_a_stopped_platform_calls_nobody(bed: Bed) -> None:
    await bed.emulator.stop()
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert bed.door.posts == []


async def test_each_message_has_its_own_id_and_one_conversation(bed: Bed) -> None:
    for text in ("一", "二"):
        await bed.emulator.say(WANG, None, text)
    await bed.emulator.say(LI, None, "三")
    await bed.drained()
    posts = sorted((post.body for post in bed.door.posts), key=lambda body: body["senderStaffId"])
    assert len({body["msgId"] for body in posts}) == 3
    assert posts[0]["conversationId"] == posts[1]["conversationId"]
    assert posts[0]["conversationId"] != posts[2]["conversationId"]
    assert posts[0]["conversationId"].startswith("cid")


async def test_group_text_without_mention_stays_in_the_group(bed: Bed) -> None:
    said = await bed.emulator.say(WANG, GROUP, "中午吃什么")
    await bed.drained()
    assert bed.door.posts == []
    assert bed.world.said == [said]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("@跟单 待办", " 待办"),
        ("@Gendan 待办", " 待办"),
        ("待办 @跟单", "待办 "),
        ("@跟单 告诉 @周主管 一声", " 告诉 @周主管 一声"),
    ],
)
async def test_group_mention_is_removed_and_its_space_stays(
    bed: Bed, text: str, heard: str
) -> None:
    await bed.emulator.say(WANG, GROUP, text)
    await bed.drained()
    body = bed.door.posts[0].body
    assert body["text"]["content"] == heard
    assert (body["conversationType"], body["conversationId"]) == ("2", GROUP)
    assert (body["conversationTitle"], body["isInAtList"]) == ("华东一区", True)
    people = [user["staffId"] for user in body["atUsers"] if "staffId" in user]
    assert people == ([BOSS] if "周主管" in text else [])
    assert body["atUsers"][0]["dingtalkId"] == body["chatbotUserId"]


@pytest.mark.parametrize(
    ("kind", "name", "msgtype", "content"),
    [
        ("image", "名片.jpg", "picture", {}),
        (
            "voice",
            "刚和恒锐机电王总通了电话.amr",
            "audio",
            {"duration": 2000, "recognition": "刚和恒锐机电王总通了电话"},
        ),
        ("voice", "rec0001.amr", "audio", {"duration": 2000, "recognition": ""}),
        ("video", "现场.mp4", "video", {"duration": 2000, "videoType": "mp4"}),
        ("file", "报价.pdf", "file", {"fileName": "报价.pdf"}),
    ],
)
async def test_private_file(
    bed: Bed, kind: str, name: str, msgtype: str, content: dict[str, object]
) -> None:
    said = await bed.emulator.say_file(WANG, None, kind, name, b"x" * 3200)
    await bed.drained()
    body = bed.door.posts[0].body
    assert body["msgtype"] == msgtype
    assert body["content"]["downloadCode"]
    assert content.items() <= body["content"].items()
    assert "text" not in body
    assert said.file is not None
    assert (said.file["name"], said.file["size"]) == (name, 3200)


async def test_group_picture_arrives_beside_the_mention(bed: Bed) -> None:
    said = await bed.emulator.say_file(WANG, GROUP, "image", "现场.png", b"\x89PNG")
    await bed.drained()
    body = bed.door.posts[0].body
    assert body["msgtype"] == "richText"
    assert [part.get("type", "text") for part in body["content"]["richText"]] == ["text", "picture"]
    assert (said.kind, said.text) == ("image", "@跟单")


@pytest.mark.parametrize("kind", ["voice", "file", "video"])
async def test_groups_take_no_recordings_and_files(bed: Bed, kind: str) -> None:
    with pytest.raises(ValueError, match="单聊"):
        await bed.emulator.say_file(WANG, GROUP, kind, "a.amr", b"x")
    assert bed.world.said == []


@pytest.mark.parametrize(
    ("sender", "chat", "text", "reason"),
    [
        ("nobody", None, "你好", "没有这个人"),
        ("0147005", None, "你好", "已停用"),
        (WANG, "cidGone", "你好", "没有这个群"),
        (LI, GROUP, "@跟单 你好", "不在群"),
        (WANG, None, "  ", "空白"),
    ],
)
async def test_what_nobody_could_say_is_refused(
    bed: Bed, sender: str, chat: str | None, text: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        await bed.emulator.say(sender, chat, text)


async def test_empty_and_unknown_files_are_refused(bed: Bed) -> None:
    with pytest.raises(ValueError, match="空的"):
        await bed.emulator.say_file(WANG, None, "file", "a.pdf", b"")
    with pytest.raises(ValueError, match="不支持"):
        await bed.emulator.say_file(WANG, None, "sticker", "a.gif", b"x")


async def test_unanswered_message_is_sent_again_under_the_same_id(bed: Bed) -> None:
    calls = 0

    async def second_time_lucky(request: web.Request, raw: bytes) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.Response(status=500 if calls == 1 else 200)

    bed.door.answers["robot"] = second_time_lucky
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert len(bed.door.posts) == 2
    assert len({post.body["msgId"] for post in bed.door.posts}) == 1
    (attempt,) = bed.world.attempts
    assert (attempt["tries"], attempt["status"], attempt["error"]) == (2, 200, "")


async def test_message_is_given_up_after_three_tries(bed: Bed) -> None:
    bed.door.answers["robot"] = answer_500
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert len(bed.door.posts) == 3
    assert bed.world.attempts[0]["status"] == 500
    assert bed.world.counters["dingtalk:dropped:robot"] == 1


async def test_bot_that_is_away_loses_the_message(bed: Bed) -> None:
    bed.world.app("dingtalk").callback_url = "http://127.0.0.1:9/robot"
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert (bed.world.attempts[0]["tries"], bed.world.attempts[0]["status"]) == (3, None)


async def test_lost_posts_and_lost_answers_are_sent_again(bed: Bed) -> None:
    bed.world.faults.append(Fault("dingtalk", "callback", drop=True))
    bed.world.faults.append(Fault("dingtalk", "callback", after=True))
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert len(bed.door.posts) == 2  # the second and the third try
    assert (bed.world.attempts[0]["tries"], bed.world.attempts[0]["error"]) == (3, "")


async def test_messages_of_one_conversation_arrive_in_order(bed: Bed) -> None:
    for number in range(20):
        await bed.emulator.say(WANG, None, str(number))
    await bed.drained()
    heard = [post.body["text"]["content"] for post in bed.door.posts]
    assert heard == [str(number) for number in range(20)]


async def test_emulator_is_busy_until_the_bot_has_answered(bed: Bed) -> None:
    heard, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request, raw: bytes) -> web.StreamResponse:
        heard.set()
        await go_on.wait()
        return web.json_response({})

    bed.door.answers["robot"] = slow
    await bed.emulator.say(WANG, None, "你好")
    await heard.wait()
    assert bed.emulator.busy()
    go_on.set()
    await bed.drained()
    assert not bed.emulator.busy()


async def test_message_may_be_delivered_three_times(bed: Bed) -> None:
    bed.emulator.inbound.times = 3
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    assert len(bed.door.posts) == 3
    assert len({post.body["msgId"] for post in bed.door.posts}) == 1


async def test_over_quota_messages_arrive_without_what_was_said(bed: Bed) -> None:
    bed.emulator.over_quota = True
    await bed.emulator.say(WANG, None, "你好")
    await bed.emulator.say_file(WANG, None, "file", "a.pdf", b"%PDF")
    await bed.drained()
    for post in bed.door.posts:
        assert post.body["errorCode"] == 20001
        assert not {"text", "content"} & post.body.keys()


async def test_a_reply_carries_the_message_it_answers(bed: Bed) -> None:
    told = await bed.emulator.say(WANG, GROUP, "恒锐机电通了10分钟")
    await bed.emulator.reply(WANG, GROUP, "@跟单 上面那个记一下", told)
    await bed.drained()
    (post,) = bed.door.posts
    text = post.body["text"]
    assert (text["content"], text["isReplyMsg"]) == (" 上面那个记一下", True)
    assert text["repliedMsg"]["content"] == {"text": "恒锐机电通了10分钟"}
    assert text["repliedMsg"]["createdAt"] == int(told.at.timestamp() * 1000)
    assert text["repliedMsg"]["msgType"] == "text"


async def test_a_message_of_another_chat_cannot_be_replied_to(bed: Bed) -> None:
    told = await bed.emulator.say(WANG, None, "恒锐机电通了10分钟")
    with pytest.raises(ValueError, match="同一个会话"):
        await bed.emulator.reply(WANG, GROUP, "@跟单 上面那个记一下", told)
