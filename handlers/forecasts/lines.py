"""A rep's deals as lines of a forecast: what each says, and what it still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain import forecasts as rules
from bot.domain.forecasts import HORIZON_DAYS, Forecast, Line
from bot.domain.levels import Level
from bot.domain.opportunities import Opportunity
from handlers.desk import Office
from handlers.texts import submissions as texts
from storage.forecasts import Outlook
from storage.unit_of_work import UnitOfWork

MOST = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A deal that may be forecast. answers: the rep's of last time."""

    deal: Opportunity
    level: Level
    outlook: Outlook
    evidence: tuple[int, ...] = ()
    answers: tuple[int, ...] = ()

    def lacks(self, today: date, answers: Sequence[int]) -> list[str]:
        """A missing date blocks; so do the amount, and the scores of what may be committed."""
        lacking = []
        if self.outlook.expected_on is None:
            lacking.append(texts.DATE)
        elif self.outlook.expected_on < today:
            lacking.append(texts.DATE_PAST)
        if not self.deal.amount_fen:
            lacking.append(texts.AMOUNT)
        if rules.needs_cosign(self.level) and rules.score(answers) is None:
            lacking.append(texts.SCORES)
        return lacking

    def line(self, answers: Sequence[int]) -> Line:
        assert self.outlook.expected_on is not None
        assert self.deal.amount_fen is not None
        return Line(
            id=0,
            forecast_id=0,
            opportunity_id=self.deal.id,
            level=self.level,
            amount_fen=self.deal.amount_fen,
            expected_on=self.outlook.expected_on,
            evidence=self.evidence,
            risk=self.outlook.risk,
            answers=tuple(answers) if rules.needs_cosign(self.level) else (),
        )


async def of_person(tx: UnitOfWork, office: Office, person_id: int, at: datetime) -> list[Item]:
    """Open deals with a level, but for those expected after the 90 days; the nearest first, those
    without a day before all others."""
    deals = await tx.opportunities.list_of_owner(person_id, limit=MOST)
    ids = [deal.id for deal in deals]
    current = await tx.levels.current(ids)
    outlooks = await tx.forecasts.outlooks(ids)
    evidence = await tx.levels.evidence_of_many(ids)
    today = office.calendar.day_of(at)
    before = await _last_answers(tx, person_id, today)
    last = today + timedelta(days=HORIZON_DAYS)
    items = []
    for deal in deals:
        level = current[deal.id].after if deal.id in current else None
        outlook = outlooks.get(deal.id, Outlook(deal.id))
        if level is None or (outlook.expected_on or last) > last:
            continue
        held = tuple(one.id for one in evidence.get(deal.id, ()) if one.holds(at))
        items.append(Item(deal, level, outlook, held, before.get(deal.id, ())))
    return sorted(items, key=lambda one: (one.outlook.expected_on or date.min, one.deal.id))


async def _last_answers(tx: UnitOfWork, person_id: int, today: date) -> dict[int, tuple[int, ...]]:
    since = today - timedelta(days=HORIZON_DAYS)
    known = await tx.forecasts.newest_of_each_week([person_id], since=since)
    return {line.opportunity_id: line.answers for one in known for line in one.lines}


async def names_of(tx: UnitOfWork, listed: Sequence[Forecast]) -> dict[int, str]:
    """deal -> its customer's name."""
    numbers = {line.opportunity_id for one in listed for line in one.lines}
    deals = await tx.opportunities.list_some(numbers)
    return {number: deal.account_name for number, deal in deals.items()}
