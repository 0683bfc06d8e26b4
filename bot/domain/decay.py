"""Intent fades while we are silent: D(τ) = 2^(−τ/H) on the working clock (docs/signals.md).

What customers do is another number (`bot.domain.signals`) and does not stop the decay: the rule
penalises our silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2

from bot.domain.calendar import ClockKind, WorkingCalendar


@dataclass(frozen=True, slots=True)
class DecayPolicy:
    """How an intent fades while we are silent. half_life_h: hours on `clock` after which half of an
    intent is left. threshold: below it, strictly, a lead of L2 is shown as L2.5 and the rep is
    warned once."""

    half_life_h: int = 72
    clock: ClockKind = ClockKind.WORKDAY
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Decay:
    """What is left of an intent. since: our last valid touch. silent: the clock's time since
    then. factor: D, from 1 down. faded: D is below the threshold. fades_at: when it will be, or
    was."""

    since: datetime
    silent: timedelta
    factor: float
    faded: bool
    fades_at: datetime


def decay(since: datetime, now: datetime, policy: DecayPolicy, calendar: WorkingCalendar) -> Decay:
    """since: the last valid touch, or where there was none the moment of the first evidence."""
    silent = calendar.elapsed(policy.clock, since, now)
    limit = _limit(policy)
    return Decay(
        since=since,
        silent=silent,
        factor=factor(silent, policy),
        faded=silent > limit,  # not by the rounded power: 72 h exactly is not faded
        fades_at=calendar.add(policy.clock, since, limit + timedelta(microseconds=1)),
    )


def factor(silent: timedelta, policy: DecayPolicy) -> float:
    """D for a time on the policy's clock."""
    return float(2 ** -(silent / timedelta(hours=policy.half_life_h)))


def curve(
    since: datetime, until: datetime, policy: DecayPolicy, calendar: WorkingCalendar, *, points: int
) -> list[tuple[datetime, float]]:
    """(moment, D) from `since` to `until`, evenly spaced; flat where the clock stands."""
    step = (until - since) / max(points - 1, 1)
    moments = [since + step * index for index in range(points)]
    return [
        (moment, factor(calendar.elapsed(policy.clock, since, moment), policy))
        for moment in moments
    ]


def _limit(policy: DecayPolicy) -> timedelta:
    """The silence at which D is exactly the threshold."""
    return timedelta(hours=policy.half_life_h * -log2(policy.threshold))
