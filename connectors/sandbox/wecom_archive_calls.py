"""The archive's documented calls over HTTP, with the archive secret's own token.

Source: developer.work.weixin.qq.com/document/path/91614 and 91782.
"""

from __future__ import annotations

from typing import Any

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState

_MOST_PAIRS = 100


async def permitted_users(state: WecomState, _call: Call) -> Answer:
    return {
        "ids": [one.user_id for one in state.world.members if one.platform == "wecom"],
    }


async def single_consents(state: WecomState, call: Call) -> Answer:
    """Who is nobody's customer spoils the whole question (301061)."""
    info = call.body.get("info")
    if not isinstance(info, list) or not info:
        raise WecomError(40058, "info")
    if len(info) > _MOST_PAIRS:
        raise WecomError(301060)
    return {"agreeinfo": [_single(state, one) for one in info]}


def _single(state: WecomState, one: Any) -> dict[str, Any]:
    user_id, outsider = one.get("userid", ""), one.get("exteranalopenid", "")
    if state.world.member("wecom", user_id) is None or not outsider.startswith(("wm", "wo")):
        raise WecomError(301061)
    return {"userid": user_id, **state.archive.consent(user_id.lower(), outsider)}


async def room_consents(state: WecomState, call: Call) -> Answer:
    room = call.body.get("roomid")
    if room not in state.archive.rooms:
        raise WecomError(301059)
    outsiders = [one for one in state.archive.rooms[room] if one.startswith(("wm", "wo"))]
    return {"agreeinfo": [state.archive.consent(room, one) for one in outsiders]}


async def internal_room(state: WecomState, call: Call) -> Answer:
    """A group without anybody outside."""
    room = str(call.body.get("roomid"))
    members = state.archive.rooms.get(str(room), [])
    if not members or any(one.startswith(("wm", "wo")) for one in members):
        raise WecomError(301059)
    at = int(state.world.now().timestamp())
    return {
        "roomname": state.archive.room_names.get(room, ""),
        "creator": members[0],
        "room_create_time": at,
        "notice": "",
        "members": [{"memberid": one, "jointime": at} for one in members],
    }


APIS = {
    "msgaudit/groupchat/get": Api("POST", internal_room, scope="archive"),
    "msgaudit/get_permit_user_list": Api("POST", permitted_users, scope="archive"),
    "msgaudit/check_single_agree": Api("POST", single_consents, scope="archive"),
    "msgaudit/check_room_agree": Api("POST", room_consents, scope="archive"),
}
