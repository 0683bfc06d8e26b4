"""The digest of a supervisor: the red leads and the locked records of their people, on one card
each working day. It takes the place of the reminders that would follow it the same day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.deadlines import Deadline
from bot.domain.lights import Lead
from bot.domain.notifying import DigestLead, Reason, Step, digest_for, repeat_moment
from bot.domain.opportunities import Light, Opportunity
from bot.domain.people import Person
from bot.messages import Button, Card, Field, Option, OutboundMessage
from handlers.deadlines import owing
from handlers.lights import light_cards, light_rounds
from handlers.lights.light_cards import LeadView, Watch
from handlers.people.leaders import leaders_of_all
from handlers.texts import alerts as alert_texts
from handlers.texts import team_digest as texts
from handlers.texts.dialog import short_name
from storage.unit_of_work import UnitOfWork

ACK, LATER, ASSIGN, COMMENT, DETAIL = "ack", "later", "assign", "comment", "detail"
LEAD = "lead"
ALL = "all"
UNCHOSEN = "-"  # a drop-down that was left alone
PREFIX = "team-"
OFFERED = 9  # a drop-down of WeCom holds ten
MOST_LOCKED = 5
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Team:
    """What one supervisor is told of. leads: with a red light. locked: newest first."""

    leads: list[DigestLead] = field(default_factory=list)
    locked: list[Deadline] = field(default_factory=list)
    stuck: list[Opportunity] = field(default_factory=list)


async def send(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """One card for each supervisor whose people have red leads that were told of before today
    and that nobody acknowledged or put off, or records locked since the last digest."""
    today = watch.calendar.day_of(at)
    leads = await tx.lights.list_told(watch.calendar.midnight(today))
    await tx.lights.plan_steps(_reminded(watch, leads, at))
    teams = await _teams(tx, watch, leads, at)
    messages = []
    for leader_id, team in teams.items():
        address = watch.address_of(await tx.people.get(leader_id))
        card = await build(tx, watch, leader_id, team, at)
        if address is None or card is None:
            continue
        await tx.cards.show(card, address.key, subject=card.card_id, at=at)
        evening = watch.calendar.moment(today, watch.policy.pushes.quiet_from)
        messages.append(OutboundMessage(card.card_id, address, card, expires_at=evening))
    return messages


async def team_of(tx: UnitOfWork, watch: Watch, leader: Person, at: datetime) -> Team:
    """What that supervisor's digest tells now."""
    midnight = watch.calendar.midnight(watch.calendar.day_of(at))
    teams = await _teams(tx, watch, await tx.lights.list_told(midnight), at)
    return teams.get(leader.id, Team())


async def build(
    tx: UnitOfWork, watch: Watch, leader_id: int, team: Team, at: datetime
) -> Card | None:
    """None: nothing that wants a word."""
    loud = loud_ids(team, at)
    if not loud and not team.locked:
        return None
    found = await tx.lights.list_leads(loud, lock=False)
    leads = {lead.opportunity.id: lead for lead in found}
    shown = [leads[number] for number in loud if number in leads]
    views = await light_cards.view_leads(tx, watch, shown, reader_id=leader_id, at=at)
    lines = await _lines(tx, watch, team, views)
    today = watch.calendar.day_of(at)
    lines += [texts.quiet(len(team.leads) - len(loud))] if len(team.leads) > len(loud) else []
    lines += [alert_texts.uncovered(today.year)] if not watch.calendar.covers(today) else []
    return Card(
        card_id=f"{PREFIX}{leader_id}-{today:%Y%m%d}",
        title=texts.title(today, reds=len(views), locked=len(team.locked)),
        lines=tuple(lines),
        fields=_choice(views),
        buttons=_BUTTONS if views else (),
    )


def loud_ids(team: Team, at: datetime) -> list[int]:
    """The red leads still spoken of, most urgent first."""
    found = digest_for(team.leads, at)
    return [] if isinstance(found, Reason) else [lead.opportunity_id for lead in found.leads]


async def _teams(
    tx: UnitOfWork, watch: Watch, leads: Sequence[Lead], at: datetime
) -> dict[int, Team]:
    """leader id -> what stands still among their people."""
    teams: dict[int, Team] = defaultdict(Team)
    red = [lead for lead in leads if lead.episode and lead.episode.light is Light.RED]
    locked = await tx.deadlines.locked_since(_last_digest(watch, at))
    stuck = await tx.opportunities.stuck()
    above = await leaders_of_all(
        tx,
        {
            *(lead.opportunity.owner_id for lead in red),
            *(owed.person_id for owed in locked),
            *(deal.owner_id for deal in stuck),
        },
        at,
    )
    for lead in red:
        assert lead.episode is not None
        gap_days = light_cards.standing_of(watch, lead, at).gap_days
        for leader in above[lead.opportunity.owner_id]:
            told = DigestLead(leader.id, lead.opportunity.id, lead.episode, gap_days)
            teams[leader.id].leads.append(told)
    for owed in locked:
        for leader in above[owed.person_id]:
            teams[leader.id].locked.append(owed)
    for deal in stuck:
        for leader in above[deal.owner_id]:
            teams[leader.id].stuck.append(deal)
    return teams


async def _lines(tx: UnitOfWork, watch: Watch, team: Team, views: Sequence[LeadView]) -> list[str]:
    shown = views[: watch.policy.pushes.group_max]
    lines = [view.line for view in shown]
    lines += [alert_texts.more(len(views) - len(shown))] if len(views) > len(shown) else []
    for owed in team.locked[:MOST_LOCKED]:
        rep = await tx.people.get(owed.person_id)
        lines.append(owing.line_of(owed, watch.policies, watch.calendar, rep=rep.name))
    lines += [texts.HOW_TO_UNLOCK] if team.locked else []
    names = [deal.account_name for deal in team.stuck]
    lines += [texts.stuck(names)] if names else []
    return lines


def _last_digest(watch: Watch, at: datetime) -> datetime:
    """When the digest before this one went out."""
    day = watch.calendar.day_of(at) - _DAY
    while not watch.calendar.is_workday(day):
        day -= _DAY
    return watch.calendar.moment(day, watch.policy.pushes.digest_at)


def _reminded(
    watch: Watch, leads: Sequence[Lead], at: datetime
) -> list[tuple[Lead, Step | None, datetime | None]]:
    """Where a reminder is to fall due before a word may be repeated, the digest takes its place:
    the reminder of any red that it tells of, then."""
    policy = watch.policy.pushes
    soon = repeat_moment(at, policy=policy, calendar=watch.calendar)
    return [
        light_rounds.step_after(watch, lead, Step.REPEAT, at)
        for lead in leads
        if lead.episode is not None
        and lead.episode.next_step == Step.REPEAT
        and lead.episode.next_push_at is not None
        and lead.episode.next_push_at <= soon
        and not lead.episode.snoozed(at)
    ]


def _choice(views: Sequence[LeadView]) -> tuple[Field, ...]:
    if len(views) < 2:
        return ()
    options = [Option(ALL, texts.ALL)] + [
        Option(str(view.lead.opportunity.id), short_name(view.lead.opportunity.account_name))
        for view in views[: OFFERED - 1]
    ]
    return (Field(LEAD, texts.WHICH, options=tuple(options), value=ALL),)


_BUTTONS = (
    Button(ACK, alert_texts.ACKNOWLEDGE, style="primary"),
    Button(LATER, texts.LATER),
    Button(ASSIGN, texts.ASSIGN),
    Button(COMMENT, texts.COMMENT),
    Button(DETAIL, alert_texts.DETAIL),
)
