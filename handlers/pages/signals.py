"""Of a deal's page: what is left of its intent, and what its customer did by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.decay import curve
from bot.domain.levels import Level
from bot.domain.opportunities import Opportunity
from bot.domain.websites import titles_of
from handlers.desk import Office
from handlers.signals import decaying, heating
from handlers.texts import signals as texts
from storage.unit_of_work import UnitOfWork

POINTS = 25


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal: what it adds now, when it came true, of what, and why it counts so much."""

    label: str
    heat: str
    when: str
    count: int
    pages: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Fading:
    """points: (moment, percent left) from the last touch to now or to where it fades. told: the
    same in words."""

    level: str
    told: str
    points: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """fading: None for a deal that is no L2."""

    heat: str
    signals: tuple[SignalLine, ...]
    fading: Fading | None


async def behaviour(tx: UnitOfWork, office: Office, deal: Opportunity, at: datetime) -> Behaviour:
    warm = (await heating.heat_of(tx, office.policy, [deal.account_id], at)).get(deal.account_id)
    shares = warm.shares if warm is not None else ()
    return Behaviour(
        heat=f"{warm.total:.1f}" if warm is not None else "0",
        signals=tuple(
            SignalLine(
                label=share.rule.label,
                heat=f"{share.heat:.2f}",
                when=texts.when(share.signal.at.astimezone(office.zone)),
                count=len(share.signal.events),
                pages=titles_of(office.sites, share.signal.pages)[:5],
                why=texts.rule_words(share.rule),
            )
            for share in shares
            if share.heat >= heating.WORTH_TELLING
        ),
        fading=await _fading(tx, office, deal, at),
    )


async def _fading(tx: UnitOfWork, office: Office, deal: Opportunity, at: datetime) -> Fading | None:
    change = (await tx.levels.current([deal.id])).get(deal.id)
    if change is None or change.after not in (Level.L2, Level.L2_5):
        return None
    policy = office.policy.decay
    left = decaying.left_of(office, deal, change, at)
    points = curve(left.since, max(at, left.fades_at), policy, office.calendar, points=POINTS)
    return Fading(
        level=str(change.after),
        told=texts.left_words(
            left.factor,
            hours=policy.half_life_h,
            clock=policy.clock,
            since=left.since.astimezone(office.zone),
            fades_at=None if left.faded else left.fades_at.astimezone(office.zone),
        ),
        points=tuple(
            (_moment(moment.astimezone(office.zone)), round(100 * one)) for moment, one in points
        ),
    )


def _moment(at: datetime) -> str:
    """As the other charts have it: 12/1 09:30."""
    return f"{at.month}/{at.day} {at:%H:%M}"
