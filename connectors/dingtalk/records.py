"""Records of DingTalk's 考勤 (protocol notes 7.3) and 签到.

考勤 is told by events and costs paid calls by person and day; 签到 is read of the whole company at
once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from bot.clock import Clock
from bot.domain.attendance import ABSENT, EARLY, LATE, MISSING, CheckIn, CheckInKind, day_of
from connectors.dingtalk.api import Api
from connectors.dingtalk.events import CHINA
from connectors.dingtalk.read import Body, flag, moment, rows, text

PEOPLE, PAGE, DAYS = 50, 50, 7
SIGN_INS, SIGN_IN_DAYS = 100, 45
ROOT = "1"

_KINDS = {"OnDuty": CheckInKind.ON, "OffDuty": CheckInKind.OFF}
_TROUBLES = {
    "Normal": "",
    "Early": EARLY,
    "Late": LATE,
    "SeriousLate": LATE,
    "Absenteeism": ABSENT,
    "NotSigned": MISSING,
}
_NOBODY = "gendan-nobody"


class Attendance:
    """考勤 for one application. Every method raises as `Api` does."""

    platform = "dingtalk"
    kinds = frozenset({CheckInKind.ON, CheckInKind.OFF})
    is_told = is_paid = is_dear = True

    def __init__(self, app: str, api: Api, clock: Clock) -> None:
        self.app = app
        self._api = api
        self._clock = clock

    async def records(
        self, user_ids: Sequence[str], first: date, last: date, *, day_starts: time
    ) -> list[CheckIn] | None:
        """All that count for these days; None while calls are to be saved. day_starts: not needed,
        the platform tells the day."""
        if await self._api.quota.is_saving():
            return None
        found: dict[str, CheckIn] = {}
        for some in _portions(user_ids, PEOPLE):
            for since, until in _spans(first, last, DAYS):
                async for row in self._rows(some, since, until):
                    one = _to_check_in(row)
                    if one is not None:
                        found[one.key] = one
        return list(found.values())

    async def check(self) -> None:
        """Raises where it is not ours to read."""
        today = self._clock.now().astimezone(CHINA).date()
        async for _ in self._rows([_NOBODY], today, today):
            return

    async def _rows(self, user_ids: Sequence[str], since: date, until: date) -> AsyncIterator[Body]:
        offset, more = 0, True
        while more:
            wanted = {
                "workDateFrom": f"{since} 00:00:00",
                "workDateTo": f"{until} 23:59:59",
                "userIdList": list(user_ids),
                "offset": offset,
                "limit": PAGE,
            }
            answer = await self._api.old_answer("attendance/list", wanted)
            told = [row for row in rows(answer, "recordresult") if isinstance(row, dict)]
            for row in told:
                yield row
            offset += len(told)
            more = flag(answer, "hasMore") and bool(told)


class SignIns:
    """签到 for one application, of the whole company at once."""

    platform = "dingtalk"
    kinds = frozenset({CheckInKind.VISIT})
    is_paid = True
    is_told = is_dear = False

    def __init__(self, app: str, api: Api, clock: Clock) -> None:
        self.app = app
        self._api = api
        self._clock = clock

    async def records(
        self, user_ids: Sequence[str], first: date, last: date, *, day_starts: time
    ) -> list[CheckIn] | None:
        """All that count for these days; None while calls are to be saved."""
        if await self._api.quota.is_saving():
            return None
        wanted = set(user_ids)
        found: dict[str, CheckIn] = {}
        for since, until in _spans(first, last + timedelta(days=1), SIGN_IN_DAYS):
            async for row in self._rows(since, until):
                one = _to_visit(row, day_starts)
                if one is not None and one.user_id in wanted and first <= one.day <= last:
                    found[one.key] = one
        return list(found.values())

    async def check(self) -> None:
        """Raises where they are not ours to read."""
        today = self._clock.now().astimezone(CHINA).date()
        async for _ in self._rows(today, today):
            return

    async def _rows(self, since: date, until: date) -> AsyncIterator[Body]:
        begin = datetime.combine(since, time.min, CHINA)
        end = datetime.combine(until + timedelta(days=1), time.min, CHINA)
        offset = 0
        while True:
            params = {
                "department_id": ROOT,
                "start_time": str(int(begin.timestamp() * 1000)),
                "end_time": str(int(end.timestamp() * 1000)),
                "offset": str(offset),
                "size": str(SIGN_INS),
            }
            answer = await self._api.get_old("checkin/record", params)
            told = [row for row in rows(answer, "data") if isinstance(row, dict)]
            for row in told:
                yield row
            offset += len(told)
            if len(told) < SIGN_INS:
                return


def _to_check_in(row: Body) -> CheckIn | None:
    """planId and kind are one shift's end, whatever was corrected about it."""
    kind, day = _KINDS.get(text(row, "checkType")), moment(row, "workDate")
    user_id = text(row, "userId")
    if kind is None or day is None or not user_id:
        return None
    local = day.astimezone(CHINA).date()
    told = text(row, "timeResult")
    trouble = _TROUBLES.get(told, told)[:100]
    if not trouble and text(row, "locationResult") == "Outside":
        trouble = "外勤"
    at = moment(row, "userCheckTime")
    return CheckIn(
        platform="dingtalk",
        user_id=user_id,
        key=f"{user_id}:{local}:{kind}:{text(row, 'planId') or text(row, 'id')}"[:200],
        day=local,
        kind=kind,
        at=None if trouble in (MISSING, ABSENT) else at,
        trouble=trouble,
    )


def _to_visit(row: Body, day_starts: time) -> CheckIn | None:
    user_id, at = text(row, "userId"), moment(row, "timestamp")
    if not user_id or at is None:
        return None
    return CheckIn(
        platform="dingtalk",
        user_id=user_id,
        key=f"{user_id}:visit:{int(at.timestamp() * 1000)}"[:200],
        day=day_of(at, None, zone=CHINA, starts=day_starts),
        kind=CheckInKind.VISIT,
        at=at,
        place=" ".join(filter(None, (text(row, "place"), text(row, "detailPlace"))))[:200],
        note=text(row, "remark")[:500],
    )


def _portions(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _spans(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """Of at most so many days each."""
    while first <= last:
        until = min(first + timedelta(days=days - 1), last)
        yield first, until
        first = until + timedelta(days=1)
