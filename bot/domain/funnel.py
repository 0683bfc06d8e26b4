"""The funnel of a library, from counts of its deals; by distinct customers.

A rate is null where there is nothing to divide by, and never outside 0..1, as its numerator is a
part of its denominator (docs/process.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from bot.domain.library import ActionLibrary


@dataclass(frozen=True, slots=True)
class FunnelCounts:
    """Of the deals written in one library, all its versions.

    furthest: place of a stage in its order, one beyond the last for a win -> customers that came
    so far and no further. here: key of a stage -> customers with an open deal in it. stays: key
    of a stage -> working days -> stays of that length that ended.
    """

    furthest: Mapping[int, int] = field(default_factory=dict)
    here: Mapping[str, int] = field(default_factory=dict)
    stays: Mapping[str, Mapping[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage of the funnel. reached: distinct customers that ever stood in it or beyond.
    went_on: those of them that also reached the next stage, or were won from the last.
    here: distinct customers that stand in it now. stay_days: the median of all stays that
    ended, in working days; the shorter of two."""

    stage: str
    reached: int
    went_on: int
    here: int
    stay_days: int | None

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.went_on, self.reached) if self.reached else None


def funnel_of(library: ActionLibrary, counts: FunnelCounts) -> list[StageFigures]:
    """The stages of the library, in order."""
    ranks = range(len(library.stages) + 1)
    reached = [sum(n for far, n in counts.furthest.items() if far >= rank) for rank in ranks]
    return [
        StageFigures(
            stage.key,
            reached=reached[rank],
            went_on=reached[rank + 1],
            here=counts.here.get(stage.key, 0),
            stay_days=_median(counts.stays.get(stage.key, {})),
        )
        for rank, stage in enumerate(library.stages)
    ]


def _median(lengths: Mapping[int, int]) -> int | None:
    """length -> how many have it; the shorter of the middle two."""
    left = (sum(lengths.values()) - 1) // 2
    for length in sorted(lengths):
        if left < lengths[length]:
            return length
        left -= lengths[length]
    return None
