"""What the emulated WeCom posts to the bot, how often, and what it does with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from xml.etree.ElementTree import Element

import pytest
from aiohttp import web

from connectors.sandbox.world import Fault, Member
from tests.connectors.sandbox.wecom_bed import (
    AMR,
    CORP,
    GROUP,
    MONDAY,
    PNG,
    Bed,
    Post,
    buttons_card,
    open_bed,
    sealed,
)


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def heard(bed: Bed, kind: str) -> list[Post]:
    await bed.settled()
    return bed.door.said(kind)


def refuse_first(times: int):
    """A door that answers 500 so often, then 200."""
    left = times

    async def answer(_: Element) -> web.Response:
        nonlocal left
        left -= 1
        return web.Response(status=500 if left >= 0 else 200)

    return answer


async def test_text_arrives_as_the_platform_writes_it(bed: Bed) -> None:
    said = await bed.emulator.say("ZHANG3", None, "价格 <高> ]]> & 贵\x00")
    [post] = await heard(bed, "text")
    assert post.text("Content") == "价格 <高> ]]> & 贵"
    assert (post.text("ToUserName"), post.text("FromUserName")) == (CORP, "zhang3")
    assert (post.text("CreateTime"), post.text("AgentID")) == (
        str(int(MONDAY.timestamp())),
        "1000002",
    )
    assert int(post.text("MsgId")) < 2**63
    assert (said.sender, said.to, said.chat) == ("zhang3", "zhang3", None)


async def test_envelope_names_the_corporation_and_the_agent(bed: Bed) -> None:
    await bed.emulator.say("zhang3", None, "你好")
    [post] = await heard(bed, "text")
    assert post.raw.startswith(
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
        "<AgentID><![CDATA[1000002]]></AgentID><Encrypt>".encode()
    )


@pytest.mark.parametrize("length", range(1, 33))
async def test_every_padding_passes_through_the_query_and_the_cipher(bed: Bed, length: int) -> None:
    await bed.emulator.say("zhang3", None, "x" * length)
    assert len(await heard(bed, "text")) == 1


@pytest.mark.parametrize(
    ("kind", "name", "data", "detail"),
    [
        ("image", "现场.png", PNG, "PicUrl"),
        ("voice", "v.amr", AMR, "Format"),
        ("video", "v.mp4", b"....ftypmp42", "ThumbMediaId"),
        ("file", "方案.pdf", b"%PDF-1.7", "FileName"),
    ],
)
async def test_file_arrives_with_a_media_id_to_download(
    bed: Bed, kind: str, name: str, data: bytes, detail: str
) -> None:
    said = await bed.emulator.say_file("zhang3", None, kind, name, data)
    [post] = await heard(bed, kind)
    assert post.text(detail)
    params = {"access_token": await bed.token(), "media_id": post.text("MediaId")}
    async with bed.http.get(f"{bed.base}/media/get", params=params) as answer:
        assert await answer.read() == data
    assert said.file is not None
    assert (said.file["name"], said.file["size"]) == (name, len(data))


async def test_first_contact_subscribes_once_and_first(bed: Bed) -> None:
    await bed.emulator.enter("zhang3")
    await bed.emulator.say("zhang3", None, "你好")
    await bed.settled()
    kinds = [post.text("Event") or post.text("MsgType") for post in bed.door.posts]
    assert kinds == ["subscribe", "enter_agent", "text"]


async def test_a_stopped_platform_calls_nobody(bed: Bed) -> None:
    await bed.emulator.stop()
    await bed.emulator.say("zhang3", None, "你好")
    await bed.settled()
    assert bed.door.posts == []


async def test_messages_of_one_member_arrive_in_order(bed: Bed) -> None:
    texts = [f"第 {number} 句" for number in range(20)]
    for text in texts:
        await bed.emulator.say("zhang3", None, text)
    assert [post.text("Content") for post in await heard(bed, "text")] == texts


async def test_message_sent_again_may_be_overtaken(bed: Bed) -> None:
    await bed.emulator.enter("zhang3")
    await bed.settled()
    bed.world.faults.append(Fault("wecom", "callback", drop=True))
    await bed.emulator.say("zhang3", None, "先说的")
    await bed.emulator.say("zhang3", None, "后说的")
    assert {post.text("Content") for post in await heard(bed, "text")} == {"先说的", "后说的"}
    assert [attempt["tries"] for attempt in bed.world.attempts[-2:]] == [2, 1]


async def test_refused_message_comes_again_with_the_same_inside(bed: Bed) -> None:
    bed.door.answer = refuse_first(2)
    bed.emulator.change_member("zhang3", name="张叁")
    posts = await heard(bed, "change_contact")
    assert len(posts) == 3
    assert len({post.inner for post in posts}) == 1
    assert len({post.query["nonce"] for post in posts}) == 3
    assert len({post.raw for post in posts}) == 3


async def test_after_three_retries_the_platform_gives_up(bed: Bed) -> None:
    bed.door.answer = refuse_first(100)
    bed.emulator.change_member("zhang3", name="张叁")
    assert len(await heard(bed, "change_contact")) == 4
    [attempt] = bed.world.attempts
    assert (attempt["status"], attempt["tries"]) == (500, 4)


async def test_late_answer_counts_as_none(bed: Bed) -> None:
    gate = asyncio.Event()

    async def answer(_: Element) -> web.Response:
        if len(bed.door.posts) == 1:
            await gate.wait()
        return web.Response()

    bed.door.answer = answer
    bed.emulator.callbacks.answer_within_s = 0.05
    bed.emulator.change_member("zhang3", name="张叁")
    assert len(await heard(bed, "change_contact")) == 2
    gate.set()


async def test_redirect_counts_as_failure(bed: Bed) -> None:
    async def answer(_: Element) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    bed.door.answer = answer
    bed.emulator.change_member("zhang3", name="张叁")
    assert len(await heard(bed, "change_contact")) == 4


async def test_lost_answers_make_the_platform_repeat_itself(bed: Bed) -> None:
    bed.world.faults.append(Fault("wecom", "callback", after=True, times=2))
    bed.emulator.change_member("zhang3", name="张叁")
    assert len(await heard(bed, "change_contact")) == 3


async def test_fault_of_every_api_leaves_callbacks_alone(bed: Bed) -> None:
    bed.world.faults.append(Fault("wecom", "*", status=502, times=100))
    bed.emulator.change_member("zhang3", name="张叁")
    assert len(await heard(bed, "change_contact")) == 1


async def test_url_check_passes_a_door_that_echoes(bed: Bed) -> None:
    for _ in range(20):  # about half of the sealed challenges have a "+" in them
        assert await bed.emulator.verify_callback()


async def test_url_check_fails_without_a_door_and_says_why(bed: Bed) -> None:
    bed.world.app("wecom").callback_url += "/wrong"
    assert not await bed.emulator.verify_callback()
    assert "回调地址请求不通过" in bed.world.attempts[-1]["error"]


@pytest.mark.parametrize(
    ("sender", "chat", "text", "why"),
    [
        ("ghost1", None, "你好", "没有这个人"),
        ("gone7", None, "你好", "账号不可用"),
        ("zhang3", GROUP, "你好", "收不到群消息"),
        ("zhang3", None, " \n", "空白"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_the_reason(
    bed: Bed, sender: str, chat: str | None, text: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await bed.emulator.say(sender, chat, text)
    assert bed.world.said == []


async def test_passive_text_is_shown_to_the_sender(bed: Bed) -> None:
    async def answer(inner: Element) -> web.Response:
        if inner.findtext("MsgType") != "text":
            return web.Response(text="success")
        return sealed(
            "<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[收到]]></Content></xml>"
        )

    bed.door.answer = answer
    await bed.emulator.say("zhang3", None, "你好")
    await bed.settled()
    assert [said.text for said in bed.shown_to("zhang3")] == ["收到"]


async def test_passive_update_greys_the_pressers_card_only(bed: Bed) -> None:
    async def answer(_: Element) -> web.Response:
        return sealed(
            "<xml><MsgType>update_button</MsgType>"
            "<Button><ReplaceName><![CDATA[已处理]]></ReplaceName></Button></xml>"
        )

    bed.door.answer = answer
    await bed.send("template_card", buttons_card(), to="zhang3|Li4")
    card = await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "confirm", {})
    assert (card["buttons"], card["closed"]) == ([], "已处理")
    other = bed.shown_to("Li4")[0].card
    assert other is not None
    assert len(other["buttons"]) == 2


async def test_passive_card_replaces_the_pressers_card(bed: Bed) -> None:
    async def answer(_: Element) -> web.Response:
        return sealed(
            "<xml><MsgType>update_template_card</MsgType><TemplateCard>"
            "<CardType>button_interaction</CardType><MainTitle><Title>拜访 #118</Title></MainTitle>"
            "<HorizontalContentList><KeyName>客户</KeyName><Value>甲公司</Value>"
            "</HorizontalContentList><HorizontalContentList><KeyName>金额</KeyName>"
            "<Value>32 万</Value></HorizontalContentList>"
            "<ButtonList><Text>撤销</Text><Style>3</Style><Key>undo</Key></ButtonList>"
            "</TemplateCard></xml>"
        )

    bed.door.answer = answer
    await bed.send("template_card", buttons_card())
    card = await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "confirm", {})
    assert card["facts"] == [["客户", "甲公司"], ["金额", "32 万"]]
    assert card["buttons"] == [{"action": "undo", "label": "撤销", "style": "danger"}]
    bed.door.answer = None
    await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "undo", {})
    assert bed.door.said("template_card_event")[-1].text("TaskId") == "visit-118@1"


@pytest.mark.parametrize(
    "reply",
    [
        web.Response(text="哎呀"),
        sealed("<xml><MsgType>dance</MsgType></xml>"),
        sealed("not xml"),
        sealed("<xml><MsgType>image</MsgType><Image><MediaId>no</MediaId></Image></xml>"),
    ],
)
async def test_reply_that_cannot_be_understood_is_noted_and_harms_nothing(
    bed: Bed, reply: web.Response
) -> None:
    async def answer(_: Element) -> web.Response:
        return web.Response(body=reply.body)

    bed.door.answer = answer
    await bed.emulator.say("zhang3", None, "你好")
    await bed.settled()
    assert not bed.shown_to("zhang3")
    assert any(attempt["error"] for attempt in bed.world.attempts)


async def test_press_nobody_answers_is_an_error_and_leaves_the_card(bed: Bed) -> None:
    await bed.send("template_card", buttons_card())
    bed.door.answer = refuse_first(100)
    with pytest.raises(ConnectionError):
        await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "confirm", {})
    assert len(bed.door.said("template_card_event")) == 4


async def test_menu_entry_comes_back_with_its_key(bed: Bed) -> None:
    menu = {"button": [{"type": "click", "name": "待办", "key": "todo"}]}
    await bed.post("menu/create", menu, agentid="1000002")
    await bed.emulator.menu_click("zhang3", "todo")
    [post] = await heard(bed, "click")
    assert post.text("EventKey") == "todo"
    with pytest.raises(ValueError, match="没有这一项"):
        await bed.emulator.menu_click("zhang3", "nothing")


async def test_changes_of_the_directory_are_told(bed: Bed) -> None:
    bed.emulator.add_member(Member("zhao8", "赵八", "wecom", ["rep"], "3"))
    bed.emulator.change_member("zhao8", name="赵捌", department="2")
    bed.emulator.change_member("zhao8", status=5)
    events = await heard(bed, "change_contact")
    assert [event.text("ChangeType") for event in events] == [
        "create_user",
        "update_user",
        "delete_user",
    ]
    assert {event.text("FromUserName") for event in events} == {"sys"}
    assert {event.text("UserID") for event in events} == {"zhao8"}
    assert (events[1].text("Name"), events[1].text("Department")) == ("赵捌", "2")


@pytest.mark.parametrize(
    "change", [{"department": "99"}, {"status": 3}, {"name": "x", "department": "99"}]
)
async def test_change_that_makes_no_sense_changes_nothing(bed: Bed, change: dict) -> None:
    with pytest.raises(ValueError, match=r"部门|status"):
        bed.emulator.change_member("zhang3", **change)
    assert bed.world.members[0].name == "张三"
    assert not bed.emulator.busy()


async def test_emulator_is_busy_until_its_callbacks_are_answered(bed: Bed) -> None:
    assert not bed.emulator.busy()
    await bed.emulator.say("zhang3", None, "你好")
    assert bed.emulator.busy()
    await bed.settled()
    assert not bed.emulator.busy()
