"""Records of WeCom's 打卡: raw rows, each put to the day it counts for.

No event tells of them, and rows change afterwards, so they are asked for by the clock, with more
around than is wanted: a rule day may end after midnight.
Source: developer.work.weixin.qq.com/document/path/90262.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from bot.clock import Clock
from bot.domain.attendance import EARLY, LATE, MISSING, CheckIn, CheckInKind, day_of
from connectors.wecom.api import Api
from connectors.wecom.approval_bills import PER_HOUR, PER_MINUTE
from connectors.wecom.errors import in_shape
from connectors.wecom.patience import Pace, patiently

PEOPLE = 100
LONGEST = timedelta(days=30)
AROUND = timedelta(hours=6)

_CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
_KINDS = {
    "上班打卡": CheckInKind.ON,
    "下班打卡": CheckInKind.OFF,
    "外出打卡": CheckInKind.OUTSIDE,
    "仅记录打卡时间和位置": CheckInKind.OUTSIDE,
}

_Row = dict[str, Any]


class CheckIns:
    """Reads for one application. Every method raises as `Api` does."""

    platform = "wecom"
    kinds = frozenset({CheckInKind.ON, CheckInKind.OFF, CheckInKind.OUTSIDE})
    is_told = is_paid = is_dear = False

    def __init__(self, app: str, api: Api, clock: Clock) -> None:
        self.app = app
        self._api = api
        self._clock = clock
        self._pace = Pace(clock, per_minute=PER_MINUTE, per_hour=PER_HOUR)

    async def records(
        self, user_ids: Sequence[str], first: date, last: date, *, day_starts: time
    ) -> list[CheckIn]:
        """All that count for these days."""
        begin = datetime.combine(first, time.min, _CHINA) - AROUND
        end = datetime.combine(last + timedelta(days=1), time.min, _CHINA) + AROUND
        rows: dict[str, _Row] = {}
        for start in range(0, len(user_ids), PEOPLE):
            since = begin
            while since < end:
                until = min(since + LONGEST, end)
                told = await self._rows(user_ids[start : start + PEOPLE], since, until)
                with in_shape(_CALL):
                    rows |= {repr(sorted(row.items(), key=lambda one: one[0])): row for row in told}
                since = until
        with in_shape(_CALL):
            found = _to_check_ins(rows.values(), day_starts)
        return [one for one in found if first <= one.day <= last]

    async def check(self) -> None:
        """Raises where they are not ours to read."""
        now = self._clock.now()
        await self._rows([_NOBODY], now - timedelta(days=1), now)

    async def _rows(self, user_ids: Sequence[str], since: datetime, until: datetime) -> list[_Row]:
        body = {
            "opencheckindatatype": 3,
            "starttime": int(since.timestamp()),
            "endtime": int(until.timestamp()),
            "useridlist": list(user_ids),
        }

        async def once() -> dict[str, Any]:
            await self._pace.wait(_CALL)
            return await self._api.post(_CALL, body)

        answer = await patiently(once)
        with in_shape(_CALL):
            return list(answer.get("checkindata") or ())


_NOBODY = "gendan-nobody"
_CALL = "checkin/getcheckindata"


def _to_check_ins(rows: Iterable[_Row], day_starts: time) -> list[CheckIn]:
    """A row has no id: it is told apart by its person, kind and shift, or its own time where it
    has no shift; several of one shift by their order."""
    seen: Counter[str] = Counter()
    found = []
    for row in sorted(rows, key=lambda one: int(one.get("checkin_time") or 0)):
        kind = _KINDS.get(str(row.get("checkin_type")))
        user_id = str(row.get("userid") or "").lower()
        planned_at, told_at = _moment(row.get("sch_checkin_time")), _moment(row.get("checkin_time"))
        moment = planned_at or told_at
        if kind is None or moment is None or not user_id:
            continue
        shift = planned_at if kind is not CheckInKind.OUTSIDE else None
        trouble = _trouble(kind, str(row.get("exception_type") or ""))
        name = f"{user_id}:{kind}:{int((shift or moment).timestamp())}"
        seen[name] += 1
        found.append(
            CheckIn(
                platform="wecom",
                user_id=user_id,
                key=f"{name}:{seen[name]}"[:200],
                day=day_of(moment, shift, zone=_CHINA, starts=day_starts),
                kind=kind,
                at=None if trouble == MISSING else told_at,
                trouble=trouble,
                place=" ".join(
                    str(row[key]) for key in ("location_title", "location_detail") if row.get(key)
                )[:200],
                note=str(row.get("notes") or "")[:500],
            )
        )
    return found


def _trouble(kind: CheckInKind, told: str) -> str:
    """What weighs most of several; what is no question of time stays in the platform's words."""
    parts = [part for part in told.split(";") if part]
    if "未打卡" in parts:
        return MISSING
    if "时间异常" in parts and kind is CheckInKind.ON:
        return LATE
    if "时间异常" in parts and kind is CheckInKind.OFF:
        return EARLY
    return "、".join(parts)[:100]


def _moment(seconds: object) -> datetime | None:
    text = str(seconds or "")
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() and int(text) else None
