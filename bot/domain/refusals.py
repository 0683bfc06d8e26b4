"""Why customers said no, counted (docs/coaching.md): one primary reason a lost deal for the shares,
all reasons for the other view, a trend where two periods have enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

ENOUGH = 20
"""Lost deals with a reason in one period; with fewer no share and no trend is told."""

WHOLE = 1000
"""A share is in tenths of a percent, so that all of them make 1000 exactly."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A deal that was lost. primary: a code of OBJECTIONS, None where nobody said.

    reasons: all codes that were said. text: the rep's own words, with names in them.
    """

    opportunity_id: int
    account_id: int
    actor_id: int | None
    lost_at: datetime
    primary: str | None
    reasons: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """One reason. tenths: of a percent of the deals with a primary reason. change: against
    the period before, in tenths of a percent; None where that cannot be compared."""

    code: str
    count: int
    tenths: int
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """A period. lost: deals; told: those with a primary reason. shares: by primary reason,
    the most frequent first. mentioned: (code, deals in which it was among the reasons).
    before: deals with a reason in the period before."""

    since: datetime
    until: datetime
    lost: int
    told: int
    shares: tuple[Share, ...]
    mentioned: tuple[tuple[str, int], ...]
    before: int

    @property
    def enough(self) -> bool:
        return self.told >= ENOUGH


def count(losses: Sequence[Loss], *, since: datetime, until: datetime) -> Refusals:
    """The period [since, until) against the one of the same length before it. losses: of both."""
    now = _of_period(losses, since, until)
    earlier = _of_period(losses, since - (until - since), since)
    told = Counter(loss.primary for loss in now if loss.primary is not None)
    before = Counter(loss.primary for loss in earlier if loss.primary is not None)
    comparable = min(told.total(), before.total()) >= ENOUGH
    tenths, earlier_tenths = split(told), split(before)
    shares = [
        Share(
            code,
            told[code],
            tenths[code],
            tenths[code] - earlier_tenths.get(code, 0) if comparable else None,
        )
        for code in _ranked(told)
    ]
    mentioned = Counter(code for loss in now for code in {*loss.reasons, loss.primary} if code)
    return Refusals(
        since=since,
        until=until,
        lost=len(now),
        told=told.total(),
        shares=tuple(shares),
        mentioned=tuple((code, mentioned[code]) for code in _ranked(mentioned)),
        before=before.total(),
    )


def split(counts: Counter[str]) -> dict[str, int]:
    """Shares in tenths of a percent that make WHOLE together: rounded down, and what is left
    goes to the largest remainders."""
    total = counts.total()
    if not total:
        return {}
    shares = {code: n * WHOLE // total for code, n in counts.items()}
    left = WHOLE - sum(shares.values())
    for code in sorted(counts, key=lambda code: (-(counts[code] * WHOLE % total), code))[:left]:
        shares[code] += 1
    return shares


def newest_of_each(losses: Iterable[Loss]) -> list[Loss]:
    """One for each deal: a deal that was lost, taken up and lost again counts once."""
    newest: dict[int, Loss] = {}
    for loss in sorted(losses, key=lambda loss: loss.lost_at):
        newest[loss.opportunity_id] = loss
    return list(newest.values())


def _of_period(losses: Sequence[Loss], since: datetime, until: datetime) -> list[Loss]:
    return newest_of_each(loss for loss in losses if since <= loss.lost_at < until)


def _ranked(counts: Counter[str]) -> list[str]:
    """The most frequent first; of equals in the order of their codes."""
    return sorted(counts, key=lambda code: (-counts[code], code))
