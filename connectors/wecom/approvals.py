"""Leaves out of WeCom's approvals (审批).

The list is asked anew each time, so one that was withdrawn after it passed is on it no more; the
details of a bill are read once. Source: developer.work.weixin.qq.com/document/path/91853, 91983.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

from bot.domain.leaves import Leave
from connectors.wecom.api import Api
from connectors.wecom.approval_list import PERIOD, numbers
from connectors.wecom.errors import in_shape

BACK = 2
"""Periods of a month that are looked back, by the day of application."""

_PASSED_LEAVES = [{"key": "sp_status", "value": "2"}, {"key": "record_type", "value": "1"}]
_CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
_DAY = timedelta(days=1)


class Approvals:
    """Keeps the bills that it has read; those that are over are forgotten."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._read: dict[str, tuple[Leave, ...]] = {}

    async def leaves(self, *, at: datetime) -> list[Leave]:
        """Those of everybody that were applied for within two months and are not over."""
        passed = [
            number
            for back in range(BACK)
            async for number in numbers(
                self._api.post,
                at - PERIOD * (back + 1),
                at - PERIOD * back,
                filters=_PASSED_LEAVES,
            )
        ]
        self._read = {number: self._read[number] for number in passed if number in self._read}
        for number in passed:
            if number not in self._read:
                answer = await self._api.post("oa/getapprovaldetail", {"sp_no": number})
                with in_shape("oa/getapprovaldetail"):
                    self._read[number] = tuple(_leaves_of(answer.get("info") or {}))
        return [leave for own in self._read.values() for leave in own if leave.ends_at > at]


def _leaves_of(info: Mapping[str, Any]) -> Iterator[Leave]:
    """Which control a value belongs to says `control`: a value carries the others' members too."""
    user_id = str((info.get("applyer") or {}).get("userid", "")).lower()
    for content in (info.get("apply_data") or {}).get("contents") or ():
        if content.get("control") != "Vacation":
            continue
        attendance = ((content.get("value") or {}).get("vacation") or {}).get("attendance") or {}
        told = attendance.get("date_range") or {}
        if user_id and told.get("new_begin") and told.get("new_end"):
            begins_at, ends_at = (
                datetime.fromtimestamp(int(told[name]), UTC) for name in ("new_begin", "new_end")
            )
            by_hour = told.get("type") == "hour"
            yield Leave(user_id, begins_at, ends_at if by_hour else _end_of_day(ends_at))


def _end_of_day(at: datetime) -> datetime:
    """By the day or half of it, the end is a moment of the last day (unverified)."""
    day = at.astimezone(_CHINA).date() + _DAY
    return datetime.combine(day, time.min, tzinfo=_CHINA)
