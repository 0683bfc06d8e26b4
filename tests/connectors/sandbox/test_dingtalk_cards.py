"""Interactive cards: made, delivered, updated, and pressed by people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from connectors.sandbox.dingtalk_cards import TOAST
from connectors.sandbox.dingtalk_crypto import sign_card
from connectors.sandbox.world import Said
from tests.connectors.sandbox.dingtalk_bed import (
    CARD_SECRET,
    GROUP,
    KEY,
    Bed,
    answer_500,
    open_bed,
)

WANG, BOSS = "0147001", "0147009"
CREATE = "v1.0/card/instances/createAndDeliver"
UPDATE = "v1.0/card/instances"
DRAFT = {
    "title": "跟进草稿",
    "body": "恒锐机电 王总",
    "body2": "通话 25 分钟",
    "facts": json.dumps([["异议", "价格"]], ensure_ascii=False),
    "fields": json.dumps(
        [
            {
                "key": "objection",
                "label": "关键异议",
                "kind": "select",
                "options": [{"id": "price", "label": "价格"}],
                "value": "",
            },
            {"key": "note", "label": "备注", "kind": "text"},
        ]
    ),
    "buttons": json.dumps([{"action": "confirm:17", "label": "确认", "style": "primary"}]),
    "closed": "",
    "revision": "1",
}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


def card(space: str = f"IM_ROBOT.{WANG}", **changes: Any) -> dict[str, Any]:
    return {
        "cardTemplateId": "gendan-card.schema",
        "outTrackId": "d17",
        "callbackType": "HTTP",
        "callbackRouteKey": "gendan",
        "cardData": {"cardParamMap": DRAFT},
        "openSpaceId": f"dtv1.card//{space}",
        "imRobotOpenSpaceModel": {"supportForward": False},
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
        "imGroupOpenSpaceModel": {"supportForward": False},
        "imGroupOpenDeliverModel": {"robotCode": KEY},
        **changes,
    }


async def deliver(bed: Bed, space: str = f"IM_ROBOT.{WANG}", **changes: Any) -> Said:
    status, body = await bed.new("POST", CREATE, card(space, **changes))
    assert status == 200, body
    assert all(result["success"] for result in body["result"]["deliverResults"])
    return bed.world.said[-1]


def closing(note: str = "已确认", **more: Any) -> Any:
    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        options = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
        data = {"cardParamMap": {"closed": note, "revision": "2"}}
        return web.json_response({"cardData": data, "cardUpdateOptions": options, **more})

    return answer


async def test_card_reaches_a_person_in_the_neutral_shape(bed: Bed) -> None:
    said = await deliver(bed)
    assert (said.kind, said.to, said.text) == ("card", WANG, "跟进草稿")
    assert said.card is not None
    assert said.card["body"] == "恒锐机电 王总\n通话 25 分钟"
    assert said.card["facts"] == [["异议", "价格"]]
    assert said.card["buttons"] == [{"action": "confirm:17", "label": "确认", "style": "primary"}]
    assert [row["key"] for row in said.card["fields"]] == ["objection", "note"]


async def test_each_space_answers_for_itself(bed: Bed) -> None:
    spaces = f"IM_GROUP.{GROUP};IM_ROBOT.{BOSS};IM_ROBOT.nobody"
    status, body = await bed.new("POST", CREATE, card(spaces))
    results = body["result"]["deliverResults"]
    assert status == 200
    assert [result["success"] for result in results] == [True, True, False]
    assert [(said.chat, said.to) for said in bed.world.said] == [(GROUP, None), (None, BOSS)]


async def test_same_out_track_id_is_refused(bed: Bed) -> None:
    await deliver(bed)
    status, body = await bed.new("POST", CREATE, card())
    assert (status, body["code"]) == (400, "param.cardAlreadyExist")
    assert len(bed.world.said) == 1


async def test_created_card_can_be_delivered_once_more(bed: Bed) -> None:
    status, body = await bed.new("POST", "v1.0/card/instances", card())
    assert (status, body["result"], bed.world.said) == (200, "d17", [])
    status, body = await bed.new("POST", "v1.0/card/instances/deliver", card())
    assert (status, body["result"][0]["success"]) == (200, True)
    assert bed.world.said[0].text == "跟进草稿"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cardTemplateId": ""}, "param.cardTemplateIdEmpty"),
        ({"cardTemplateId": "other.schema"}, "param.templateNotExist"),
        ({"cardTemplateId": "gendan-draft.schema"}, "param.templateUnpublished"),
        ({"outTrackId": ""}, "param.outTrackIdEmpty"),
        ({"cardData": {}}, "param.cardDataAndPrivateDataBothEmpty"),
        ({"cardData": {"cardParamMap": {"title": 1}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"body": "价" * 342}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"k" * 101: "x"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"buttons": "[{"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"facts": '{"a": 1}'}}}, "param.invalid"),
        ({"callbackRouteKey": ""}, "param.empty"),
        ({"userIdType": 2}, "param.invalid"),
        ({"openSpaceId": ""}, "param.openSpaceIdEmpty"),
        ({"openSpaceId": f"IM_ROBOT.{WANG}"}, "param.openSpaceIdInvalid"),
        ({"openSpaceId": "dtv1.card//IM_MOON.1"}, "param.openSpaceIdInvalid"),
        ({"imRobotOpenSpaceModel": {}}, "param.openSpaceModelInvalid"),
        ({"imRobotOpenDeliverModel": None}, "param.openDeliverModelEmpty"),
        ({"imRobotOpenDeliverModel": {"robotCode": KEY}}, "param.openDeliverModelError"),
    ],
)
async def test_bad_card_is_refused_and_leaves_its_id_free(
    bed: Bed, change: dict[str, Any], code: str
) -> None:
    status, body = await bed.new("POST", CREATE, card() | change)
    assert (status, body["code"]) == (400, code)
    await deliver(bed)


async def test_group_card_needs_a_robot_code(bed: Bed) -> None:
    body = card(f"IM_GROUP.{GROUP}", imGroupOpenDeliverModel={"recipients": [WANG]})
    _, answer = await bed.new("POST", CREATE, body)
    assert answer["code"] == "param.openDeliverModelError"


async def test_update_by_key_keeps_the_rest(bed: Bed) -> None:
    said = await deliver(bed)
    bed.clock.pass_by(minutes=1)
    data = {"cardParamMap": {"title": "已改", "revision": "2"}}
    options = {"updateCardDataByKey": True}
    body = {"outTrackId": "d17", "cardData": data, "cardUpdateOptions": options}
    status, _ = await bed.new("PUT", UPDATE, body)
    assert status == 200
    assert said.card is not None
    assert (said.card["title"], said.card["facts"]) == ("已改", [["异议", "价格"]])
    assert said.updated_at == bed.clock.at


async def test_update_without_by_key_replaces_everything(bed: Bed) -> None:
    said = await deliver(bed)
    body = {"outTrackId": "d17", "cardData": {"cardParamMap": {"title": "已改"}}}
    await bed.new("PUT", UPDATE, body)
    assert said.card == {"title": "已改", "body": "", "facts": [], "buttons": []}


async def test_update_for_one_person_changes_what_that_person_sees(bed: Bed) -> None:
    said = await deliver(bed, f"IM_ROBOT.{WANG};IM_ROBOT.{BOSS}")
    private = {WANG: {"cardParamMap": {"title": "只给小王"}}}
    await bed.new("PUT", UPDATE, {"outTrackId": "d17", "privateData": private})
    assert [said.text for said in bed.world.said] == ["只给小王", "跟进草稿"]
    assert said.to == BOSS


async def test_update_of_an_unknown_card_or_with_nothing_is_refused(bed: Bed) -> None:
    _, body = await bed.new("PUT", UPDATE, {"outTrackId": "d99", "cardData": {"cardParamMap": {}}})
    assert body["code"] == "param.cardNotExist"
    await deliver(bed)
    _, body = await bed.new("PUT", UPDATE, {"outTrackId": "d17"})
    assert body["code"] == "param.cardDataAndPrivateDataBothEmpty"


async def test_press_calls_back_signed_and_applies_the_answer(bed: Bed) -> None:
    said = await deliver(bed)
    bed.door.answers["cards"] = closing()
    seen = await bed.emulator.press(said, WANG, "confirm:17", {"objection": "price"})
    (post,) = bed.door.posts
    timestamp = post.headers["x-ddpaas-signature-timestamp"]
    assert post.headers["x-ddpaas-signature"] == sign_card(timestamp, CARD_SECRET)
    assert (post.body["type"], post.body["outTrackId"], post.body["userId"]) == (
        "actionCallback",
        "d17",
        WANG,
    )
    pressed = json.loads(post.body["content"])["cardPrivateData"]
    assert pressed == {
        "actionIds": ["confirm:17"],
        "params": {"revision": "1", "objection": "price"},
    }
    assert (seen["closed"], seen["buttons"], "fields" in seen) == ("已确认", [], False)
    assert said.card == seen


async def test_registered_route_wins_over_the_configured_one(bed: Bed) -> None:
    url = bed.world.app("dingtalk").cards_url
    bed.world.app("dingtalk").cards_url = "http://127.0.0.1:9/nobody"
    register = {"callbackRouteKey": "gendan", "callbackUrl": url, "apiSecret": "fresh"}
    path = "v1.0/card/callbacks/register"
    assert (await bed.new("POST", path, register))[0] == 200
    status, body = await bed.new("POST", path, register)
    assert (status, body["code"]) == (500, "param.callbackRouteKeyExist")
    assert (await bed.new("POST", path, register | {"forceUpdate": True}))[0] == 200
    await bed.emulator.press(await deliver(bed), WANG, "confirm:17", {})
    headers = bed.door.posts[0].headers
    stamp = headers["x-ddpaas-signature-timestamp"]
    assert headers["x-ddpaas-signature"] == sign_card(stamp, "fresh")


async def test_private_data_is_seen_by_its_owner_only(bed: Bed) -> None:
    said = await deliver(bed, f"IM_GROUP.{GROUP}")
    own = {"userPrivateData": {"cardParamMap": {"body": "你已确认"}}}

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        return web.json_response(own)

    bed.door.answers["cards"] = answer
    seen = await bed.emulator.press(said, WANG, "confirm:17", {})
    other = await bed.emulator.press(said, BOSS, "confirm:17", {})
    assert seen["body"].startswith("你已确认")
    assert said.card is not None
    assert said.card["body"].startswith("恒锐机电")
    assert other["body"].startswith("你已确认")


async def test_failed_press_shows_the_toast_and_changes_nothing(bed: Bed) -> None:
    said = await deliver(bed)
    bed.door.answers["cards"] = answer_500
    with pytest.raises(ConnectionError, match=TOAST):
        await bed.emulator.press(said, WANG, "confirm:17", {})
    assert said.card is not None
    assert said.card["buttons"]
    assert bed.world.counters["dingtalk:toast"] == 1


async def test_slow_press_is_given_up(bed: Bed) -> None:
    said = await deliver(bed)
    bed.emulator.cards.limit_s = 0.05
    released = asyncio.Event()

    async def never(request: web.Request, raw: bytes) -> web.StreamResponse:
        await released.wait()
        return web.json_response({})

    bed.door.answers["cards"] = never
    with pytest.raises(ConnectionError, match=TOAST):
        await bed.emulator.press(said, WANG, "confirm:17", {})
    released.set()
    assert bed.world.attempts[-1]["status"] is None


async def test_answer_that_breaks_the_card_is_a_failed_press(bed: Bed) -> None:
    said = await deliver(bed)

    async def answer(request: web.Request, raw: bytes) -> web.StreamResponse:
        return web.json_response({"cardData": {"cardParamMap": {"revision": 2}}})

    bed.door.answers["cards"] = answer
    with pytest.raises(ConnectionError, match=TOAST):
        await bed.emulator.press(said, WANG, "confirm:17", {})


async def test_stream_card_is_pressed_in_vain(bed: Bed) -> None:
    said = await deliver(bed, callbackType="STREAM")
    with pytest.raises(ConnectionError, match=TOAST):
        await bed.emulator.press(said, WANG, "confirm:17", {})
    assert bed.door.posts == []


async def test_double_click_calls_back_twice(bed: Bed) -> None:
    said = await deliver(bed)
    bed.emulator.cards.presses = 2
    await bed.emulator.press(said, WANG, "confirm:17", {})
    assert len(bed.door.at("cards")) == 2


async def test_update_from_inside_the_callback_is_noticed(bed: Bed) -> None:
    said = await deliver(bed)

    async def updating(request: web.Request, raw: bytes) -> web.StreamResponse:
        data = {"cardParamMap": DRAFT | {"title": "早了"}}
        await bed.new("PUT", UPDATE, {"outTrackId": "d17", "cardData": data})
        return web.json_response({})

    bed.door.answers["cards"] = updating
    await bed.emulator.press(said, WANG, "confirm:17", {})
    assert bed.world.counters["dingtalk:card-updated-inside-callback"] == 1


@pytest.mark.parametrize(
    ("sender", "action", "values", "reason"),
    [
        (WANG, "delete", {}, "没有这个按钮"),
        (WANG, "confirm:17", {"colour": "red"}, "没有「colour」"),
        (WANG, "confirm:17", {"objection": "weather"}, "没有「weather」"),
        (BOSS, "confirm:17", {}, "不是发给这个人"),
        ("nobody", "confirm:17", {}, "没有这个人"),
    ],
)
async def test_press_that_no_client_offers_is_refused(
    bed: Bed, sender: str, action: str, values: dict[str, str], reason: str
) -> None:
    said = await deliver(bed)
    with pytest.raises(ValueError, match=reason):
        await bed.emulator.press(said, sender, action, values)
    assert bed.door.posts == []


async def test_closed_card_and_plain_message_have_no_buttons(bed: Bed) -> None:
    said = await deliver(bed)
    bed.door.answers["cards"] = closing()
    await bed.emulator.press(said, WANG, "confirm:17", {})
    with pytest.raises(ValueError, match="没有这个按钮"):
        await bed.emulator.press(said, WANG, "confirm:17", {})
    spoken = await bed.emulator.say(WANG, None, "你好")
    with pytest.raises(ValueError, match="没有按钮"):
        await bed.emulator.press(spoken, WANG, "confirm:17", {})


async def test_card_for_some_members_is_not_for_the_others(bed: Bed) -> None:
    model = {"robotCode": KEY, "recipients": [BOSS]}
    said = await deliver(bed, f"IM_GROUP.{GROUP}", imGroupOpenDeliverModel=model)
    with pytest.raises(ValueError, match="不是发给这个人"):
        await bed.emulator.press(said, WANG, "confirm:17", {})
