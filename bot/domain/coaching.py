"""Which talk tracks to offer for a deal, and why.

A track earns its place by relevance to the deal times a draw from what reps of like customers
made of it: a Beta distribution each, Thompson sampling. What nobody has tried yet has a wide
distribution, so it comes up now and then; what was found unfit sinks. The random source is
handed in, so the same seed makes the same choice.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.tracks import Buying, Phase, Size, Track

OFFERED = 3
"""Tracks on one card."""

ELSEWHERE = 0.25
"""How much a result in another segment of the same industry weighs."""

_KEY_FEN = 100_000_000  # a million yuan a year

_GAIN = {"used": 1.0, "won": 3.0, "lost": 1.0, "unfit": 0.0}
_LOSS = {"used": 0.0, "won": 0.0, "lost": 1.0, "unfit": 2.0}
"""What one result tells. Lost after it was used is one for and one against: it was found
fitting, and did not carry the deal. Shown and not pressed tells nothing."""


class Result(StrEnum):
    """What became of one track shown to one rep."""

    SHOWN = "shown"
    USED = "used"
    UNFIT = "unfit"


class Why(StrEnum):
    """Reasons for a choice, the strongest first."""

    OBJECTION = "objection"
    PHASE = "phase"
    SIZE = "size"
    BUYING = "buying"
    INDUSTRY = "industry"
    PROVEN = "proven"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Situation:
    """A deal as far as talk tracks care. size: None if nobody told us.

    objections: codes that the customer holds now.
    """

    industry: str
    phase: Phase
    buying: Buying = Buying.NEW
    size: Size | None = None
    objections: tuple[str, ...] = ()

    @property
    def segment(self) -> str:
        """What results are counted by: "manufacturing/small/new"."""
        return f"{self.industry}/{self.size or 'unknown'}/{self.buying}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a track was judged. used: and the deal is still open; won, lost: it was used,
    and the deal ended so."""

    used: int = 0
    unfit: int = 0
    won: int = 0
    lost: int = 0

    @property
    def taken(self) -> int:
        return self.used + self.won + self.lost

    @property
    def judged(self) -> int:
        return self.taken + self.unfit

    def plus(self, other: Tally) -> Tally:
        return Tally(
            self.used + other.used,
            self.unfit + other.unfit,
            self.won + other.won,
            self.lost + other.lost,
        )


@dataclass(frozen=True, slots=True)
class Past:
    """What this customer's reps were shown already. unfit: codes found unfit for this very
    customer; last: codes of the card before, to be followed by others."""

    times: Mapping[str, int] = field(default_factory=dict)
    unfit: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """A track to show. tally: of this segment."""

    track: Track
    why: tuple[Why, ...]
    tally: Tally


Evidence = Mapping[tuple[str, str], Tally]
"""(code of the track, segment) -> what became of it."""


def phase_of(place: int, stages: int) -> Phase:
    """The third of the way in which a stage stands; place: from 0. Unknown stages, -1, are
    early."""
    third = 3 * max(place, 0) // max(stages, 1)
    return (Phase.EARLY, Phase.MIDDLE, Phase.LATE)[min(third, 2)]


def size_of(employees: int | None) -> Size | None:
    if employees is None:
        return None
    if employees < 100:
        return Size.SMALL
    return Size.MIDDLE if employees < 1000 else Size.LARGE


def buying_of(yearly_fen: int | None, deals_won: int) -> Buying:
    """yearly_fen: bought from us within a year, None where nobody knows the sums."""
    if not yearly_fen and not deals_won:
        return Buying.NEW
    return Buying.KEY if (yearly_fen or 0) >= _KEY_FEN else Buying.REGULAR


def choose(
    tracks: Sequence[Track],
    situation: Situation,
    evidence: Evidence,
    past: Past,
    chance: random.Random,
    *,
    count: int = OFFERED,
) -> list[Choice]:
    """At most `count`, the best first. Those of the last card, and then those that were found
    unfit for this customer, come only when nothing else is left."""
    scored = []
    for track in sorted(tracks, key=lambda track: track.code):
        if not suits(track, situation):
            continue
        gain, loss = strength(track.code, situation.segment, evidence)
        drawn = chance.betavariate(gain, loss)
        score = relevance(track, situation) * drawn * 0.5 ** past.times.get(track.code, 0)
        kept_back = 2 * (track.code in past.unfit) + (track.code in past.last)
        scored.append((kept_back, -score, track.code, track))
    chosen = [entry[-1] for entry in sorted(scored, key=lambda entry: entry[:3])[:count]]
    return [explained(track, situation, evidence) for track in chosen]


def suits(track: Track, situation: Situation) -> bool:
    """Whether nothing that is known of the deal speaks against the track."""
    return (
        track.industry in ("", situation.industry)
        and (not track.sizes or situation.size is None or situation.size in track.sizes)
        and (not track.buying or situation.buying in track.buying)
    )


def relevance(track: Track, situation: Situation) -> float:
    """Above 0. An objection in play outweighs everything else; a track that answers another
    one, or none, steps back then."""
    points = 1.0
    if answers(track, situation):
        points += 8
    elif track.objections:
        points *= 0.25
    elif situation.objections:
        points *= 0.5
    points *= 2 if situation.phase in track.phases else 1 if not track.phases else 0.5
    points *= 1.25 if situation.size in track.sizes else 1
    points *= 1.25 if situation.buying in track.buying else 1
    return points * (1.25 if track.industry else 1)


def answers(track: Track, situation: Situation) -> bool:
    return not set(track.objections).isdisjoint(situation.objections)


def answering(tracks: Iterable[Track], situation: Situation) -> list[Track]:
    """Those of them that answer an objection in play."""
    held = set(situation.objections)
    return [track for track in tracks if not held.isdisjoint(track.objections)]


def strength(code: str, segment: str, evidence: Evidence) -> tuple[float, float]:
    """The two parameters of the Beta distribution of a track in a segment, from 1 and 1."""
    gain = loss = 1.0
    industry = segment.split("/", maxsplit=1)[0]
    for (other, where), tally in evidence.items():
        if other != code or where.split("/")[0] != industry:
            continue
        weight = 1.0 if where == segment else ELSEWHERE
        counts = {"used": tally.used, "won": tally.won, "lost": tally.lost, "unfit": tally.unfit}
        gain += weight * sum(_GAIN[name] * n for name, n in counts.items())
        loss += weight * sum(_LOSS[name] * n for name, n in counts.items())
    return gain, loss


def explained(track: Track, situation: Situation, evidence: Evidence) -> Choice:
    """The track with what speaks for it here."""
    tally = evidence.get((track.code, situation.segment), Tally())
    reasons = {
        Why.OBJECTION: answers(track, situation),
        Why.PHASE: situation.phase in track.phases,
        Why.SIZE: situation.size in track.sizes,
        Why.BUYING: situation.buying in track.buying,
        Why.INDUSTRY: bool(track.industry),
        Why.PROVEN: tally.taken > 0,
        Why.UNTRIED: tally.judged == 0,
    }
    return Choice(track, tuple(why for why, holds in reasons.items() if holds), tally)
