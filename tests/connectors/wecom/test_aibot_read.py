"""What a robot is told, to what the bot understands; and its files' encryption."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InvalidInput
from bot.messages import Address, CardAction, Envelope, InboundMessage, Kind, Platform
from connectors.sandbox.wecom_aibot_state import Robot
from connectors.sandbox.wecom_state import WecomState
from connectors.sandbox.world import App, Hooks, World
from connectors.wecom import aibot_read
from connectors.wecom.aibot_read import parse, to_envelope, without_mention
from connectors.wecom.crypto import Undecipherable, decrypt_file
from connectors.wecom.settings import Aibot

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ROBOT = Aibot("helper", robot_name="销售助手")


def body(**content: Any) -> dict[str, Any]:
    return {
        "msgid": "M1",
        "aibotid": "B1",
        "chattype": "single",
        "from": {"userid": "Li4"},
        **content,
    }


def in_group(**content: Any) -> dict[str, Any]:
    return body(chattype="group", chatid="wrG1", **content)


def text(words: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": words}}


def event(kind: str, **content: Any) -> dict[str, Any]:
    return body(msgtype="event", event={"eventtype": kind, **content})


def stored(told: Any) -> Envelope:
    return to_envelope(ROBOT, json.dumps(told).encode(), AT)


def read(told: Any) -> InboundMessage:
    return parse(ROBOT, stored(told))


def test_a_person_is_the_same_whatever_case_the_platform_writes() -> None:
    message = read(body(**text("今天拜访了甲公司")))
    assert message.sender_id == "li4"
    assert message.origin == Address(Platform.WECOM, "helper", user_id="li4")
    assert (message.kind, message.text, message.in_group) == (Kind.TEXT, "今天拜访了甲公司", False)


def test_a_group_is_told_by_its_id_as_it_is_written() -> None:
    envelope = stored(in_group(**text("@销售助手 今天拜访了甲公司")))
    assert envelope.conversation == "wecom:helper:g:wrG1"
    message = parse(ROBOT, envelope)
    assert (message.text, message.in_group) == ("今天拜访了甲公司", True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("@销售助手 记一下", "记一下"),
        ("@销售助手\u2005记一下", "记一下"),
        (" @销售助手  @李四 说的记一下", "@李四 说的记一下"),
        ("@销售助手 邮箱是 a@b.cn", "邮箱是 a@b.cn"),
        ("@另一个名字 记一下", "记一下"),
        ("@销售助手", ""),
        ("记一下 @销售助手", "记一下 @销售助手"),
    ],
)
def test_only_the_leading_mention_is_cut_off(said: str, meant: str) -> None:
    assert without_mention(said, "销售助手") == meant


def test_a_name_with_spaces_is_cut_off_whole_where_it_is_known() -> None:
    assert without_mention("@Sales Bot 记一下", "Sales Bot") == "记一下"


def test_in_a_single_chat_an_at_sign_stays() -> None:
    assert read(body(**text("@李四 说的记一下"))).text == "@李四 说的记一下"


def test_a_transcript_is_words_without_a_file() -> None:
    message = read(body(msgtype="voice", voice={"content": "今天见了甲公司王总"}))
    assert (message.kind, message.text, message.attachments) == (
        Kind.VOICE,
        "今天见了甲公司王总",
        (),
    )


@pytest.mark.parametrize("kind", ["image", "file", "video"])
def test_a_file_carries_its_address_its_key_and_since_when(kind: str) -> None:
    message = read(body(msgtype=kind, **{kind: {"url": "https://x/1", "aeskey": "K"}}))
    (attachment,) = message.attachments
    assert attachment.kind == kind
    handle = json.loads(attachment.handle)
    assert handle == {"url": "https://x/1", "aeskey": "K", "since": AT.isoformat()}


def test_words_and_pictures_come_together() -> None:
    items = [
        {"msgtype": "text", "text": {"content": "@销售助手 甲公司的名片"}},
        {"msgtype": "image", "image": {"url": "https://x/1"}},
        {"msgtype": "file", "file": {"url": "https://x/2"}},
        {"msgtype": "hologram", "hologram": {}},
    ]
    message = read(in_group(msgtype="mixed", mixed={"msg_item": items}))
    assert (message.kind, message.text) == (Kind.MIXED, "甲公司的名片")
    assert [one.kind for one in message.attachments] == ["image", "file"]


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        (text("昨天的报价"), "昨天的报价"),
        ({"msgtype": "voice", "voice": {"content": "昨天的报价"}}, "昨天的报价"),
        (
            {"msgtype": "mixed", "mixed": {"msg_item": [text("昨天的"), text("报价")]}},
            "昨天的\n报价",
        ),
        ({"msgtype": "image", "image": {"url": "https://x/1"}}, ""),
        ("nonsense", ""),
    ],
)
def test_what_is_quoted_can_be_read(quote: Any, words: str) -> None:
    assert read(in_group(**text("@销售助手 记一下"), quote=quote)).quoted_text == words


PRESS = {
    "card_type": "button_interaction",
    "event_key": "2:confirm",
    "task_id": "draft-118@1",
    "selected_items": {
        "selected_item": [
            {"question_key": "stage", "option_ids": {"option_id": ["s2"]}},
            {"question_key": "why", "option_ids": {"option_id": ["a", "b"]}},
            {"question_key": "who", "option_ids": {"option_id": ["-"]}},
        ]
    },
}


@pytest.mark.parametrize("fields", [{"template_card_event": PRESS}, PRESS], ids=["nested", "flat"])
def test_a_press_is_read_from_the_wire_and_from_the_vendors_types(fields: Any) -> None:
    message = read(event("template_card_event", **fields))
    values = {"stage": "s2", "why": "a|b"}
    assert message.action == CardAction("draft-118", 2, "confirm", values)


@pytest.mark.parametrize(
    "foreign", [{**PRESS, "task_id": "poll-7"}, {**PRESS, "event_key": "submit"}]
)
def test_a_press_on_a_card_of_somebody_else_is_not_ours(foreign: Any) -> None:
    assert read(event("template_card_event", template_card_event=foreign)).kind is Kind.UNSUPPORTED


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("enter_chat", Kind.ENTER),
        ("feedback_event", Kind.IGNORED),
        ("disconnected_event", Kind.IGNORED),
        ("auth_change_event", Kind.IGNORED),
        ("something_new", Kind.UNSUPPORTED),
    ],
)
def test_events(kind: str, meant: Kind) -> None:
    assert read(event(kind)).kind is meant


def test_an_event_tells_when_it_was_where_that_can_be_believed() -> None:
    said_at = AT - timedelta(seconds=3)
    assert (
        stored({**event("enter_chat"), "create_time": int(said_at.timestamp())}).sent_at == said_at
    )
    assert stored({**event("enter_chat"), "create_time": 1}).sent_at == AT


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"msgtype": "text"},
        body(msgtype="", text={"content": "x"}),
        body(**text("x"), chattype="group"),
        {**body(**text("x")), "from": {"userid": "u" * 65}},
    ],
)
def test_what_nobody_can_be_answered_for_is_a_dead_letter(told: Any) -> None:
    assert stored(told).unreadable


@pytest.mark.parametrize("told", [body(msgtype="text"), body(msgtype="image", image={})])
def test_a_message_that_lacks_what_its_type_promises_is_refused(told: Any) -> None:
    with pytest.raises(InvalidInput):
        read(told)


def test_a_delivery_without_an_id_is_known_by_all_of_it() -> None:
    first, second = body(**text("a")), body(**text("b"))
    del first["msgid"], second["msgid"]
    assert stored(first).delivery_id == stored(first).delivery_id != stored(second).delivery_id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
field_names = ["msgid", "chattype", "chatid", "from", "msgtype", "text", "mixed", "event", "quote"]


@given(st.dictionaries(st.sampled_from(field_names), json_values))
def test_nothing_the_platform_may_write_breaks_the_reader(told: dict[str, Any]) -> None:
    whole = {**body(**text("x")), **told}
    envelope = stored(whole)
    if envelope.unreadable is None:
        assert aibot_read.parse_or_none(ROBOT, envelope) is None or parse(ROBOT, envelope)


@given(st.binary(max_size=200))
def test_a_file_is_opened_as_the_platform_sealed_it(data: bytes) -> None:
    world = World(Hooks(now=lambda: AT))
    robot = Robot(App("wecom", "helper", "aibot"), WecomState(world))
    key = bytes(range(32))
    sealed = robot.media[robot.seal_file(data, "a.bin", key)].data
    assert decrypt_file("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", sealed) == data


@pytest.mark.parametrize("sealed", [b"", b"x" * 15, b"b" * 32])
def test_what_is_no_sealed_file_is_refused(sealed: bytes) -> None:
    with pytest.raises(Undecipherable):
        decrypt_file("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", sealed)
