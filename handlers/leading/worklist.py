"""What somebody has to do today: what records still owe, promised calls, lights, drafts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain import drafting, losses
from bot.domain.activities import Draft, Intent
from bot.domain.deadlines import Awaited, Deadline, DeadlineState, words_at
from bot.domain.lights import Lead
from bot.domain.opportunities import Light, Opportunity
from bot.domain.people import Person
from handlers.deadlines import owing
from handlers.lights.light_cards import Watch
from handlers.signals.heating import heat_of
from handlers.texts import queries as texts
from handlers.texts import signals as signal_texts
from storage.signals import FoundSignal
from storage.unit_of_work import UnitOfWork

_DAY = timedelta(days=1)


class Kind(StrEnum):
    """Why something stands on the list of the day."""

    OWED = "owed"
    WAITING = "waiting"  # only the supervisor's word is missing
    OVERDUE = "overdue"
    RED = "red"
    SIGNAL = "signal"  # the customer did something that wants a call
    TODAY = "today"
    YELLOW = "yellow"
    STUCK = "stuck"
    DRAFT = "draft"


TO_WORK = (Kind.OWED, Kind.OVERDUE, Kind.RED, Kind.SIGNAL, Kind.TODAY, Kind.YELLOW, Kind.DRAFT)
"""What can be worked down by the rep alone, in the order in which it should be."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. number: of the deadline, the opportunity, the signal or the draft.
    quiet: a light that was acknowledged or put off, and is no more spoken of. words_at: when a
    message of its own tells of it, before the quiet hours are counted in. promised_on: when the
    customer was to be contacted, where that is today or over."""

    kind: Kind
    number: int
    account_id: int | None
    account_name: str
    line: str
    quiet: bool = False
    words_at: tuple[datetime, ...] = ()
    promised_on: date | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.number}"


async def of_people(
    tx: UnitOfWork, watch: Watch, people: Sequence[Person], at: datetime
) -> dict[int, list[Item]]:
    """person id -> what they have to do, in the order of TO_WORK, hot customers first,
    then the longest silent. Who is on leave has their deputy do it. People without anything to do
    are left out."""
    does = {one.id: _doer(one, at) for one in people}
    found: dict[int, list[Item]] = defaultdict(list)
    for owed in await tx.deadlines.waiting_of(does):
        if owed.shows(at):
            found[does[owed.person_id]].append(_owed(watch, owed))
    for draft in await tx.drafts.open_of_people(does):
        found[draft.person_id].append(await _draft(tx, watch, draft))
    tomorrow = watch.calendar.midnight(watch.calendar.day_of(at) + _DAY)
    deals = await tx.opportunities.to_work(does, promised_before=tomorrow)
    lit = [deal.id for deal in deals if deal.light is not Light.GREEN]
    found_leads = await tx.lights.list_leads(lit, lock=False)
    leads = {lead.opportunity.id: lead for lead in found_leads}
    for deal in sorted(deals, key=_silent_since):
        doer = does[deal.owner_id]
        covered = doer != deal.owner_id
        found[doer].append(_deal(watch, deal, leads, covered=covered, at=at))
    for signal, owner_id, name in await tx.signals.open_tasks(does):
        found[does[owner_id]].append(_signal(watch, signal, name))
    hot = await _hot(tx, watch, found, at)
    order = list(Kind)
    return {
        who: sorted(items, key=lambda one: (order.index(one.kind), -hot.get(one.account_id, 0.0)))
        for who, items in found.items()
    }


async def of_person(tx: UnitOfWork, watch: Watch, person: Person, at: datetime) -> list[Item]:
    """The same for one, with what they do for others."""
    absent = [
        one
        for one in await tx.people.list_active()
        if one.on_leave(at) and one.deputy_id == person.id
    ]
    return (await of_people(tx, watch, [person, *absent], at)).get(person.id, [])


def lines(items: Iterable[Item], *kinds: Kind) -> list[str]:
    return [item.line for item in items if item.kind in kinds]


def gap_days(watch: Watch, deal: Opportunity, at: datetime) -> int:
    """Working days without a valid action."""
    calendar = watch.calendar
    since = calendar.day_of(_silent_since(deal))
    return calendar.workdays_between(since, calendar.day_of(at))


def _doer(person: Person, at: datetime) -> int:
    return person.deputy_id if person.on_leave(at) and person.deputy_id else person.id


def _silent_since(deal: Opportunity) -> datetime:
    return deal.last_valid_at or deal.assigned_at


async def _hot(
    tx: UnitOfWork, watch: Watch, found: Mapping[int, Sequence[Item]], at: datetime
) -> dict[int | None, float]:
    """The heat of customers that are hot: they are called first among those that are as late."""
    numbers = [
        one.account_id for items in found.values() for one in items if one.account_id is not None
    ]
    heat = await heat_of(tx, watch.policy, numbers, at)
    limit = watch.policy.signals.hot
    return {number: one.total for number, one in heat.items() if one.total >= limit}


def _signal(watch: Watch, found: FoundSignal, name: str) -> Item:
    rule = watch.policy.signals.rule(found.signal.rule)
    at = watch.calendar.local(found.signal.at)
    line = signal_texts.task_line(name, rule.label if rule else found.signal.rule, at)
    return Item(Kind.SIGNAL, found.id, found.account_id, name, line)


def _owed(watch: Watch, owed: Deadline) -> Item:
    waits = owed.awaited is Awaited.LATE and owed.state is DeadlineState.LOCKED
    line = owing.line_of(owed, watch.policies, watch.calendar)
    kind = Kind.WAITING if waits else Kind.OWED
    policy = watch.policies.of(owed.person_id).actions
    words = words_at(owed, policy, watch.calendar)
    return Item(kind, owed.id, owed.account_id, owed.account_name, line, words_at=words)


async def _draft(tx: UnitOfWork, watch: Watch, draft: Draft) -> Item:
    unit = watch.libraries.of(draft.library).unit(draft.unit)
    title = unit.label if unit else drafting.NOTES.get(Intent(draft.unit), texts.TALK)
    files = [await tx.files.get(sha256) for sha256 in draft.file_hashes]
    media_types = [file.media_type for file in files if file is not None]
    missing = len(drafting.missing_slots(unit, draft.slots, media_types))
    missing += drafting.lacks_hour(unit, draft.slots)
    missing += draft.unit == Intent.LOG_LOSS and losses.REASON not in draft.slots
    name = (await tx.accounts.get(draft.account_id)).name if draft.account_id else ""
    line = texts.open_draft(title, name, missing)
    return Item(Kind.DRAFT, draft.id, draft.account_id, name, line)


def _deal(
    watch: Watch, deal: Opportunity, leads: Mapping[int, Lead], *, covered: bool, at: datetime
) -> Item:
    today = watch.calendar.day_of(at)
    promised = watch.calendar.local(deal.next_contact_at) if deal.next_contact_at else None
    due = promised is not None and promised.date() <= today
    line = texts.light_line(
        deal,
        gap_days(watch, deal, at),
        owner=texts.COVERED if covered else "",
        promised=promised if due else None,
        today=today,
    )
    kind = _kind(deal, days_late=(today - promised.date()).days if promised else None)
    quiet = kind in (Kind.RED, Kind.YELLOW) and _is_quiet(leads.get(deal.id), at)
    return Item(
        kind, deal.id, deal.account_id, deal.account_name, line, quiet=quiet,
        promised_on=promised.date() if promised is not None and due else None,
    )  # fmt: skip


def _kind(deal: Opportunity, *, days_late: int | None) -> Kind:
    """The first that applies."""
    if days_late is not None and days_late > 0:
        return Kind.OVERDUE
    if deal.light is Light.RED:
        return Kind.RED
    if days_late == 0:
        return Kind.TODAY
    return Kind.YELLOW if deal.light is Light.YELLOW else Kind.STUCK


def _is_quiet(lead: Lead | None, at: datetime) -> bool:
    episode = lead.episode if lead else None
    return episode is not None and (episode.acked_at is not None or episode.snoozed(at))
