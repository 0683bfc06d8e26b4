"""What the robot sends: to people, to groups, through both webhooks; recall and reading."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.sandbox.dingtalk_crypto import sign_robot
from connectors.sandbox.dingtalk_webhooks import Security
from tests.connectors.sandbox.dingtalk_bed import GROUP, KEY, Bed, open_bed

WANG, LI, LEFT = "0147001", "0147002", "0147005"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def to_group(bed: Bed, param: Any, chat: str = GROUP) -> tuple[int, dict[str, Any]]:
    return await bed.new("POST", "v1.0/robot/groupMessages/send", {
        "robotCode": KEY,
        "openConversationId": chat,
        "msgKey": "sampleMarkdown",
        "msgParam": json.dumps(param),
    })  # fmt: skip


async def hook(bed: Bed, body: Any, token: str = "hook-east", **query: str) -> dict[str, Any]:
    url = f"{bed.base}/robot/send"
    async with bed.http.post(url, json=body, params={"access_token": token, **query}) as answer:
        assert answer.status == 200
        return await answer.json()


def text(content: str, **more: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content}, **more}


async def test_message_to_people_tells_who_did_not_get_it(bed: Bed) -> None:
    bed.emulator.robot.flow_controlled = {LI}
    users = [WANG, LI, LEFT, "nobody"]
    status, body = await bed.send("sampleMarkdown", {"title": "提醒", "text": "**到期**"}, users)
    assert status == 200
    assert body["invalidStaffIdList"] == [LEFT, "nobody"]
    assert body["flowControlledStaffIdList"] == [LI]
    assert body["filteredStaffIdList"] == []
    (said,) = bed.world.said
    assert (said.sender, said.to, said.kind, said.text) == (
        "bot:sales",
        WANG,
        "markdown",
        "**到期**",
    )
    assert said.chat is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"robotCode": ""}, "invalidParameter.robotCode.empty"),
        ({"robotCode": "dingother"}, "invalidParameter.robotCode.notExsit"),
        ({"userIds": []}, "invalidParameter.userIds.empty"),
        ({"userIds": [str(n) for n in range(21)]}, "invalidParameter.userIds.overMax"),
        ({"msgKey": ""}, "invalidParameter.msgKey.empty"),
        ({"msgKey": "sampleDance"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": {"content": "an object"}}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": "{"}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": "[]"}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"content": 5}'}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": json.dumps({"content": "a" * 15_000})}, "invalidParameter.msgParam.tooLong"),
    ],
)
async def test_bad_message_to_people_is_refused(
    bed: Bed, change: dict[str, Any], code: str
) -> None:
    good = {
        "robotCode": KEY,
        "userIds": [WANG],
        "msgKey": "sampleText",
        "msgParam": '{"content": "好"}',
    }
    path = "v1.0/robot/oToMessages/batchSend"
    status, body = await bed.new("POST", path, good | change)
    assert (status, body["code"]) == (400, code)
    assert bed.world.said == []


async def test_link_cards_show_their_buttons(bed: Bed) -> None:
    param = {"title": "红灯", "text": "看一下", "actionTitle1": "客户", "actionURL1": "https://a/1"}
    param |= {"actionTitle2": "忽略", "actionURL2": "https://a/2"}
    await bed.send("sampleActionCard2", param, [WANG])
    assert bed.world.said[0].card == {
        "title": "红灯",
        "body": "看一下",
        "buttons": [
            {"action": "https://a/1", "label": "客户"},
            {"action": "https://a/2", "label": "忽略"},
        ],
    }


async def test_dtmd_button_speaks_for_the_presser(bed: Bed) -> None:
    url = "dtmd://dingtalkclient/sendMessage?content=%E5%A5%BD%20d17"
    param = {"title": "确认", "text": "?", "singleTitle": "好", "singleURL": url}
    await bed.send("sampleActionCard", param, [WANG])
    await bed.emulator.press(bed.world.said[0], WANG, url, {})
    await bed.drained()
    assert bed.door.at("robot")[0].body["text"] == {"content": "好 d17"}


async def test_plain_link_button_is_no_callback(bed: Bed) -> None:
    param = {"title": "看", "text": "?", "singleTitle": "好", "singleURL": "https://a/1"}
    await bed.send("sampleActionCard", param, [WANG])
    with pytest.raises(ValueError, match="回调"):
        await bed.emulator.press(bed.world.said[0], WANG, "https://a/1", {})


async def test_message_to_a_group(bed: Bed) -> None:
    status, body = await to_group(bed, {"title": "周报", "text": "本周 3 单"})
    assert status == 200
    assert body["processQueryKey"]
    assert (bed.world.said[0].chat, bed.world.said[0].to) == (GROUP, None)
    status, body = await to_group(bed, {"title": "周报", "text": "x"}, chat="cidGone")
    assert (status, body["code"]) == (400, "invalid.openConversationId")


async def test_read_status_knows_who_looked(bed: Bed) -> None:
    _, sent = await bed.send("sampleText", {"content": "好"}, [WANG, LI])
    bed.emulator.robot.mark_read(bed.world.said[0], WANG)
    query = {"robotCode": KEY, "processQueryKey": sent["processQueryKey"]}
    path = "v1.0/robot/oToMessages/readStatus"
    _, body = await bed.new("GET", path, query=query)
    assert body["sendStatus"] == "SUCCESS"
    people = body["messageReadInfoList"]
    assert [(row["userId"], row["readStatus"]) for row in people] == [
        (WANG, "READ"),
        (LI, "UNREAD"),
    ]
    bed.clock.pass_by(hours=25)
    status, body = await bed.new("GET", path, query=query)
    assert (status, body["code"]) == (400, "processQueryKey.expireTime")


async def test_readers_of_a_group_message(bed: Bed) -> None:
    _, sent = await to_group(bed, {"title": "周报", "text": "x"})
    bed.emulator.robot.mark_read(bed.world.said[0], WANG)
    body = {"robotCode": KEY, "openConversationId": GROUP, **sent}
    _, readers = await bed.new("POST", "v1.0/robot/groupMessages/query", body)
    assert (readers["readUserIds"], readers["hasMore"]) == ([WANG], False)


async def test_recall_within_a_day_takes_the_message_away(bed: Bed) -> None:
    _, sent = await bed.send("sampleText", {"content": "错了"}, [WANG])
    key = sent["processQueryKey"]
    body = {"robotCode": KEY, "processQueryKeys": [key, "unknown"]}
    _, recalled = await bed.new("POST", "v1.0/robot/otoMessages/batchRecall", body)
    assert recalled["successResult"] == [key]
    assert list(recalled["failedResult"]) == ["unknown"]
    assert bed.world.said[0].recalled
    query = {"robotCode": KEY, "processQueryKey": key}
    _, status = await bed.new("GET", "v1.0/robot/oToMessages/readStatus", query=query)
    assert status["sendStatus"] == "RECALLED"


async def test_recall_after_a_day_fails(bed: Bed) -> None:
    _, sent = await to_group(bed, {"title": "周报", "text": "x"})
    bed.clock.pass_by(hours=25)
    keys = [sent["processQueryKey"]]
    body = {"robotCode": KEY, "openConversationId": GROUP, "processQueryKeys": keys}
    _, recalled = await bed.new("POST", "v1.0/robot/groupMessages/recall", body)
    assert recalled["successResult"] == []
    assert not bed.world.said[0].recalled


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        (text("请处理 @0147001"), "text", "请处理 @0147001"),
        (
            {"msgtype": "markdown", "markdown": {"title": "t", "text": "# 黄灯"}},
            "markdown",
            "# 黄灯",
        ),
        (
            {"msgtype": "link", "link": {"title": "周报", "text": "x", "messageUrl": "https://a"}},
            "markdown",
            "[周报](https://a)\nx",
        ),
        (
            {
                "msgtype": "actionCard",
                "actionCard": {"title": "红灯", "text": "x", "singleTitle": "看", "singleURL": "u"},
            },
            "card",
            "红灯",
        ),
        (
            {
                "msgtype": "feedCard",
                "feedCard": {"links": [{"title": "a", "messageURL": "https://a", "picURL": ""}]},
            },
            "markdown",
            "[a](https://a)",
        ),
    ],
)
async def test_webhook_formats(bed: Bed, body: dict[str, Any], kind: str, shown: str) -> None:
    assert (await hook(bed, body))["errcode"] == 0
    (said,) = bed.world.said
    assert (said.chat, said.kind, said.text) == (GROUP, kind, shown)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "image", "image": {"media_id": "@x"}}, 400105),
        ({"msgtype": "text"}, 40035),
        ({"msgtype": "text", "text": {}}, 40035),
        ([], 40035),
    ],
)
async def test_webhook_refuses_what_it_cannot_show(bed: Bed, body: Any, errcode: int) -> None:
    assert (await hook(bed, body))["errcode"] == errcode


async def test_webhook_wants_json_and_a_known_token(bed: Bed) -> None:
    url, params = f"{bed.base}/robot/send", {"access_token": "hook-east"}
    async with bed.http.post(url, params=params, data="msgtype=text") as answer:
        assert (await answer.json())["errcode"] == 43004
    assert (await hook(bed, text("x"), token="gone"))["errcode"] == 400101
    bed.emulator.webhooks.disabled.add("hook-east")
    assert (await hook(bed, text("x")))["errcode"] == 400102


async def test_webhook_signature_is_checked(bed: Bed) -> None:
    bed.emulator.webhooks.security["hook-east"] = Security(secret="SECdemo")
    now = str(int(bed.clock.at.timestamp() * 1000))
    stale = str(int(now) - 3_600_001)
    sign = sign_robot(now, "SECdemo")
    assert (await hook(bed, text("x"), timestamp=now, sign=sign))["errcode"] == 0
    assert (await hook(bed, text("x"), timestamp=now, sign="AAAA"))["errmsg"] == "sign not match"
    for stamp in ("", "abc", stale):
        answer = await hook(bed, text("x"), timestamp=stamp, sign=sign_robot(stamp, "SECdemo"))
        assert (answer["errcode"], answer["errmsg"]) == (310000, "invalid timestamp")


async def test_webhook_keyword_is_checked(bed: Bed) -> None:
    bed.emulator.webhooks.security["hook-east"] = Security(keywords=("跟单",))
    assert (await hook(bed, text("红灯")))["errcode"] == 310000
    assert (await hook(bed, text("跟单：红灯")))["errcode"] == 0


async def test_webhook_posts_one_uuid_once(bed: Bed) -> None:
    for _ in range(2):
        assert (await hook(bed, text("红灯", msgUuid="push-1")))["errcode"] == 0
    assert len(bed.world.said) == 1


async def test_webhook_blocks_for_ten_minutes_after_twenty_in_one(bed: Bed) -> None:
    codes = [(await hook(bed, text(str(number))))["errcode"] for number in range(21)]
    assert codes == [0] * 20 + [410100]
    bed.clock.pass_by(minutes=9)
    assert (await hook(bed, text("还在等")))["errcode"] == 410100
    bed.clock.pass_by(minutes=1)
    assert (await hook(bed, text("又行了")))["errcode"] == 0


async def test_reply_goes_back_into_its_conversation_for_ninety_minutes(bed: Bed) -> None:
    await bed.emulator.say(WANG, None, "你好")
    await bed.emulator.say(WANG, GROUP, "@跟单 你好")
    await bed.drained()
    private, group = (post.body["sessionWebhook"] for post in bed.door.at("robot"))
    for webhook in (private, group):
        async with bed.http.post(webhook, json=text("收到")) as answer:
            assert (await answer.json())["errcode"] == 0
    assert [(said.chat, said.to) for said in bed.world.said[2:]] == [(None, WANG), (GROUP, None)]
    bed.clock.pass_by(minutes=90)
    async with bed.http.post(private, json=text("晚了")) as answer:
        assert (await answer.json())["errcode"] == 300001


async def test_reply_may_say_nothing(bed: Bed) -> None:
    await bed.emulator.say(WANG, None, "你好")
    await bed.drained()
    webhook = bed.door.at("robot")[0].body["sessionWebhook"]
    async with bed.http.post(webhook, json={"msgtype": "empty"}) as answer:
        assert (await answer.json())["errcode"] == 0
    assert len(bed.world.said) == 1
