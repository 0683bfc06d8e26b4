"""Application group chats and group robots.

Source: developer.work.weixin.qq.com/document/path/90245, 90248, 99110. Every WeCom chat
of the World without a robot counts as created by the application: the API reaches no others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

import filetype

from .wecom_calls import Answer, Api, Call
from .wecom_contents import Shown, read_content
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import Chat

_CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")
_ROBOT_LIMIT = [(20, 60)]
_ROBOT_BYTES = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
_ROBOT_IMAGE = 2 << 20


async def create_chat(state: WecomState, call: Call) -> Answer:
    """A new group. Raises 86001, 86004 to 86007, 86215."""
    body = call.body
    name = body.get("name", "")
    if not isinstance(name, str) or len(name) > 50:
        raise WecomError(86004)
    users = body.get("userlist")
    if not isinstance(users, list) or not 2 <= len(users) <= 2000:
        raise WecomError(86006)
    members = [state.world.member("wecom", str(user)) for user in users]
    user_ids = [member.user_id for member in members if member is not None]
    if len(user_ids) < len(users):
        raise WecomError(86007)
    chat_id = _new_chat_id(state, body.get("chatid"))
    owner = _owner(state, body.get("owner"), user_ids)
    state.world.chats.append(Chat(chat_id, name or "群聊", "wecom", user_ids, owner))
    return {"chatid": chat_id}


def _new_chat_id(state: WecomState, wanted: Any) -> str:
    if not wanted:
        return f"wr{secrets.token_hex(14)}"
    if not isinstance(wanted, str) or not _CHAT_ID.fullmatch(wanted):
        raise WecomError(86001)
    if state.world.chat("wecom", wanted):
        raise WecomError(86215)
    return wanted


def _owner(state: WecomState, wanted: Any, user_ids: list[str]) -> str:
    if not wanted:
        return user_ids[0]
    member = state.world.member("wecom", str(wanted))
    if member is None or member.user_id not in user_ids:
        raise WecomError(86005)
    return member.user_id


async def get_chat(state: WecomState, call: Call) -> Answer:
    chat = _find_chat(state, call.query.get("chatid"))
    return {
        "chat_info": {
            "chatid": chat.chat_id,
            "name": chat.name,
            "owner": chat.owner or chat.members[0],
            "userlist": chat.members,
        }
    }


async def send_to_chat(state: WecomState, call: Call) -> Answer:
    """All types of message/send but template_card."""
    chat = _find_chat(state, call.body.get("chatid"))
    if call.body.get("msgtype") == "template_card":
        raise WecomError(40008)
    await _say(state, chat, read_content(state, call.body), sender=f"bot:{call.app.name}")
    return {}


def _find_chat(state: WecomState, chat_id: Any) -> Chat:
    if not isinstance(chat_id, str) or not chat_id:
        raise WecomError(86001)
    chat = state.world.chat("wecom", chat_id)
    if chat is None or chat.robot:
        raise WecomError(86003)
    return chat


async def send_by_robot(state: WecomState, call: Call) -> Answer:
    """A group robot speaks into its one group: 20 a minute, then 45009."""
    key = call.query.get("key", "")
    chat = state.world.chat("wecom", call.app.webhooks.get(key, ""))
    if chat is None:
        raise WecomError(93000)
    shown = _robot_content(state, call.body, key)
    if not state.meter.take(f"robot:{key}", state.world.now(), _ROBOT_LIMIT):
        raise WecomError(45009)
    await _say(state, chat, shown, sender=f"bot:{call.app.name}")
    return {}


def _robot_content(state: WecomState, body: dict[str, Any], key: str) -> Shown:
    kind = body.get("msgtype")
    content = body.get(kind) if isinstance(kind, str) else None
    if kind == "video" or not isinstance(content, dict):
        raise WecomError(40008)
    if kind in _ROBOT_BYTES:
        return _robot_text(kind, content)
    if kind == "image":
        return _robot_image(state, content, key)
    if kind == "template_card" and content.get("card_type") not in ("text_notice", "news_notice"):
        raise WecomError(42031)
    return read_content(state, body, robot=key)


def _robot_text(kind: str, content: Mapping[str, Any]) -> Shown:
    text = content.get("content", "")
    if not isinstance(text, str) or not text:
        raise WecomError(44004)
    limit = _ROBOT_BYTES[kind]
    if len(text.encode()) > limit:
        raise WecomError(40058, f"{kind}.content exceed max length {limit}")
    mentioned = content.get("mentioned_list", [])
    return Shown("text" if kind == "text" else "markdown", text, wire={"mentioned": mentioned})


def _robot_image(state: WecomState, content: Mapping[str, Any], key: str) -> Shown:
    try:
        data = base64.b64decode(str(content.get("base64", "")), validate=True)
    except binascii.Error as error:
        raise WecomError(40058, "image.base64") from error
    if hashlib.md5(data).hexdigest() != content.get("md5"):
        raise WecomError(40058, "image.md5")
    if len(data) > _ROBOT_IMAGE:
        raise WecomError(45001)
    if filetype.guess_mime(data) not in ("image/jpeg", "image/png"):
        raise WecomError(40005)
    media = state.store_media("image", "image", data, robot=key)
    return Shown("image", file=state.shown_file(media))


async def _say(state: WecomState, chat: Chat, shown: Shown, *, sender: str) -> None:
    await state.put(
        kind=shown.kind,
        sender=sender,
        chat=chat.chat_id,
        text=shown.text,
        card=shown.card,
        file=shown.file,
        wire=shown.wire,
    )


APIS = {
    "appchat/create": Api("POST", create_chat, scope="app"),
    "appchat/get": Api("GET", get_chat, scope="app"),
    "appchat/send": Api("POST", send_to_chat, scope="app"),
    "webhook/send": Api("POST", send_by_robot, scope="open"),
}
