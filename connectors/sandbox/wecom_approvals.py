"""Approvals: applications for leave, as they are listed and read.

Source: developer.work.weixin.qq.com/document/path/91982, 91983.
"""

from __future__ import annotations

from typing import Any

from .wecom_bills import detail, own_bills
from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import Leave

_LONGEST_S = 31 * 86_400
_KEYS = {"template_id", "creator", "department", "sp_status", "record_type"}
_LEAVE = "1"  # record_type
_LEAVE_TEMPLATE = "leave-template"
_OTHERS: dict[str, list[Any]] = {
    "tips": [], "members": [], "departments": [], "files": [], "children": [], "stat_field": [],
}  # fmt: skip
"""What each value carries as well, empty."""


async def list_numbers(state: WecomState, call: Call) -> Answer:
    """By the time of application, oldest first."""
    begin, end = (_seconds(call, name) for name in ("starttime", "endtime"))
    size, cursor = call.body.get("size"), call.body.get("new_cursor", "")
    if end < begin or end - begin > _LONGEST_S:
        raise WecomError(301025, "starttime, endtime")
    if not isinstance(size, int) or not 1 <= size <= 100:
        raise WecomError(301025, "size")
    if not isinstance(cursor, str) or not (cursor == "" or cursor.isdigit()):
        raise WecomError(301025, "new_cursor")
    wanted = _filters(call)
    found = [
        number
        for number, leave in _all(state).items()
        if begin <= leave.applied_at.timestamp() <= end
        and wanted.get("sp_status", str(leave.status)) == str(leave.status)
        and wanted.get("record_type", _LEAVE) == _LEAVE
        and wanted.get("creator", leave.user_id) == leave.user_id
        and wanted.get("template_id", _LEAVE_TEMPLATE) == _LEAVE_TEMPLATE
    ]
    found += [
        one.number
        for one in own_bills(state)
        if begin <= one.applied_at.timestamp() <= end
        and wanted.get("sp_status", str(one.status)) == str(one.status)
        and "record_type" not in wanted
        and wanted.get("creator", one.user_id) == one.user_id
        and wanted.get("template_id", one.template) == one.template
    ]
    start = int(cursor or 0)
    answer: dict[str, Any] = {"sp_no_list": found[start : start + size]}
    if start + size < len(found):
        answer["new_next_cursor"] = str(start + size)
    return answer


async def read(state: WecomState, call: Call) -> Answer:
    number = call.body.get("sp_no")
    own = next((one for one in own_bills(state) if one.number == number), None)
    if own is not None:
        return {"info": detail(own)}
    leave = _all(state).get(number) if isinstance(number, str) else None
    if leave is None:
        raise WecomError(301025, "sp_no")
    dates = {
        "type": leave.kind,
        "new_begin": int(leave.begins_at.timestamp()),
        "new_end": int(leave.ends_at.timestamp()),
        "new_duration": int((leave.ends_at - leave.begins_at).total_seconds()),
    }
    chosen = {"key": "1", "value": [{"text": "年假", "lang": "zh_CN"}]}
    vacation = {
        "selector": {"type": "single", "options": [chosen]},
        "attendance": {"date_range": dates, "type": 1, "slice_info": {"day_items": []}},
    }
    content = {
        "control": "Vacation",
        "id": "vacation-1",
        "title": [{"text": "请假类型", "lang": "zh_CN"}],
        "value": {**_OTHERS, "vacation": vacation},
    }
    reason = {
        "control": "Textarea",
        "id": "Textarea-1",
        "title": [{"text": "请假事由", "lang": "zh_CN"}],
        "value": {**_OTHERS, "text": "私事"},
    }
    info: dict[str, Any] = {
        "sp_no": number,
        "sp_name": "请假",
        "sp_status": leave.status,
        "template_id": _LEAVE_TEMPLATE,
        "apply_time": int(leave.applied_at.timestamp()),
        "applyer": {"userid": leave.user_id, "partyid": "1"},
        "sp_record": [],
        "notifyer": [],
        "apply_data": {"contents": [reason, content]},
        "comments": [],
    }
    return {"info": info}


def _all(state: WecomState) -> dict[str, Leave]:
    own = [leave for leave in state.world.leaves if leave.platform == "wecom"]
    return {f"{leave.applied_at:%Y%m%d}{place:04}": leave for place, leave in enumerate(own, 1)}


def _filters(call: Call) -> dict[str, str]:
    told = call.body.get("filters", [])
    if not isinstance(told, list):
        raise WecomError(301025, "filters")
    found: dict[str, str] = {}
    for one in told:
        if not isinstance(one, dict) or one.get("key") not in _KEYS:
            raise WecomError(301025, "filters")
        found[one["key"]] = str(one.get("value"))
    return found


def _seconds(call: Call, name: str) -> int:
    """They come as texts."""
    value = call.body.get(name)
    if not isinstance(value, str) or not value.isdigit():
        raise WecomError(301025, name)
    return int(value)


APIS = {
    "oa/getapprovalinfo": Api("POST", list_numbers, scope="app"),
    "oa/getapprovaldetail": Api("POST", read, scope="app"),
}
