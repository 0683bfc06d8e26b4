"""Groups that the application itself makes (应用群聊): of members only, and the application
can write to no others.

A group shows up in clients with its first message alone, so whoever makes one should say something.
Source: developer.work.weixin.qq.com/document/path/90245, 90248.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from bot.domain.external import ChatGroup, GroupMember
from bot.errors import Rejected
from connectors.wecom.api import Api
from connectors.wecom.errors import CHAT_EXISTS, NO_OWN_CHAT, WecomRejected, in_shape

MOST_NAME = 50
FEWEST = 2

_OWN = re.compile(r"gd[0-9a-f]{30}")


def is_own(chat_id: str) -> bool:
    """Whether `make` has named it."""
    return _OWN.fullmatch(chat_id) is not None


async def make(api: Api, title: str, *, owner: str, members: Sequence[str], key: str) -> str:
    """Its chat id; the same for the same key. Raises Rejected for fewer than two members, and as
    `Api` does."""
    everybody = list(dict.fromkeys([owner, *members]))
    if len(everybody) < FEWEST:
        raise Rejected("企业微信的群至少要两个人，请先设置你的主管")
    chat_id = f"gd{hashlib.sha256(key.encode()).hexdigest()[:30]}"
    body = {"name": title[:MOST_NAME], "owner": owner, "userlist": everybody, "chatid": chat_id}
    try:
        await api.post("appchat/create", body)
    except WecomRejected as refusal:
        if refusal.errcode != CHAT_EXISTS:  # an earlier try whose answer was lost
            raise
    return chat_id


async def read(api: Api, chat_id: str) -> ChatGroup | None:
    """None when there is no such group of ours."""
    try:
        answer = await api.get("appchat/get", chatid=chat_id)
    except WecomRejected as refusal:
        if refusal.errcode not in NO_OWN_CHAT:
            raise
        return None
    with in_shape("appchat/get"):
        told = answer.get("chat_info") or {}
        users = [str(one).lower() for one in told.get("userlist") or ()]
        return ChatGroup(
            platform="wecom",
            chat_id=chat_id,
            name=str(told.get("name") or "")[:200],
            owner=str(told.get("owner") or "").lower(),
            members=tuple(GroupMember(member_id=one, is_staff=True) for one in users),
        )
