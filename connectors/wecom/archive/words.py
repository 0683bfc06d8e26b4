"""Each documented type of archived message in words, as a person would tell what was sent.

Source: developer.work.weixin.qq.com/document/path/91774, types and fields of the decrypted JSON.
Nothing in here raises: a field that is missing or of another type is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

DEEPEST = 3
"""Forwarded records may hold forwarded records."""

MOST_ITEMS = 200
"""Of one forwarded record, in words."""

_LONGEST_NUMBER = 15
_KB, _MB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """One object of a message: the fields of its type. zone: the team's."""

    fields: Mapping[str, Any]
    zone: ZoneInfo
    depth: int = 0

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str | int | float):
            return ""
        return str(value).replace("\0", "").strip()  # which PostgreSQL does not take

    def number(self, name: str) -> int:
        """0 for what is none, below none, or beyond measure."""
        value = self.fields.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return 0
        return value if 0 < value < 10**_LONGEST_NUMBER else 0

    def objects(self, name: str) -> Iterator[Mapping[str, Any]]:
        value = self.fields.get(name)
        for one in value if isinstance(value, list) else ():
            if isinstance(one, dict):
                yield one

    def names(self, name: str) -> str:
        value = self.fields.get(name)
        named = (str(one) for one in value) if isinstance(value, list) else ()
        return "、".join(named).replace("\0", "")

    def moment(self, name: str) -> str:
        """Seconds since 1970 as people write it."""
        seconds = self.number(name)
        if not 0 < seconds < 2**33:
            return ""
        at = datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)
        return f"{at.month}月{at.day}日 {at:%H:%M}"

    def span(self) -> str:
        return "—".join(part for part in (self.moment("starttime"), self.moment("endtime")) if part)


Words = Callable[[Body], str]


def in_words(kind: str, body: Body) -> str:
    """kind: the platform's msgtype."""
    words = _WORDS.get(kind)
    return words(body) if words else f"[不支持的消息：{kind[:40]}]"


def length(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}分{rest}秒" if minutes else f"{rest}秒"


def parts_of(body: Body) -> Iterator[tuple[str, Body]]:
    """The items of a mixed message or a forwarded record: kind and fields of each. Their content
    is JSON once more, as a string."""
    for one in body.objects("item"):
        content = one.get("content")
        try:
            read = orjson.loads(content) if isinstance(content, str) else content
        except orjson.JSONDecodeError:
            read = {"content": content}
        kind = str(one.get("type", "")).removeprefix("ChatRecord").lower()
        yield kind, Body(read if isinstance(read, dict) else {}, body.zone, body.depth + 1)


def _marked(mark: str, *parts: str) -> str:
    first, *rest = [part for part in parts if part] or [""]
    return "\n".join([f"[{mark}] {first}".rstrip(), *rest])


def _timed(mark: str, body: Body) -> str:
    seconds = body.number("play_length")
    return f"[{mark} {length(seconds)}]" if seconds else f"[{mark}]"


def _size(count: int) -> str:
    if count >= _MB:
        return f"（{count / _MB:.1f} MB）"
    return f"（{max(count // _KB, 1)} KB）" if count else ""


def _file(mark: str, body: Body) -> str:
    return _marked(mark, body.text("filename") + _size(body.number("filesize")))


def _location(body: Body) -> str:
    where = ",".join(part for part in (body.text("latitude"), body.text("longitude")) if part)
    place = " ".join(part for part in (body.text("title"), body.text("address")) if part)
    return _marked("位置", place, where)


def _link(body: Body) -> str:
    return _marked("链接", body.text("title"), body.text("description"), body.text("link_url"))


def _weapp(body: Body) -> str:
    title = body.text("title") or body.text("description")
    name = body.text("displayname")
    return _marked("小程序", f"{name}：{title}" if name and title else name or title)


def _record(body: Body) -> str:
    if body.depth >= DEEPEST:
        return "[聊天记录]"
    told = [in_words(kind, item).replace("\n", " ") for kind, item in parts_of(body)]
    lines = [f"· {line}" for line in told[:MOST_ITEMS]]
    if len(told) > MOST_ITEMS:
        lines.append(f"……共 {len(told)} 条")
    return _marked("聊天记录", body.text("title"), *lines)


