"""Check-ins as the API tells them.

Source: developer.work.weixin.qq.com/document/path/90262.
"""

from __future__ import annotations

from typing import Any

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import CheckIn

_LONGEST_S = 30 * 86_400
_MOST_PEOPLE = 100
_TYPES = {"on": "上班打卡", "off": "下班打卡", "outside": "外出打卡"}
_TROUBLES = {"": "", "late": "时间异常", "early": "时间异常", "missing": "未打卡"}
_OF_TYPE = {1: ("on", "off"), 2: ("outside",), 3: ("on", "off", "outside")}


async def read(state: WecomState, call: Call) -> Answer:
    """By the time of the record, of these people; unknown ones are passed over."""
    body = call.body
    begin, end, users = body.get("starttime"), body.get("endtime"), body.get("useridlist")
    kinds = _OF_TYPE.get(body.get("opencheckindatatype", 0))
    if kinds is None or not isinstance(begin, int) or not isinstance(end, int) or end < begin:
        raise WecomError(301022)
    if end - begin > _LONGEST_S:
        raise WecomError(301024)
    if not isinstance(users, list) or not 1 <= len(users) <= _MOST_PEOPLE:
        raise WecomError(301023)
    wanted = {str(user).lower() for user in users}
    found = [
        _row(one)
        for one in state.world.check_ins
        if one.platform == "wecom"
        and one.kind in kinds
        and one.user_id.lower() in wanted
        and begin <= one.at.timestamp() <= end
    ]
    return {"checkindata": found}


def _row(check_in: CheckIn) -> dict[str, Any]:
    row: dict[str, Any] = {
        "userid": check_in.user_id,
        "groupname": "销售",
        "checkin_type": _TYPES[check_in.kind],
        "exception_type": _TROUBLES[check_in.trouble],
        "checkin_time": int(check_in.at.timestamp()),
        "location_title": check_in.place,
        "location_detail": "",
        "notes": check_in.note,
        "mediaids": [],
        "groupid": 1,
    }
    if check_in.planned_at is not None:
        row |= {"sch_checkin_time": int(check_in.planned_at.timestamp()), "schedule_id": 1}
    return row


APIS = {"checkin/getcheckindata": Api("POST", read, scope="app")}
