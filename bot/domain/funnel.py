"""Funnel, durations and conversion of the stages, from their events; by distinct customers.

Pure: the same events give the same figures, whenever they are counted. A rate is null where
there is nothing to divide by, and never outside 0..1, as its numerator is a part of its
denominator (semantics B18).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.library import ActionLibrary
from bot.domain.opportunities import OpportunityState
from bot.domain.stages import MoveKind, StageEvent


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage of the funnel. reached: distinct customers that ever stood in it or beyond.
    went_on: those of them that also reached the next stage, or were won from the last.
    here: distinct customers that stand in it now. stay: the median of all stays that
    ended, the shorter of two."""

    stage: str
    reached: int
    went_on: int
    here: int
    stay: timedelta | None

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.went_on, self.reached) if self.reached else None


def count_funnel(
    library: ActionLibrary,
    events: Iterable[StageEvent],
    *,
    shipped: str = "",
    merged: Mapping[int, int] | None = None,
) -> list[StageFigures]:
    """The stages of one library, in order. events: in the order in which they were written,
    also of deals that were moved over from another library; those of others are passed over.
    merged: account -> the one it was merged into, which counts for both. shipped: the key of
    the library that events mean which name none.
    """
    survivors = merged or {}
    rank = {stage.key: number for number, stage in enumerate(library.stages)}
    beyond = {**rank, str(OpportunityState.WON): len(rank)}
    furthest: dict[int, int] = {}
    standing: dict[int, tuple[int, str]] = {}
    written = list(events)
    ours = _ours(library, written, shipped)
    for event in written:
        customer = _survivor(event.account_id, survivors) if survivors else event.account_id
        if event.library not in ours:
            standing.pop(event.opportunity_id, None)
            continue
        number = beyond.get(event.went_to, -1)
        if number >= 0 and number > furthest.get(customer, -1):
            furthest[customer] = number
        standing[event.opportunity_id] = (customer, event.went_to)
    stays: dict[str, list[timedelta]] = defaultdict(list)
    for ref, place, stay in stage_stays(written):
        if ref in ours:
            stays[place].append(stay)
    here: dict[str, set[int]] = defaultdict(set)
    for customer, place in standing.values():
        here[place].add(customer)
    reached = [sum(far >= number for far in furthest.values()) for number in range(len(rank) + 1)]
    return [
        StageFigures(
            key,
            reached=reached[number],
            went_on=reached[number + 1],
            here=len(here[key]),
            stay=_median(stays[key]),
        )
        for key, number in rank.items()
    ]


def stage_stays(events: Iterable[StageEvent]) -> list[tuple[str, str, timedelta]]:
    """(library, place, how long) of each stay that has ended. A change of library ends none:
    the stay goes on under the new name."""
    since: dict[int, tuple[str, str, datetime]] = {}
    ended = []
    for event in events:
        before = since.get(event.opportunity_id)
        began = event.at
        if before is not None and event.kind is MoveKind.REMAPPED:
            began = before[2]
        elif before is not None and event.at >= before[2]:
            ended.append((before[0], before[1], event.at - before[2]))
        since[event.opportunity_id] = (event.library, event.went_to, began)
    return ended


def _ours(library: ActionLibrary, events: Iterable[StageEvent], shipped: str) -> set[str]:
    """The refs of all versions of the library, which count together."""
    refs = {event.library for event in events}
    return {ref for ref in refs if (ref.partition("@")[0] or shipped) == library.key}


def _median(stays: list[timedelta]) -> timedelta | None:
    return sorted(stays)[(len(stays) - 1) // 2] if stays else None


def _survivor(account_id: int, merged: Mapping[int, int]) -> int:
    seen = {account_id}
    while account_id in merged and merged[account_id] not in seen:
        account_id = merged[account_id]
        seen.add(account_id)
    return account_id
