"""The organisation's monthly quota of paid calls: counted, shown, and stretched.

The plan, by what our own count says (5 000 calls a month on the standard edition, notes
0.2; other applications of the organisation draw on the same quota):

  below 60 %   everything
  from 60 %    everything, and a warning in the log
  from 80 %    nobody misses a message: closed cards are no longer redrawn, undelivered events
               are left to the nightly reading, and answers to what somebody just said go through
               the session of that message, which costs no call
  from 95 %    digests (the daily lists, the figures of the week) are no longer sent; single
               pushes and answers are
  refused      the platform said that it is used up: only sessions and group robots still
               send; every other call fails at once, without being made, until the month turns

Reaching 100 % by our own count refuses nothing: the platform allows some days of grace,
and an operator may have bought more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from prometheus_client import Gauge

from bot.clock import Clock
from bot.ports import CallCounter
from connectors.dingtalk.errors import QuotaUsedUp

_BILLING_ZONE = ZoneInfo("Asia/Shanghai")

_USED = Gauge("gendan_dingtalk_quota_used", "Paid calls made in this month.", ["app"])
_LIMIT = Gauge("gendan_dingtalk_quota_limit", "Paid calls that a month has.", ["app"])
_FORETOLD = Gauge(
    "gendan_dingtalk_quota_foretold", "Paid calls at the month's end, at its pace so far.", ["app"]
)

log = logging.getLogger(__name__)


class QuotaLevel(StrEnum):
    """How short the month's paid calls are."""

    NORMAL = "normal"
    WATCH = "watch"
    SAVING = "saving"
    SPARING = "sparing"
    USED_UP = "used_up"
    REFUSED = "refused"


_FROM_PERCENT = (
    (100, QuotaLevel.USED_UP),
    (95, QuotaLevel.SPARING),
    (80, QuotaLevel.SAVING),
    (60, QuotaLevel.WATCH),
    (0, QuotaLevel.NORMAL),
)
_SPARING = (QuotaLevel.SPARING, QuotaLevel.USED_UP, QuotaLevel.REFUSED)

_FORETOLD_AFTER = timedelta(days=3)
"""Of a month before its end is foretold: one busy Monday would say too much."""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """How the month's paid calls stand. month: "2026-11", as DingTalk bills. used: by our count.
    foretold: how many it will be at the month's end if it goes on like this; None while it is too
    early to say."""

    month: str
    used: int
    limit: int
    level: QuotaLevel
    foretold: int | None = None

    @property
    def is_saving(self) -> bool:
        return self.level is QuotaLevel.SAVING or self.is_sparing

    @property
    def is_sparing(self) -> bool:
        """Whether digests are left out as well."""
        return self.level in _SPARING


def foretell(used: int, now: datetime) -> int | None:
    """What a month will have come to at its end, at the pace of its days so far. Months are
    those of the billing zone."""
    local = now.astimezone(_BILLING_ZONE)
    begun = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if local - begun < _FORETOLD_AFTER:
        return None
    end = (begun + timedelta(days=32)).replace(day=1)
    return round(used * ((end - begun) / (local - begun)))


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

    @property
    def is_sparing(self) -> bool:
        """Whether digests are left out, by what the last count of this month said."""
        known = self._known
        if known is None or known.month != self._month():
            return False
        return known.is_sparing or self._refused_in == known.month

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
        foretold = foretell(used, self._clock.now())
        if foretold is not None:
            _FORETOLD.labels(self._app).set(foretold)
        self._known = QuotaState(month, used, self._limit, self._level(month, used), foretold)
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
