"""Records of attendance and sign-ins as the old API tells them, and the events of them (protocol
notes 5.6, 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Any

from aiohttp import web

from .dingtalk_errors import OldError
from .dingtalk_events import Events
from .dingtalk_gate import Body, Gate
from .world import CheckIn, World

_CHINA = timezone(timedelta(hours=8))
_TROUBLES = {"": "Normal", "late": "Late", "early": "Early", "missing": "NotSigned"}
_TYPES = {"on": "OnDuty", "off": "OffDuty"}


@dataclass(slots=True)
class Records:
    """Records of attendance in the emulated DingTalk."""

    world: World
    gate: Gate
    events: Events

    def routes(self) -> list[web.RouteDef]:
        return [
            self.gate.old("POST", "attendance/list", self._list),
            self.gate.old("GET", "checkin/record", self._sign_ins),
        ]

    def punch(self, check_in: CheckIn, *, quietly: bool = False) -> CheckIn:
        """Somebody records themselves; the application is told, unless the event is lost."""
        self.world.check_ins.append(check_in)
        if quietly:
            return check_in
        if check_in.kind == "visit":
            self.events.happened("check_in", {"staffId": check_in.user_id})
        else:
            row = {
                "userId": check_in.user_id, "checkTime": _ms(check_in.at),
                "locationResult": "Normal", "locationMethod": "MAP",
                "bizId": check_in.key, "address": check_in.place,
                "checkByUser": True,
            }  # fmt: skip
            self.events.happened("attendance_check_record", {"dataList": [row]})
        return check_in

    def _own(self) -> list[CheckIn]:
        return [one for one in self.world.check_ins if one.platform == "dingtalk"]

    def _list(self, arguments: Body) -> Body:
        users, offset, limit = (arguments.get(key) for key in ("userIdList", "offset", "limit"))
        if not isinstance(users, list) or not 1 <= len(users) <= 50:
            raise OldError(40035, "userIdList")
        if not isinstance(offset, int) or not isinstance(limit, int) or not 1 <= limit <= 50:
            raise OldError(40035, "offset, limit")
        first, last = (_day(arguments, key) for key in ("workDateFrom", "workDateTo"))
        if not 0 <= (last - first).days < 7:
            raise OldError(40035, "workDateFrom, workDateTo")
        found = [
            _result(one)
            for one in self._own()
            if one.kind in _TYPES and one.user_id in users and first <= _work_date(one) <= last
        ]
        page = found[offset : offset + limit]
        return {"recordresult": page, "hasMore": offset + limit < len(found)}

    def _sign_ins(self, arguments: Body) -> Body:
        begin, end = (int(arguments.get(key, 0)) for key in ("start_time", "end_time"))
        offset, size = int(arguments.get("offset", 0)), int(arguments.get("size", 100))
        if not 0 <= end - begin <= 46 * 86_400_000 or not 1 <= size <= 100:
            raise OldError(40035, "start_time, end_time, size")
        if arguments.get("department_id") != "1":
            raise OldError(60003)
        found = [
            {
                "userId": one.user_id, "name": "", "timestamp": _ms(one.at), "place": one.place,
                "detailPlace": "", "remark": one.note, "imageList": [],
            }
            for one in self._own()
            if one.kind == "visit" and begin <= _ms(one.at) <= end
        ]  # fmt: skip
        return {"data": found[offset : offset + size]}


def _result(check_in: CheckIn) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": abs(hash(check_in.key)) % 10**9,
        "userId": check_in.user_id,
        "workDate": _ms(datetime.combine(_work_date(check_in), time.min, _CHINA)),
        "checkType": _TYPES[check_in.kind],
        "timeResult": _TROUBLES[check_in.trouble],
        "locationResult": "Normal",
        "planId": check_in.key,
        "sourceType": "USER",
    }
    if check_in.trouble != "missing":
        row["userCheckTime"] = _ms(check_in.at)
    return row


def _work_date(check_in: CheckIn) -> Any:
    return (check_in.planned_at or check_in.at).astimezone(_CHINA).date()


def _day(arguments: Body, name: str) -> Any:
    try:
        return datetime.fromisoformat(str(arguments.get(name))).date()
    except ValueError:
        raise OldError(40035, name) from None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
