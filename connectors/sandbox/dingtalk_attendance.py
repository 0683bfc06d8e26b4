"""Attendance as the old API tells it: who is on leave (protocol notes 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .dingtalk_errors import OldError
from .dingtalk_gate import Body, Gate
from .world import Leave, World

_MOST_PEOPLE, _MOST_ROWS = 100, 20
_LONGEST_MS = 180 * 86_400_000
_PASSED = 2


@dataclass(slots=True)
class Attendance:
    """Who is on leave, in the emulated DingTalk."""

    world: World
    gate: Gate

    def routes(self) -> list[web.RouteDef]:
        return [self.gate.old("POST", "topapi/attendance/getleavestatus", self._leave_status)]

    def _leave_status(self, arguments: Body) -> Body:
        """Approved leaves that reach into the period; a wrong user id yields nothing."""
        ids = str(arguments.get("userid_list") or "").split(",")
        begin, end, offset, size = (
            _whole(arguments, name) for name in ("start_time", "end_time", "offset", "size")
        )
        if not 1 <= len(ids) <= _MOST_PEOPLE or not 1 <= size <= _MOST_ROWS or offset < 0:
            raise OldError(40035, "userid_list, offset or size")
        if not 0 <= end - begin <= _LONGEST_MS:
            raise OldError(40035, "start_time, end_time")
        found = [
            _row(leave)
            for leave in self.world.leaves
            if (leave.platform, leave.status) == ("dingtalk", _PASSED)
            and leave.user_id in ids
            and leave.begins_at.timestamp() * 1000 < end
            and leave.ends_at.timestamp() * 1000 > begin
        ]
        page = found[offset : offset + size]
        return {"result": {"has_more": offset + size < len(found), "leave_status": page}}


def _row(leave: Leave) -> dict[str, Any]:
    hours = (leave.ends_at - leave.begins_at).total_seconds() / 3600
    by_hour = leave.kind == "hour"
    return {
        "userid": leave.user_id,
        "start_time": int(leave.begins_at.timestamp() * 1000),
        "end_time": int(leave.ends_at.timestamp() * 1000),
        "duration_unit": "percent_hour" if by_hour else "percent_day",
        "duration_percent": int(hours * 100 if by_hour else hours / 24 * 100),
        "leave_code": "d4edf257-e581-45f9-b9b9-35755b598952",
    }


def _whole(arguments: Body, name: str) -> int:
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise OldError(40035, name)
    return value
