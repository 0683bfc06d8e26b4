"""From the stream to what a heat map shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.domain.activities import Intent
from bot.domain.library import ActionLibrary
from bot.domain.lights import Lead
from handlers.lights import light_cards, light_rounds
from handlers.lights.heatmap import HeatMap, LeadHeat, Signal
from handlers.lights.light_cards import Watch
from storage.light_pushes import HeatRow
from storage.unit_of_work import UnitOfWork

WEEKS = 6
WORKDAYS = 20
MOST_LEADS = 15

_KINDS = {
    Intent.LOG_CALL: Signal.CALL,
    Intent.LOG_VISIT: Signal.VISIT,
    Intent.BOOK_VISIT: Signal.VISIT,
    Intent.LOG_PROPOSAL: Signal.PROPOSAL,
    Intent.LOG_QUOTE: Signal.QUOTE,
}


async def maps_due(
    tx: UnitOfWork, watch: Watch, at: datetime
) -> dict[int, tuple[tuple[int, ...], HeatMap]]:
    """receiver -> (the red leads, their map), for each leader the next round will write to."""
    current = await light_rounds.look(tx, watch, at)
    maps: dict[int, tuple[tuple[int, ...], HeatMap]] = {}
    for notification in current.decision.notifications:
        if red := current.red_ids(notification):
            maps[notification.receiver_id] = red, await heat_map(tx, watch, red, at)
    return maps


async def heat_map(
    tx: UnitOfWork, watch: Watch, opportunity_ids: Sequence[int], at: datetime
) -> HeatMap:
    """The actions with these leads: by kind and day for one, by lead and day for several."""
    wanted = list(opportunity_ids)[:MOST_LEADS]
    order = {number: rank for rank, number in enumerate(wanted)}
    leads = await tx.lights.list_leads(wanted, lock=False)
    leads.sort(key=lambda lead: order[lead.opportunity.id])
    days = _days(watch, at, several=len(leads) > 1)
    midnight = watch.calendar.midnight
    spans = [(midnight(day), midnight(day + timedelta(days=1))) for day in days]
    rows = await tx.lights.pushes.heat(wanted, spans)
    owners = {lead.opportunity.owner_id for lead in leads}
    names = {owner_id: (await tx.people.get(owner_id)).name for owner_id in owners}
    return HeatMap(
        days=tuple(days),
        off=frozenset(day for day in days if not watch.calendar.is_workday(day)),
        today=watch.calendar.day_of(at),
        leads=tuple(
            _lead_heat(watch, lead, rows, days, owner=names[lead.opportunity.owner_id], at=at)
            for lead in leads
        ),
        more=len(opportunity_ids) - len(wanted),
    )


def _days(watch: Watch, at: datetime, *, several: bool) -> list[date]:
    """Whole weeks up to this one for one lead; for several the last working days only."""
    today = watch.calendar.day_of(at)
    if several:
        days = [today]
        while len(days) < WORKDAYS:
            day = days[0] - timedelta(days=1)
            while not watch.calendar.is_workday(day):
                day -= timedelta(days=1)
            days.insert(0, day)
        return days
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    return [monday + timedelta(days=index) for index in range(7 * WEEKS)]


def _lead_heat(
    watch: Watch,
    lead: Lead,
    rows: Sequence[HeatRow],
    days: Sequence[date],
    *,
    owner: str,
    at: datetime,
) -> LeadHeat:
    standing = light_cards.standing_of(watch, lead, at)
    counts: Counter[tuple[Signal, date]] = Counter()
    for row in rows:
        if row.opportunity_id == lead.opportunity.id:
            counts[_kind(watch.libraries.organisation, row), days[row.day]] += row.count
    return LeadHeat(
        name=lead.opportunity.account_name,
        owner=owner,
        light=standing.light,
        gap_days=standing.gap_days,
        counts=dict(counts),
    )


def _kind(library: ActionLibrary, row: HeatRow) -> Signal:
    if not row.by_us:
        return Signal.CUSTOMER
    return kind_of_unit(library, row.unit)


def kind_of_unit(library: ActionLibrary, key: str) -> Signal:
    """By the key of an action unit; entries that are none count as 沟通."""
    unit = library.unit(key)
    return _KINDS.get(unit.intent, Signal.MESSAGE) if unit else Signal.MESSAGE