def _mixed(body: Body) -> str:
    if body.depth >= DEEPEST:
        return "[图文消息]"
    return "\n".join(in_words(kind, item) for kind, item in parts_of(body)) or "[图文消息]"


def _vote(body: Body) -> str:
    mark = "参与投票" if body.number("votetype") == 102 else "投票"
    return _marked(mark, body.text("votetitle"), body.names("voteitem"))


def _collect(body: Body) -> str:
    asked = [Body(one, body.zone).text("ques") for one in body.objects("details")]
    return _marked("收集表", body.text("title"), *(f"· {one}" for one in asked if one))


def _red_packet(body: Body) -> str:
    count, fen = body.number("totalcnt"), body.number("totalamount")
    sums = f"{count} 个，共 {fen // 100}.{fen % 100:02} 元" if count and fen else ""
    return _marked("红包", body.text("wish"), sums)


def _meeting(body: Body) -> str:
    return _marked(
        "会议", body.text("topic"), body.span(), body.text("address"), body.text("remarks")
    )


def _calendar(body: Body) -> str:
    attending = body.names("attendeename")
    return _marked(
        "日程",
        body.text("title"),
        body.span(),
        body.text("place"),
        f"参与人：{attending}" if attending else "",
        body.text("remarks"),
    )


def _news(body: Body) -> str:
    told = [Body(one, body.zone) for one in body.objects("item")]
    return "\n".join(
        _marked("图文", one.text("title"), one.text("description"), one.text("url"))
        for one in told
    ) or "[图文]"  # fmt: skip


def _call(body: Body) -> str:
    seconds = body.number("callduration")
    return f"[音视频通话 {length(seconds)}]" if seconds else "[音视频通话]"


def _recorded_meeting(body: Body) -> str:
    shown = [Body(one, body.zone).text("filename") for one in body.objects("demofiledata")]
    return _marked("语音会议录音", *(f"演示：{one}" for one in shown if one))


def _loose(mark: str) -> Words:
    """For types whose fields are not documented: whatever of a title there is."""

    def words(body: Body) -> str:
        titles = (body.text(name) for name in ("title", "topic", "content", "text"))
        return _marked(mark, *titles)

    return words


def _channel(body: Body) -> str:
    name, told = body.text("sph_name"), body.text("feed_desc")
    return _marked("视频号", f"{name}：{told}" if name and told else name or told)


_WORDS: Mapping[str, Words] = {
    "text": lambda body: body.text("content"),
    "markdown": lambda body: body.text("content"),
    "image": lambda _: "[图片]",
    "voice": lambda body: _timed("语音", body),
    "video": lambda body: _timed("视频", body),
    "emotion": lambda _: "[表情]",
    "file": lambda body: _file("文件", body),
    "revoke": lambda _: "撤回了一条消息",
    "agree": lambda _: "同意了会话存档",
    "disagree": lambda _: "不同意会话存档",
    "card": lambda body: _marked("名片", f"{body.text('corpname')} {body.text('userid')}".strip()),
    "location": _location,
    "link": _link,
    "weapp": _weapp,
    "chatrecord": _record,
    "mixed": _mixed,
    "todo": lambda body: _marked("待办", body.text("title"), body.text("content")),
    "vote": _vote,
    "collect": _collect,
    "redpacket": _red_packet,
    "external_redpacket": _red_packet,
    "meeting": _meeting,
    "meeting_notification": _loose("会议通知"),
    "docmsg": lambda body: _marked("文档", body.text("title"), body.text("link_url")),
    "news": _news,
    "calendar": _calendar,
    "meeting_voice_call": _recorded_meeting,
    "voip_doc_share": lambda body: _file("通话中共享的文件", body),
    "sphfeed": _channel,
    "voiptext": _call,
    "qydiskfile": lambda body: _marked("微盘文件", body.text("filename"), body.text("url")),
    "solitaire": _loose("接龙"),
    "note": _loose("笔记"),
}

KINDS = frozenset(_WORDS)
