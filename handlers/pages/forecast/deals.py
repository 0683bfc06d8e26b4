"""The deals of a forecast, in groups by when they are expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain import forecasts as rules
from bot.domain.forecasts import Bucket
from bot.domain.opportunities import Opportunity
from handlers.forecasts.reading import Signed
from handlers.pages.forecast.sums import money
from handlers.texts import submissions as texts

LINES = 100
_PAST = "已过预计日期"
_TONES = {
    rules.SignatureState.AGREED: "green",
    rules.SignatureState.WAITING: "",
    rules.SignatureState.UNREVIEWED: "yellow",
    rules.SignatureState.IN_REVIEW: "red",
    rules.SignatureState.NOT_NEEDED: "",
}


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal as it is forecast."""

    deal_id: int
    customer: str
    level: str
    amount: str
    on: str
    rep: str
    standing: str
    tone: str
    scores: str
    risk: str


@dataclass(frozen=True, slots=True)
class Group:
    """Deals under one heading, with their sum."""

    label: str
    amount: str
    deals: tuple[DealRow, ...]


def groups_of(
    signed: Sequence[Signed],
    deals: Mapping[int, Opportunity],
    who: Mapping[int, str],
    today: date,
    *,
    start: int,
) -> tuple[Group, ...]:
    """Seen from today: deals slide by themselves; what is past its day stands first. Sums are of
    the whole group, also where only some of its deals stand on this page."""
    found, before = [], 0
    for bucket in (None, *Bucket):
        ones = [x for x in signed if rules.bucket_of(x.line.expected_on, today) is bucket]
        if ones:
            ordered = sorted(ones, key=lambda one: (one.line.expected_on, one.line.id))
            total = money(sum(one.line.amount_fen for one in ones))
            label = texts.BUCKETS[bucket] if bucket else _PAST
            here = ordered[max(0, start - before) : max(0, start + LINES - before)]
            before += len(ones)
            if here:
                found.append(Group(label, total, tuple(deal_row(one, deals, who) for one in here)))
    return tuple(found)


def deal_row(one: Signed, deals: Mapping[int, Opportunity], who: Mapping[int, str]) -> DealRow:
    line = one.line
    return DealRow(
        deal_id=line.opportunity_id,
        customer=deals[line.opportunity_id].account_name,
        level=str(line.level),
        amount=money(line.amount_fen),
        on=texts.day_words(line.expected_on),
        rep=who.get(line.id, ""),
        standing=texts.STANDINGS[one.standing],
        tone=_TONES[one.standing],
        scores=texts.scores_words(one.scores),
        risk=line.risk,
    )
