"""What people say, on its way to the robot: to its HTTP callback, or over Stream (protocol
notes sections 1 and 2)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .dingtalk_calls import Calls, Carry, Delivery, Push
from .dingtalk_crypto import sign_robot
from .dingtalk_files import Files
from .dingtalk_gate import Gate
from .dingtalk_stream import ROBOT, Stream
from .dingtalk_webhooks import Webhooks
from .world import Chat, Member, Said, World

ROBOT_NAMES = ("跟单", "Gendan")

_MENTION = re.compile("@(?:" + "|".join(ROBOT_NAMES) + ")")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LIMIT_S = 2.5
STREAM_LIMIT_S = 3.0
_BYTES_PER_SECOND = 1600  # of AMR at 12.2 kbit/s; good enough for a made-up duration


@dataclass(slots=True)
class Inbound:
    """over_quota: the month's messages are used up, so they arrive without their text.
    times: how often each message is delivered, all at the same moment. pauses_s: real
    seconds before each retry; whether DingTalk retries robot messages is not documented. Over
    Stream it does not promise to, and people see the same message again about 60 s later.
    """

    world: World
    gate: Gate
    calls: Calls
    files: Files
    webhooks: Webhooks
    stream: Stream
    over_quota: bool = False
    times: int = 1
    pauses_s: tuple[float, ...] = (0.1, 0.3)

    async def say(
        self, sender: Member, chat: Chat | None, text: str, reply_to: Said | None = None
    ) -> Said:
        if not text.strip():
            raise ValueError("不能发送空白消息")
        said = await self._show(sender, chat, "text", text)
        quote = {} if reply_to is None else _quote(reply_to)
        if chat is None:
            self._deliver(said, sender, chat, "text", {"content": text, **quote})
        elif _MENTION.search(text):
            # Only the name goes: the space behind it stays at the front.
            content = {"content": _MENTION.sub("", text), **quote}
            self._deliver(said, sender, chat, "text", content)
        return said

    async def say_file(
        self, sender: Member, chat: Chat | None, kind: str, name: str, data: bytes
    ) -> Said:
        """A picture in a group goes to the robot as if its name was typed beside it."""
        if kind not in _MEDIA_TYPES:
            raise ValueError(f"不支持的消息类型：{kind}")
        if chat is not None and kind != "image":
            raise ValueError("钉钉群里机器人收不到语音、视频和文件，请在与机器人的单聊里发送")
        if not data:
            raise ValueError("文件是空的")
        key = self.files.keep(data, name, _MEDIA_TYPES[kind])
        text = f"@{ROBOT_NAMES[0]}" if chat is not None else ""
        said = await self._show(sender, chat, kind, text, self.files.shown(key))
        code = self.files.download_code(key)
        if chat is not None:
            parts = [{"text": " "}, {"type": "picture", "downloadCode": code}]
            self._deliver(said, sender, chat, "richText", {"richText": parts})
        else:
            msgtype, content = _media_content(kind, name, data, code)
            self._deliver(said, sender, chat, msgtype, content)
        return said

    async def _show(
        self,
        sender: Member,
        chat: Chat | None,
        kind: str,
        text: str,
        file: dict[str, Any] | None = None,
    ) -> Said:
        said = Said(
            message_id=f"dt-{self.world.next_id()}",
            platform="dingtalk",
            chat=chat.chat_id if chat else None,
            sender=sender.user_id,
            to=None if chat else sender.user_id,
            kind="file" if kind == "video" else kind,
            text=text,
            at=self.world.now(),
            file=file,
        )
        return await self.world.add(said)

    def _deliver(
        self, said: Said, sender: Member, chat: Chat | None, msgtype: str, content: dict[str, Any]
    ) -> None:
        """Start the callback; `content` stands under `text` or `content` as the type wants."""
        app = self.gate.app()
        if app.mode == "http" and not app.callback_url:
            self.world.count("dingtalk:dropped:robot")
            return
        body = self._frame(said, sender, chat)
        if self.over_quota:
            body |= {"errorCode": 20001, "errorMessage": "本月消息额度已用完"}
        else:
            body["text" if msgtype == "text" else "content"] = content
        body["msgtype"] = msgtype
        is_streamed = app.mode == "stream"
        delivery = Delivery(
            kind="robot",
            key=body["msgId"],
            to="stream" if is_streamed else app.callback_url,
            carry=self._over_stream(body) if is_streamed else self._by_http(body),
            pauses_s=self.pauses_s,
            # Over Stream the result is ignored (notes 2.3): any answer will do.
            is_taken=lambda status, _: is_streamed or 200 <= status < 300,
            turn=body["conversationId"],
        )
        self.calls.start(self.calls.deliver(delivery))
        for number in range(1, self.times):
            again = replace(delivery, turn=f"{delivery.turn}#{number}")
            self.calls.start(self.calls.deliver(again))

    def _by_http(self, body: dict[str, Any]) -> Carry:
        app = self.gate.app()
        raw = json.dumps(body, ensure_ascii=False).encode()

        def make() -> Push:
            timestamp = str(_ms(self.world.now()))
            sign = sign_robot(timestamp, app.app_secret)
            return Push({}, {"timestamp": timestamp, "sign": sign}, raw)

        return self.calls.posting(app.callback_url, make, limit_s=_LIMIT_S)

    def _over_stream(self, body: dict[str, Any]) -> Carry:
        """There those who are mentioned often come without their user ids (notes 1.2)."""
        if "atUsers" in body:
            mentioned = [{"dingtalkId": user["dingtalkId"]} for user in body["atUsers"]]
            body = {**body, "atUsers": mentioned}
        return self.stream.pushing("CALLBACK", ROBOT, body, limit_s=STREAM_LIMIT_S)

    def _frame(self, said: Said, sender: Member, chat: Chat | None) -> dict[str, Any]:
        """Everything of the body but what was said."""
        app = self.gate.app()
        webhook, until = self.webhooks.open_session(chat=said.chat, to=said.to)
        said.wire["msgId"] = f"msg{base64.b64encode(secrets.token_bytes(16)).decode()}"
        frame: dict[str, Any] = {
            "senderPlatform": "Mac",
            "conversationId": chat.chat_id if chat else _private_id(app.app_key, sender.user_id),
            "conversationType": "2" if chat else "1",
            "chatbotCorpId": app.corp_id,
            "chatbotUserId": _opaque(app.app_key),
            "msgId": said.wire["msgId"],
            "senderNick": sender.name,
            "senderId": _opaque(sender.user_id),
            "senderStaffId": sender.user_id,
            "senderCorpId": app.corp_id,
            "isAdmin": "admin" in sender.roles,
            "createAt": _ms(said.at),
            "sessionWebhook": webhook,
            "sessionWebhookExpiredTime": _ms(until),
            "robotCode": app.app_key,
        }
        if sender.union_id:
            frame["senderUnionId"] = sender.union_id
        if chat is not None:
            frame["conversationTitle"] = chat.name
            frame["isInAtList"] = True
            frame["atUsers"] = self._mentioned(said.text, chat)
        return frame

    def _mentioned(self, text: str, chat: Chat) -> list[dict[str, str]]:
        """Everyone mentioned, the robot first; the names of people stay in the text."""
        found = [{"dingtalkId": _opaque(self.gate.app().app_key)}]
        for user_id in chat.members:
            member = self.world.member("dingtalk", user_id)
            if member is not None and f"@{member.name}" in text:
                found.append({"dingtalkId": _opaque(user_id), "staffId": user_id})
        return found


# Where the file's name does not tell.
_MEDIA_TYPES = {
    "image": "image/png",
    "voice": "audio/amr",
    "video": "video/mp4",
    "file": "application/octet-stream",
}


def _media_content(kind: str, name: str, data: bytes, code: str) -> tuple[str, dict[str, Any]]:
    """msgtype and content of a picture, recording or file in the one-to-one chat."""
    duration_ms = max(1000, len(data) * 1000 // _BYTES_PER_SECOND)
    if kind == "image":
        return "picture", {"downloadCode": code, "pictureDownloadCode": code}
    if kind == "voice":
        stem = name.rpartition(".")[0] or name
        recognition = stem if _CHINESE.search(stem) else ""
        return "audio", {"downloadCode": code, "duration": duration_ms, "recognition": recognition}
    if kind == "video":
        return "video", {"downloadCode": code, "duration": duration_ms, "videoType": "mp4"}
    file_id = str(int(hashlib.sha256(data).hexdigest()[:8], 16))
    return "file", {"downloadCode": code, "fileName": name, "spaceId": "223", "fileId": file_id}


def _quote(said: Said) -> dict[str, Any]:
    """What a reply carries of the message it answers, also one that the robot never got
    (protocol notes 1.3)."""
    content = {"text": said.text} if said.kind in ("text", "markdown") else {}
    replied = {
        "msgType": "text" if content else said.kind,
        "msgId": said.wire.get("msgId") or f"msg{said.message_id}==",
        "senderId": _opaque(said.sender),
        "createdAt": _ms(said.at),
        "content": content,
    }
    return {"isReplyMsg": True, "repliedMsg": replied}


def _private_id(app_key: str, user_id: str) -> str:
    digest = hashlib.sha256(f"{app_key}:{user_id}".encode()).digest()
    return f"cid{base64.b64encode(digest[:16]).decode()}"


def _opaque(identity: str) -> str:
    """An encrypted id that no API takes and that is no key for a person."""
    return f"$:LWCP_v1:${hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
