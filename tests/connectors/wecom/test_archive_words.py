"""Each documented type of message, as it is told in a stream."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.archive import ArchivedFile, ArchivedMessage, Status
from bot.errors import InvalidInput
from connectors.wecom.archive import words
from connectors.wecom.archive.read import read

ZONE = ZoneInfo("Asia/Shanghai")
START, END = 1772431200, 1772434800  # 2026-03-02 14:00 and 15:00 in Shanghai
FILE = {"sdkfileid": "sdk1", "md5sum": "AB01", "filesize": 1_258_291}


def told(msgtype: str, **objects: Any) -> dict[str, Any]:
    return {
        "msgid": "m1_external", "action": "send", "from": "Li4", "tolist": ["wmABC"],
        "roomid": "", "msgtime": 1760000000123, "msgtype": msgtype, **objects,
    }  # fmt: skip


def as_read(msgtype: str, **objects: Any) -> ArchivedMessage:
    message = read(json.dumps(told(msgtype, **objects)), ZONE)
    assert message is not None
    return message


def item(kind: str, **content: Any) -> dict[str, Any]:
    return {"type": kind, "msgtime": START, "content": json.dumps(content)}


CASES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("text", {"text": {"content": "下周三到货"}}, "下周三到货"),
    ("markdown", {"info": {"content": "**注意**"}}, "**注意**"),
    ("image", {"image": FILE}, "[图片]"),
    ("voice", {"voice": {"voice_size": 10, "play_length": 4, "sdkfileid": "s"}}, "[语音 4秒]"),
    ("video", {"video": {**FILE, "play_length": 75}}, "[视频 1分15秒]"),
    ("emotion", {"emotion": {"type": 1, "sdkfileid": "s"}}, "[表情]"),
    ("file", {"file": {**FILE, "filename": "报价.pdf"}}, "[文件] 报价.pdf（1.2 MB）"),
    ("revoke", {"revoke": {"pre_msgid": "m0"}}, "撤回了一条消息"),
    ("agree", {"agree": {"userid": "wmABC"}}, "同意了会话存档"),
    ("disagree", {"disagree": {"userid": "wmABC"}}, "不同意会话存档"),
    ("card", {"card": {"corpname": "恒锐机电", "userid": "wang"}}, "[名片] 恒锐机电 wang"),
    (
        "location",
        {"location": {"longitude": 120.1, "latitude": 30.2, "address": "滨江区", "title": "厂区"}},
        "[位置] 厂区 滨江区\n30.2,120.1",
    ),
    (
        "link",
        {"link": {"title": "样本", "description": "选型", "link_url": "https://a.cn"}},
        "[链接] 样本\n选型\nhttps://a.cn",
    ),
    ("weapp", {"weapp": {"title": "下单", "displayname": "商城"}}, "[小程序] 商城：下单"),
    (
        "chatrecord",
        {
            "chatrecord": {
                "title": "群聊",
                "item": [
                    item("ChatRecordText", content="一"),
                    item("ChatRecordFile", filename="图.dwg"),
                    item("ChatRecordUnheardOf"),
                ],
            }
        },
        "[聊天记录] 群聊\n· 一\n· [文件] 图.dwg\n· [不支持的消息：unheardof]",
    ),
    (
        "mixed",
        {"mixed": {"item": [item("text", content="见图"), item("image", **FILE)]}},
        "见图\n[图片]",
    ),
    ("todo", {"todo": {"title": "待办", "content": "回图纸"}}, "[待办] 待办\n回图纸"),
    (
        "vote",
        {"vote": {"votetitle": "周几", "voteitem": ["一", "二"], "votetype": 101}},
        "[投票] 周几\n一、二",
    ),
    ("vote", {"vote": {"votetitle": "周几", "votetype": 102}}, "[参与投票] 周几"),
    (
        "collect",
        {"collect": {"title": "信息", "details": [{"id": 1, "ques": "地址", "type": "Text"}]}},
        "[收集表] 信息\n· 地址",
    ),
    (
        "redpacket",
        {"redpacket": {"wish": "恭喜", "totalcnt": 3, "totalamount": 1005}},
        "[红包] 恭喜\n3 个，共 10.05 元",
    ),
    (
        "external_redpacket",
        {"redpacket": {"wish": "恭喜", "totalcnt": 1, "totalamount": 100}},
        "[红包] 恭喜\n1 个，共 1.00 元",
    ),
    (
        "meeting",
        {"meeting": {"topic": "评审", "starttime": START, "endtime": END, "address": "三楼"}},
        "[会议] 评审\n3月2日 14:00—3月2日 15:00\n三楼",
    ),
    ("meeting_notification", {"info": {"title": "会议开始"}}, "[会议通知] 会议开始"),
    ("docmsg", {"doc": {"title": "协议", "link_url": "https://d"}}, "[文档] 协议\nhttps://d"),
    (
        "news",
        {"info": {"item": [{"title": "新品", "description": "", "url": "https://n"}]}},
        "[图文] 新品\nhttps://n",
    ),
    (
        "calendar",
        {"calendar": {"title": "调试", "attendeename": ["张伟", "王总"], "starttime": START}},
        "[日程] 调试\n3月2日 14:00\n参与人：张伟、王总",
    ),
    ("meeting_voice_call", {"meeting_voice_call": {"sdkfileid": "s"}}, "[语音会议录音]"),
    (
        "voip_doc_share",
        {"voip_doc_share": {"filename": "a.ppt", "filesize": 2048, "sdkfileid": "s"}},
        "[通话中共享的文件] a.ppt（2 KB）",
    ),
    ("sphfeed", {"sphfeed": {"sph_name": "恒锐", "feed_desc": "新线"}}, "[视频号] 恒锐：新线"),
    ("voiptext", {"info": {"callduration": 65, "invitetype": 1}}, "[音视频通话 1分5秒]"),
    ("qydiskfile", {"info": {"filename": "b.zip"}}, "[微盘文件] b.zip"),
    ("solitaire", {"info": {"title": "报名"}}, "[接龙] 报名"),
    ("note", {"info": {}}, "[笔记]"),
    ("holograph", {}, "[不支持的消息：holograph]"),
)


@pytest.mark.parametrize(("msgtype", "objects", "text"), CASES)
def test_types_in_words(msgtype: str, objects: dict[str, Any], text: str) -> None:
    assert as_read(msgtype, **objects).text == text


def test_no_documented_type_is_left_out() -> None:
    assert {case[0] for case in CASES} - {"holograph"} == words.KINDS


def test_the_head_of_a_message() -> None:
    message = as_read("text", text={"content": "好"})
    assert (message.sender, message.recipients) == ("li4", ("wmABC",))
    assert message.sent_at.isoformat() == "2025-10-09T08:53:20.123000+00:00"
    assert message.chat == "li4|wmABC"
    assert as_read("text", roomid="wrX").chat == "wrX"


def test_what_a_message_carries() -> None:
    assert as_read("image", image=FILE).files == (
        ArchivedFile("image", "sdk1", "图片.jpg", 1_258_291, "ab01"),
    )
    record = {"item": [item("ChatRecordImage", **FILE), item("ChatRecordText", content="x")]}
    assert len(as_read("chatrecord", chatrecord=record).files) == 1
    assert as_read("revoke", revoke={"pre_msgid": "m0"}).revokes == "m0"
    agreed = as_read("agree", agree={"userid": "wmABC"})
    assert agreed.outsider == "wmABC"
    assert agreed.consent is not None
    assert agreed.consent.status is Status.AGREED


@pytest.mark.parametrize(
    "spoilt",
    [{"roomid": "r" * 129}, {"from": "a\0b"}, {"tolist": ["x" * 200]}, {"msgid": "m\n"}],
)
def test_what_no_database_would_take_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="no id"):
        read(json.dumps(told("text", text={"content": "x"}) | spoilt), ZONE)


def test_zero_bytes_and_endless_numbers_are_left_out() -> None:
    assert as_read("text", text={"content": "a\0b"}).text == "ab"
    (file,) = as_read("file", file={**FILE, "filename": "a", "filesize": 10**30}).files
    assert file.size == 0


def test_a_change_of_company_is_no_message() -> None:
    assert read('{"msgid":"m","action":"switch","time":1,"user":"li4"}', ZONE) is None


def test_records_within_records_end() -> None:
    deep = item("ChatRecordText", content="底")
    for _ in range(9):
        deep = item("chatrecord", title="层", item=[deep])
    assert "底" not in as_read("chatrecord", chatrecord={"title": "外", "item": [deep]}).text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
FIELDS = ("content", "item", "title", "starttime", "voteitem", "details", "sdkfileid", "filesize")


@given(
    kind=st.sampled_from(sorted(words.KINDS)),
    fields=st.dictionaries(st.sampled_from(FIELDS), json_values) | json_values,
)
def test_nonsense_never_breaks_the_reading(kind: str, fields: Any) -> None:
    names = (kind, "info", "doc", "redpacket")
    assert as_read(kind, **dict.fromkeys(names, fields)).text is not None


@given(st.text() | json_values.map(json.dumps))
def test_what_is_no_message_is_refused_in_words(content: str) -> None:
    with pytest.raises(InvalidInput):
        read(content, ZONE)
