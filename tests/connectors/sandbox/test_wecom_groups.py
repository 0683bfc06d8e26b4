"""Application group chats, group robots and the application's menu."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.sandbox.wecom_bed import GROUP, PNG, ROBOT, Bed, buttons_card, open_bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def robot(bed: Bed, kind: str, content: Any, key: str = ROBOT) -> dict[str, Any]:
    return await bed.post("webhook/send", {"msgtype": kind, kind: content}, token="", key=key)


async def test_new_group_can_be_read_and_written_to(bed: Bed) -> None:
    body = {"name": "恒锐项目", "owner": "LI4", "userlist": ["li4", "wang5"], "chatid": "proj118"}
    assert (await bed.post("appchat/create", body))["chatid"] == "proj118"
    info = (await bed.get("appchat/get", chatid="proj118"))["chat_info"]
    assert info == {
        "chatid": "proj118", "name": "恒锐项目", "owner": "Li4", "userlist": ["Li4", "wang5"],
    }  # fmt: skip
    content = {"chatid": "proj118", "msgtype": "markdown", "markdown": {"content": "**红灯**"}}
    assert (await bed.post("appchat/send", content))["errcode"] == 0
    [said] = bed.world.said
    assert (said.chat, said.to, said.kind, said.sender) == (
        "proj118",
        None,
        "markdown",
        "bot:sales",
    )


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "长" * 51}, 86004),
        ({"userlist": ["zhang3"]}, 86006),
        ({"userlist": ["zhang3", "ghost1"]}, 86007),
        ({"owner": "wang5"}, 86005),
        ({"chatid": "有 空格"}, 86001),
        ({"chatid": GROUP}, 86215),
    ],
)
async def test_group_is_refused(bed: Bed, wrong: dict[str, Any], code: int) -> None:
    body = {"name": "项目", "owner": "zhang3", "userlist": ["zhang3", "li4"], **wrong}
    assert (await bed.post("appchat/create", body))["errcode"] == code


async def test_group_without_id_or_owner_gets_both(bed: Bed) -> None:
    chat_id = (await bed.post("appchat/create", {"userlist": ["zhang3", "li4"]}))["chatid"]
    assert (await bed.get("appchat/get", chatid=chat_id))["chat_info"]["owner"] == "zhang3"


async def test_group_takes_no_template_card_and_must_exist(bed: Bed) -> None:
    card = {"chatid": GROUP, "msgtype": "template_card", "template_card": buttons_card()}
    assert (await bed.post("appchat/send", card))["errcode"] == 40008
    text = {"chatid": "none", "msgtype": "text", "text": {"content": "你好"}}
    assert (await bed.post("appchat/send", text))["errcode"] == 86003
    assert (await bed.get("appchat/get"))["errcode"] == 86001


async def test_robot_speaks_in_its_group_without_a_token(bed: Bed) -> None:
    await robot(bed, "text", {"content": "日报", "mentioned_list": ["zhang3"]})
    await robot(bed, "markdown_v2", {"content": "| a |"})
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "提醒"},
        "card_action": {"type": 1, "url": "https://a.example"},
    }
    assert (await robot(bed, "template_card", notice))["errcode"] == 0
    assert [(said.chat, said.kind) for said in bed.world.said] == [
        (GROUP, "text"),
        (GROUP, "markdown"),
        (GROUP, "card"),
    ]


async def test_robot_sends_a_picture_within_the_message(bed: Bed) -> None:
    digest = hashlib.md5(PNG, usedforsecurity=False).hexdigest()
    picture = {"base64": base64.b64encode(PNG).decode(), "md5": digest}
    assert (await robot(bed, "image", picture))["errcode"] == 0
    file = bed.world.said[0].file
    assert file is not None
    assert (file["size"], file["media_type"]) == (len(PNG), "image/png")


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("text", {"content": ""}, 44004),
        ("text", {"content": "x" * 2049}, 40058),
        ("markdown", {"content": "x" * 4097}, 40058),
        ("image", {"base64": "@", "md5": ""}, 40058),
        ("image", {"base64": "AAAA", "md5": "0"}, 40058),
        ("template_card", buttons_card(), 42031),
        ("video", {"media_id": "x"}, 40008),
    ],
)
async def test_robot_is_refused(bed: Bed, kind: str, content: Any, code: int) -> None:
    assert (await robot(bed, kind, content))["errcode"] == code
    assert (await robot(bed, kind, content, key="wrong"))["errcode"] == 93000


async def test_robot_may_speak_twenty_times_a_minute(bed: Bed) -> None:
    codes = [(await robot(bed, "text", {"content": str(i)}))["errcode"] for i in range(21)]
    assert codes == [0] * 20 + [45009]
    bed.clock.pass_by(minutes=1)
    assert (await robot(bed, "text", {"content": "又来"}))["errcode"] == 0


MENU = {
    "button": [
        {"type": "click", "name": "待办", "key": "todo"},
        {
            "name": "更多",
            "sub_button": [{"type": "view", "name": "看板", "url": "https://a.example"}],
        },
    ]
}


async def test_menu_is_kept_replaced_and_deleted(bed: Bed) -> None:
    agent = {"agentid": "1000002"}
    assert (await bed.get("menu/get", **agent))["errcode"] == 46003
    assert (await bed.post("menu/create", MENU, **agent))["errcode"] == 0
    assert (await bed.get("menu/get", **agent))["button"] == MENU["button"]
    assert (await bed.get("menu/delete", **agent))["errcode"] == 0
    assert (await bed.get("menu/get", **agent))["errcode"] == 46003


ENTRY = {"type": "click", "name": "待办", "key": "todo"}


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], 40016),
        ([ENTRY] * 4, 40016),
        ([{**ENTRY, "name": ""}], 40018),
        ([{**ENTRY, "key": ""}], 40019),
        ([{**ENTRY, "type": "dance"}], 40017),
        ([{"name": "更多", "sub_button": [ENTRY] * 6}], 40023),
        ([{"type": "view", "name": "看板"}], 40058),
        (["待办"], 40058),
    ],
)
async def test_menu_is_refused(bed: Bed, entries: list[Any], code: int) -> None:
    answer = await bed.post("menu/create", {"button": entries}, agentid="1000002")
    assert answer["errcode"] == code
    assert (await bed.post("menu/create", MENU, agentid="7"))["errcode"] == 301002
    assert (await bed.post("menu/create", MENU))["errcode"] == 40056
