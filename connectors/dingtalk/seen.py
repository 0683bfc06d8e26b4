"""Who has read a message of the robot, and taking it back (protocol notes 3.6)."""

from __future__ import annotations

import asyncio

from bot.domain.reading import Readers
from bot.errors import Rejected
from bot.messages import Address
from connectors.dingtalk.api import Api
from connectors.dingtalk.errors import DingtalkRejected
from connectors.dingtalk.read import Body, flag, obj, rows, text

NOT_READY = "processQueryKey.expireTime"
"""Not generated yet, or too old: asked again once, then given up."""

_WAIT_S = 2.0
_PAGE = 200
_MOST_PAGES = 10


async def readers(api: Api, robot_code: str, to: Address, key: str) -> Readers:
    """key: the message's processQueryKey. Raises Rejected where the platform no longer says (24
    hours), and as `Api` does."""
    try:
        return await _readers(api, robot_code, to, key)
    except DingtalkRejected as refusal:
        if refusal.code != NOT_READY:
            raise
    await asyncio.sleep(_WAIT_S)
    return await _readers(api, robot_code, to, key)


async def recall(api: Api, robot_code: str, to: Address, key: str) -> None:
    """It vanishes without a trace. Raises Rejected where it is too late, and as `Api` does."""
    body: Body = {"robotCode": robot_code, "processQueryKeys": [key]}
    if to.chat_id is not None:
        body["openConversationId"] = to.chat_id
        answer = await api.new("POST", "v1.0/robot/groupMessages/recall", body)
    else:
        answer = await api.new("POST", "v1.0/robot/otoMessages/batchRecall", body)
    failed = obj(answer, "failedResult")
    if key in failed or key not in rows(answer, "successResult"):
        raise Rejected(f"钉钉不让收回：{failed.get(key) or '消息太久了'}")


async def _readers(api: Api, robot_code: str, to: Address, key: str) -> Readers:
    if to.chat_id is not None:
        return await _in_group(api, robot_code, to.chat_id, key)
    params = {"robotCode": robot_code, "processQueryKey": key}
    answer = await api.new("GET", "v1.0/robot/oToMessages/readStatus", {}, params=params)
    told = [one for one in rows(answer, "messageReadInfoList") if isinstance(one, dict)]
    read = [text(one, "userId") for one in told if text(one, "readStatus") == "READ"]
    unread = [text(one, "userId") for one in told if text(one, "readStatus") == "UNREAD"]
    return Readers(tuple(read), tuple(unread), _is_recalled(answer))


async def _in_group(api: Api, robot_code: str, chat_id: str, key: str) -> Readers:
    read: list[str] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        body: Body = {
            "openConversationId": chat_id, "robotCode": robot_code, "processQueryKey": key,
            "maxResults": _PAGE,
        }  # fmt: skip
        if cursor:
            body["nextToken"] = cursor
        answer = await api.new("POST", "v1.0/robot/groupMessages/query", body)
        read += [str(one) for one in rows(answer, "readUserIds")]
        cursor = text(answer, "nextToken")
        if not flag(answer, "hasMore") or not cursor:
            break
    return Readers(tuple(read), (), _is_recalled(answer))


def _is_recalled(answer: Body) -> bool:
    return text(answer, "sendStatus") == "RECALLED"
