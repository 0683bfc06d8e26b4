"""The organisation's monthly quota of paid calls: counted, shown, and stretched.

The plan, by what our own count says (5 000 calls a month on the standard edition, notes
0.2; other applications of the organisation draw on the same quota):

  below 70 %   everything
  from 70 %    everything, and a warning in the log
  from 90 %    closed cards are no longer redrawn; answers to what somebody just said go
               through the session of that message, which costs no call
  refused      the platform said that it is used up: only sessions and group robots still
               send; every other call fails at once, without being made, until the month turns

Reaching 100 % by our own count refuses nothing: the platform allows some days of grace,
and an operator may have bought more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from prometheus_client import Gauge

from bot.clock import Clock
from bot.ports import CallCounter
from connectors.dingtalk.errors import QuotaUsedUp

_BILLING_ZONE = ZoneInfo("Asia/Shanghai")

_USED = Gauge("gendan_dingtalk_quota_used", "Paid calls made in this month.", ["app"])
_LIMIT = Gauge("gendan_dingtalk_quota_limit", "Paid calls that a month has.", ["app"])

log = logging.getLogger(__name__)


class QuotaLevel(StrEnum):
    NORMAL = "normal"
    WATCH = "watch"
    SAVING = "saving"
    USED_UP = "used_up"
    REFUSED = "refused"


_FROM_PERCENT = (
    (100, QuotaLevel.USED_UP),
    (90, QuotaLevel.SAVING),
    (70, QuotaLevel.WATCH),
    (0, QuotaLevel.NORMAL),
)


@dataclass(frozen=True, slots=True)
class QuotaState:
    """month: "2026-11", as DingTalk bills. used: by our count."""

    month: str
    used: int
    limit: int
    level: QuotaLevel

    @property
    def is_saving(self) -> bool:
        return self.level in (QuotaLevel.SAVING, QuotaLevel.USED_UP, QuotaLevel.REFUSED)


class Quota:
    """One application's count. It survives restarts in the counter."""

    def __init__(self, app: str, limit: int, counter: CallCounter, clock: Clock) -> None:
        self._app = app
        self._limit = limit
        self._counter = counter
        self._clock = clock
        self._refused_in = ""
        self._known: QuotaState | None = None
        self._said: tuple[str, QuotaLevel] = ("", QuotaLevel.NORMAL)

    async def state(self) -> QuotaState:
        return await self._add(0)

    async def is_saving(self) -> bool:
        """By what the last count said; asks the counter only at start and when a month begins."""
        known = self._known
        if known is None or known.month != self._month():
            known = await self.state()
        return known.is_saving or self._refused_in == known.month

    async def count(self) -> None:
        """One paid call was made."""
        state = await self._add(1)
        if (state.month, state.level) != self._said:
            self._said = (state.month, state.level)
            if state.level is not QuotaLevel.NORMAL:
                self._warn(state)

    def note_refusal(self) -> None:
        """The platform says that the month's calls are used up."""
        self._refused_in = self._month()

    def check(self) -> None:
        """Raises QuotaUsedUp in a month in which the platform already said no."""
        if self._refused_in == self._month():
            raise QuotaUsedUp("钉钉本月接口调用量已用完，下月恢复或请管理员购买扩容包")

    async def _add(self, calls: int) -> QuotaState:
        month = self._month()
        used = await self._counter.add_calls(f"dingtalk:{self._app}:api", month, calls)
        _USED.labels(self._app).set(used)
        _LIMIT.labels(self._app).set(self._limit)
        self._known = QuotaState(month, used, self._limit, self._level(month, used))
        return self._known

    def _level(self, month: str, used: int) -> QuotaLevel:
        if self._refused_in == month:
            return QuotaLevel.REFUSED
        percent = used * 100 // self._limit
        return next(level for start, level in _FROM_PERCENT if percent >= start)

    def _month(self) -> str:
        return f"{self._clock.now().astimezone(_BILLING_ZONE):%Y-%m}"

    def _warn(self, state: QuotaState) -> None:
        fields = {
            "action": "dingtalk_quota",
            "channel": f"dingtalk:{self._app}",
            "month": state.month,
            "used": state.used,
            "limit": state.limit,
            "level": str(state.level),
        }
        log.warning("the month's quota of DingTalk calls runs low", extra=fields)
