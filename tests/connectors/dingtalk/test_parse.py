"""Recorded payloads, read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.external import ContactHint
from bot.errors import InvalidInput
from bot.messages import Attachment, CardAction, DirectoryChange, InboundMessage, Kind
from connectors.dingtalk.parse import parse_envelope, press_id
from tests.connectors.dingtalk.dingtalk_bed import GROUP, NOW, PERSON, envelope, recorded

PRESSED = datetime.fromtimestamp(1_760_000_000, UTC)


def robot(name: str) -> InboundMessage:
    return parse_envelope(envelope("robot", recorded(name)))


def event(name: str) -> InboundMessage:
    return parse_envelope(envelope("events", recorded(name)))


def press(name: str) -> InboundMessage:
    return parse_envelope(envelope("cards", recorded(name)))


def test_text_said_to_the_bot_alone() -> None:
    message = robot("text")
    assert (message.kind, message.text) == (Kind.TEXT, "今天拜访了三家")
    assert (message.sender_id, message.sender_name) == ("0147001", "小王")
    assert (message.origin, message.in_group) == (PERSON, False)
    assert message.message_id == "msgAAAA=="
    assert message.sent_at == datetime.fromtimestamp(1_760_000_000, UTC)


def test_text_in_a_group_loses_the_space_behind_the_bots_name() -> None:
    message = robot("text_in_group")
    assert message.text == "今天拜访了三家 @小李"
    assert (message.origin, message.in_group) == (GROUP, True)


def test_text_at_the_top_level_and_a_time_as_text_are_read_too() -> None:
    message = robot("text_at_top_level")
    assert message.text == "你好"
    assert message.sent_at == datetime.fromtimestamp(1_760_000_000, UTC)


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("text_reply", "恒锐机电，25 分钟"), ("text_reply_to_rich_text", "报价三份"), ("text", "")],
)
def test_a_reply_carries_what_it_answers(name: str, quoted: str) -> None:
    assert robot(name).quoted_text == quoted


def test_a_reply_tells_when_the_earlier_message_was_sent() -> None:
    assert robot("text_reply").quoted_at == datetime.fromtimestamp(1_759_999_000, UTC)
    assert robot("text").quoted_at is None


def test_text_with_pictures_keeps_both() -> None:
    message = robot("rich_text")
    assert (message.kind, message.text) == (Kind.MIXED, "现场照片：\n设备已到货")
    assert message.attachments == (Attachment("image", "pic1"), Attachment("image", "alt2"))


def test_in_a_group_the_mention_of_the_bot_goes_and_others_stay() -> None:
    assert robot("rich_text_in_group").text == "请@小李 看"


def test_rich_text_of_pictures_alone_is_a_picture() -> None:
    message = robot("rich_text_pictures_only")
    assert (message.kind, message.text) == (Kind.IMAGE, "")
    assert message.attachments == (Attachment("image", "pic1"),)


@pytest.mark.parametrize(
    ("name", "kind", "attachment"),
    [
        ("picture", Kind.IMAGE, Attachment("image", "pic1")),
        (
            "audio",
            Kind.VOICE,
            Attachment("voice", "voice1", duration_s=4.2, transcript="刚和恒锐机电王总通了电话"),
        ),
        ("audio_without_duration", Kind.VOICE, Attachment("voice", "voice1")),
        ("video", Kind.VIDEO, Attachment("video", "video1", name="video.mp4", duration_s=5.0)),
        (
            "video_in_milliseconds",
            Kind.VIDEO,
            Attachment("video", "video1", name="video.mp4", duration_s=4.0),
        ),
        ("file", Kind.FILE, Attachment("file", "file1", name="报价单.pdf")),
    ],
)
def test_files_come_with_what_is_needed_to_fetch_them(
    name: str, kind: Kind, attachment: Attachment
) -> None:
    message = robot(name)
    assert message.kind == kind
    assert message.attachments == (attachment,)


@pytest.mark.parametrize(
    ("name", "detail"), [("unknown_type", "不支持的消息类型"), ("chat_record", "chatRecord")]
)
def test_types_we_cannot_read_say_which(name: str, detail: str) -> None:
    message = robot(name)
    assert (message.kind, message.detail) == (Kind.UNSUPPORTED, detail)


def test_a_message_over_the_quota_has_no_text_and_says_so() -> None:
    message = robot("over_quota")
    assert message.kind == Kind.OVER_QUOTA
    assert "额度" in message.detail


@pytest.mark.parametrize("name", ["outsider", "outsider_in_group"])
def test_somebody_who_is_no_employee_is_nobody_we_know(name: str) -> None:
    message = robot(name)
    assert (message.kind, message.sender_id) == (Kind.UNSUPPORTED, "")
    assert "senderStaffId" in message.detail


def test_half_an_emoji_in_a_nickname_does_not_lose_the_message() -> None:
    message = robot("half_an_emoji")
    assert message.text == "好"
    assert message.sender_name == "小王?"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"msgtype":"text"}', b"\xff\xfe\x00", b"[" * 100_000, b'{"msgId":"m"}'],
)
def test_what_is_no_message_is_invalid_input(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_envelope(envelope("robot", body))


@pytest.mark.parametrize(
    "more",
    [
        {"text": "not an object"},
        {"text": {"content": 5}},
        {"msgtype": ["text"]},
        {"createAt": "soon"},
        {"createAt": 10**30},
        {"msgtype": "richText", "content": {"richText": ["a", None, {"type": "picture"}]}},
        {"msgtype": "audio", "content": {"duration": [1], "downloadCode": {}}},
    ],
)
def test_fields_of_the_wrong_type_are_read_as_nothing(more: dict[str, object]) -> None:
    body = json.loads(recorded("text")) | more
    assert parse_envelope(envelope("robot", json.dumps(body).encode())).sender_id == "0147001"


def test_a_press_names_card_revision_button_and_values() -> None:
    message = press("card_press_in_group")
    values = {"customer": "17", "days": "3", "tags": '["a", "b"]'}
    assert message.kind == Kind.CARD_ACTION
    assert message.action == CardAction("draft-8841", 2, "confirm", values)
    assert (message.sender_id, message.origin, message.in_group) == ("0147001", GROUP, True)


def test_a_press_in_the_persons_own_chat_keeps_its_place_there() -> None:
    message = press("card_press")
    assert (message.origin, message.in_group) == (PERSON, False)


def test_the_other_documented_shape_of_a_press_is_read_too() -> None:
    message = press("card_press_as_value")
    assert message.action == CardAction("draft-8841", 1, "cancel", {})
    assert message.origin == PERSON


def test_a_submitted_form_names_its_button_and_plain_values() -> None:
    values = {"customer": "18", "next": "2026-01-28", "tags": '["a", "b"]', "checked": "true"}
    assert press("card_form_submitted").action == CardAction("draft-8841", 2, "confirm", values)


@pytest.mark.parametrize("gone", ["outTrackId", "userId", "content"])
def test_a_press_without_its_parts_is_invalid_input(gone: str) -> None:
    body = {key: value for key, value in json.loads(recorded("card_press")).items() if key != gone}
    with pytest.raises(InvalidInput):
        parse_envelope(envelope("cards", json.dumps(body).encode()))


def test_a_double_click_is_one_press_and_a_new_revision_another() -> None:
    body = json.loads(recorded("card_press"))
    later = body | {"content": body["content"].replace('"revision": "2"', '"revision": "3"')}
    assert press_id(body, PRESSED) == press_id(dict(reversed(body.items())), PRESSED)
    assert press_id(body, PRESSED) != press_id(later, PRESSED)
    assert press_id(body, PRESSED) != press_id(body | {"userId": "0147002"}, PRESSED)


def test_the_same_press_a_while_later_is_another() -> None:
    """The first may have been refused, which changes no card: the second was never answered."""
    body = json.loads(recorded("card_press"))
    assert press_id(body, PRESSED) == press_id(body, PRESSED + timedelta(seconds=2))
    assert press_id(body, PRESSED) != press_id(body, PRESSED + timedelta(seconds=10))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("event_user_add", DirectoryChange(user_ids=("0147001", "0147002"))),
        ("event_user_add_old", DirectoryChange(user_ids=("0147001",))),
        ("event_user_modify", DirectoryChange(user_ids=("0147001",))),
        ("event_user_leave", DirectoryChange(left_user_ids=("0147009",))),
        ("event_dept_modify", DirectoryChange(department_ids=("5", "6"))),
        ("event_role_change", DirectoryChange(user_ids=("0147001",))),
        ("event_org_change", DirectoryChange(everything=True)),
    ],
)
def test_a_change_of_the_directory_names_what_to_read_again(
    name: str, change: DirectoryChange
) -> None:
    message = event(name)
    assert (message.kind, message.change) == (Kind.DIRECTORY_CHANGE, change)
    assert message.sent_at == NOW


def test_a_renamed_and_a_disbanded_group_are_noted() -> None:
    renamed = event("event_chat_title")
    assert renamed.kind == Kind.CONTACT_CHANGE
    assert renamed.contacts == ContactHint(renamed=(("cidAbC123==", "新群名"),))
    body = b'{"EventType": "chat_disband", "openConversationId": "cidAbC123=="}'
    disbanded = parse_envelope(envelope("events", body))
    assert disbanded.contacts == ContactHint(gone_chats=("cidAbC123==",))


def test_events_for_others_are_ignored_and_new_ones_reported() -> None:
    joined = b'{"EventType": "chat_add_member", "openConversationId": "cidAbC123=="}'
    assert parse_envelope(envelope("events", joined)).kind == Kind.IGNORED
    unknown = event("event_unknown")
    assert (unknown.kind, unknown.detail) == (Kind.UNSUPPORTED, "edu_dept_insert")


def test_an_unknown_door_is_invalid_input() -> None:
    with pytest.raises(InvalidInput):
        parse_envelope(envelope("cellar", b"{}"))
