"""Leaves out of DingTalk's attendance (protocol notes 7.3, getleavestatus): only what was approved
stands there, and a withdrawn one stands there no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.domain.leaves import Leave
from connectors.dingtalk.api import Api
from connectors.dingtalk.read import Body, flag, moment, number, rows, text

AROUND = timedelta(days=31)
"""Before and after the moment. That a leave is told which merely reaches into the period is not
documented; a month back finds those of usual length either way."""

_PEOPLE, _PAGE = 100, 20
_UNITS = {"percent_day": timedelta(days=1), "percent_hour": timedelta(hours=1)}


async def read_leaves(api: Api, user_ids: Sequence[str], *, at: datetime) -> list[Leave]:
    """Of these people, around a moment."""
    period = {"start_time": _ms(at - AROUND), "end_time": _ms(at + AROUND)}
    found: list[Leave] = []
    for ids in _chunks(user_ids):
        offset, more = 0, True
        while more:
            wanted = {"userid_list": ",".join(ids), "offset": offset, "size": _PAGE, **period}
            page = await api.old("topapi/attendance/getleavestatus", wanted)
            told = [row for row in rows(page, "leave_status") if isinstance(row, dict)]
            found += [leave for row in told if (leave := _to_leave(row)) is not None]
            offset += len(told)
            more = flag(page, "has_more") and bool(told)
    return found


def _to_leave(row: Body) -> Leave | None:
    """The duration counts where the end is that of the last day itself."""
    begins_at, ends_at = moment(row, "start_time"), moment(row, "end_time")
    unit = _UNITS.get(text(row, "duration_unit"))
    if begins_at is None or ends_at is None:
        return None
    if ends_at <= begins_at and unit is not None:
        ends_at = begins_at + unit * (number(row, "duration_percent") or 0) / 100
    return Leave(text(row, "userid"), begins_at, ends_at)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _PEOPLE] for start in range(0, len(ids), _PEOPLE))
