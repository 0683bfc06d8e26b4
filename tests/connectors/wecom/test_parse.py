"""Recorded callbacks, one file each, to what the bot understands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise import parse_message

from bot.errors import InvalidInput
from bot.messages import (
    Address,
    Attachment,
    CardAction,
    DirectoryChange,
    Envelope,
    InboundMessage,
    Kind,
    Platform,
)
from connectors.wecom.parse import parse
from tests.connectors.wecom.wecom_door import recorded

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def read(body: bytes) -> InboundMessage:
    return parse(Envelope("wecom:sales:app", "D1", "wecom:sales:u:lisi04", AT, AT, body))


def test_text_says_who_where_and_what() -> None:
    assert read(recorded("text")) == InboundMessage(
        platform=Platform.WECOM,
        app="sales",
        message_id="D1",
        origin=Address(Platform.WECOM, "sales", user_id="lisi04"),
        sender_id="lisi04",
        sent_at=AT,
        kind=Kind.TEXT,
        text="刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系",
    )


def test_text_keeps_markup_that_somebody_typed() -> None:
    text = read(recorded("text_with_markup")).text
    assert text == "合同里写着 <!DOCTYPE html> 和 &lt;b&gt; 两处 "


def test_ids_and_texts_of_digits_keep_their_zeros() -> None:
    message = read(recorded("leading_zero_ids"))
    assert (message.sender_id, message.text) == ("007", "0571")


@pytest.mark.parametrize(
    ("name", "kind", "attachment"),
    [
        ("image", Kind.IMAGE, Attachment("image", "MEDIA_IMG")),
        ("voice", Kind.VOICE, Attachment("voice", "MEDIA_VOICE", name="voice.amr")),
        (
            "voice_with_transcript",
            Kind.VOICE,
            Attachment("voice", "MEDIA_VOICE", "voice.amr", transcript="刚拜访了恒锐机电"),
        ),
        ("video", Kind.VIDEO, Attachment("video", "MEDIA_VIDEO")),
        ("file", Kind.FILE, Attachment("file", "MEDIA_FILE", name="方案 V2.pdf")),
    ],
)
def test_media_can_be_fetched_by_its_handle(name: str, kind: Kind, attachment: Attachment) -> None:
    message = read(recorded(name))
    assert (message.kind, message.attachments) == (kind, (attachment,))


@pytest.mark.parametrize(
    ("name", "kind", "text", "detail"),
    [
        ("location", Kind.LOCATION, "", "杭州市西湖区文三路 90 号 (30.274085,120.15507)"),
        ("link", Kind.LINK, "", "数控机床选型\n三种方案对比\nhttps://example.com/a?id=1&x=2"),
        ("subscribe", Kind.SUBSCRIBE, "", ""),
        ("unsubscribe", Kind.UNSUBSCRIBE, "", ""),
        ("enter_agent", Kind.ENTER, "", ""),
        ("click", Kind.MENU, "my_todo", ""),
        ("view", Kind.IGNORED, "", "view"),
        ("location_report", Kind.IGNORED, "", "LOCATION"),
        ("tag_updated", Kind.IGNORED, "", "update_tag"),
        ("inactive_alert", Kind.UNSUPPORTED, "", "inactive_alert"),
        ("unknown_type", Kind.UNSUPPORTED, "", "channels_shop_product"),
        ("card_press_foreign", Kind.UNSUPPORTED, "", "card visit-118-r1"),
    ],
)
def test_everything_else_is_told_apart(name: str, kind: Kind, text: str, detail: str) -> None:
    message = read(recorded(name))
    assert (message.kind, message.text, message.detail) == (kind, text, detail)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("card_press", CardAction("draft-118", 3, "confirm", {"stage": "s2"}, "RC-once")),
        (
            "card_press_two_options",  # a drop-down left at "please choose" chose nothing
            CardAction("poll_7", 1, "submit", {"slot": "mon|fri", "who": "007"}, "RC-once"),
        ),
        ("card_press_nothing_selected", CardAction("draft-118", 3, "cancel", {}, "RC-once")),
        ("card_menu", CardAction("light-17", 2, "mute", {}, "RC-once")),
    ],
)
def test_press_tells_card_revision_and_choices(name: str, action: CardAction) -> None:
    message = read(recorded(name))
    assert (message.kind, message.action) == (Kind.CARD_ACTION, action)
    assert message.sender_id == "lisi04"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("user_created", DirectoryChange(user_ids=("newguy",))),
        ("user_updated", DirectoryChange(user_ids=("lisi04",))),
        ("user_updated_reduced", DirectoryChange(user_ids=("lisi04",))),
        ("user_renamed", DirectoryChange(user_ids=("lisi-hz",), left_user_ids=("lisi04",))),
        ("user_deleted", DirectoryChange(left_user_ids=("lisi04",))),
        ("department_updated", DirectoryChange(department_ids=("3",))),
        ("department_deleted", DirectoryChange(department_ids=("3",))),
        ("directory_unknown_change", DirectoryChange(everything=True)),
    ],
)
def test_directory_change_names_what_to_read_again(name: str, change: DirectoryChange) -> None:
    message = read(recorded(name))
    assert (message.kind, message.change) == (Kind.DIRECTORY_CHANGE, change)
    assert message.sender_id == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml/>",
        b"<xml><FromUserName>li4</FromUserName></xml>",
        b"<xml><MsgType>text</MsgType></xml>",
        b"<xml><FromUserName>li4</FromUserName><MsgType>event</MsgType></xml>",
        b"<xml><FromUserName>li4</FromUserName><MsgType>image</MsgType></xml>",
        b"<xml><FromUserName>li4</FromUserName><MsgType>location</MsgType></xml>",
    ],
)
def test_message_that_lacks_what_its_type_promises_cannot_be_read(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(body)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_invalid_input(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(body)


@pytest.mark.parametrize("name", ["text", "image", "voice", "location", "link", "click"])
def test_wechatpy_reads_the_recordings_alike(name: str) -> None:
    theirs, ours = parse_message(recorded(name)), read(recorded(name))
    assert theirs.source.lower() == ours.sender_id
    if ours.attachments:
        assert theirs.media_id == ours.attachments[0].handle
    if ours.kind is Kind.TEXT:
        assert theirs.content == ours.text
    if ours.kind is Kind.MENU:
        assert theirs.key == ours.text
