"""Cards about lights: the lines of leads, and the card that carries them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.calendar import WorkingCalendar
from bot.domain.lights import Lead, LeadStanding, judge_light
from bot.domain.notifying import Reason
from bot.domain.opportunities import Light
from bot.domain.people import Person
from bot.domain.policy import Policy
from bot.messages import Address, Button, Card, Field, Option
from handlers.libraries.libraries import LibraryShelf
from handlers.policy.policies import PolicyBook
from handlers.texts import alerts as texts
from storage.light_pushes import LastAction
from storage.unit_of_work import UnitOfWork

ACK = "ack"
DETAIL = "detail"
SNOOZE = "snooze-"
REASON = "reason"


@dataclass(frozen=True, slots=True)
class Watch:
    """What every function about lights needs. address_of: where to write to a person, None if we
    share no platform."""

    policies: PolicyBook
    libraries: LibraryShelf
    calendar: WorkingCalendar
    address_of: Callable[[Person], Address | None]

    @property
    def policy(self) -> Policy:
        """The organisation's numbers as they are now."""
        return self.policies.organisation


@dataclass(frozen=True, slots=True)
class LeadView:
    """A lead as a card shows it. line: names the owner too, unless that is who reads."""

    lead: Lead
    gap_days: int
    line: str

    @property
    def light(self) -> Light:
        return self.lead.episode.light if self.lead.episode else Light.GREEN


async def view_leads(
    tx: UnitOfWork, watch: Watch, leads: Sequence[Lead], *, reader_id: int, at: datetime
) -> list[LeadView]:
    """The leads as one reader sees them, in the same order."""
    last = await tx.lights.pushes.last_actions(lead.opportunity.id for lead in leads)
    names: dict[int, str] = {reader_id: ""}
    for lead in leads:
        owner_id = lead.opportunity.owner_id
        if owner_id not in names:
            names[owner_id] = (await tx.people.get(owner_id)).name
    return [
        _view(
            watch,
            lead,
            last=last.get(lead.opportunity.id),
            owner=names[lead.opportunity.owner_id],
            at=at,
        )
        for lead in leads
    ]


def standing_of(watch: Watch, lead: Lead, at: datetime) -> LeadStanding:
    """How the lead stands now, whatever was written down last."""
    return judge_light(
        lead.opportunity,
        policy=watch.policies.of(lead.opportunity.owner_id).lights,
        calendar=watch.calendar,
        at=at,
        stage=watch.libraries.stage(lead.opportunity),
        owner_leave_until=lead.owner_leave_until,
    )


def push_card(
    watch: Watch,
    card_id: str,
    views: Sequence[LeadView],
    *,
    reason: Reason,
    at: datetime,
) -> Card:
    """views: most urgent first."""
    reds, yellows = _count(views)
    lines = _listed(watch, views)
    lines += _warnings(watch.calendar, at)
    owner_id = views[0].lead.opportunity.owner_id
    lines.append(texts.why(reason, watch.policies.of(owner_id).lights, watch.policy.pushes))
    lines.append(texts.how_to_stop(watch.policy.pushes))
    return _card(watch, card_id, texts.push_title(reason, reds=reds, yellows=yellows), lines)


def _view(
    watch: Watch, lead: Lead, *, last: LastAction | None, owner: str, at: datetime
) -> LeadView:
    deal = lead.opportunity
    stage = watch.libraries.stage(deal)
    standing = standing_of(watch, lead, at)
    marks = [texts.stuck(stage.label)] if stage and standing.stuck else []
    today = watch.calendar.day_of(at)
    if deal.assigned_at > deal.created_at:
        marks.append(texts.lead_age((today - watch.calendar.day_of(deal.created_at)).days))
    line = texts.lead_line(
        name=deal.account_name,
        light=lead.episode.light if lead.episode else Light.GREEN,
        gap_days=standing.gap_days,
        last=_last_words(watch, lead, last),
        owner=owner,
        marks=marks,
    )
    return LeadView(lead, standing.gap_days, line)


def _card(watch: Watch, card_id: str, title: str, lines: Sequence[str]) -> Card:
    policy = watch.policy.pushes
    days = sorted({1, policy.snooze_max_workdays})
    options = tuple(Option(text, text) for text in policy.snooze_reasons)
    return Card(
        card_id=card_id,
        title=title,
        lines=tuple(lines),
        fields=(Field(REASON, texts.SNOOZE_REASON, options=options),) if options else (),
        buttons=(
            Button(ACK, texts.ACKNOWLEDGE, style="primary"),
            *(Button(f"{SNOOZE}{count}", texts.snooze_button(count)) for count in days),
            Button(DETAIL, texts.DETAIL),
        ),
    )


def _listed(watch: Watch, views: Sequence[LeadView]) -> list[str]:
    shown = views[: watch.policy.pushes.group_max]
    more = len(views) - len(shown)
    return [*(view.line for view in shown), *([texts.more(more)] if more else [])]


def _last_words(watch: Watch, lead: Lead, last: LastAction | None) -> str:
    deal = lead.opportunity
    if last is None or last.occurred_at < deal.assigned_at:
        return texts.no_action_yet(watch.calendar.day_of(deal.assigned_at))
    unit = watch.libraries.organisation.unit(last.unit)
    label = unit.label if unit else last.title
    return texts.last_action(watch.calendar.day_of(last.occurred_at), label)


def _count(views: Sequence[LeadView]) -> tuple[int, int]:
    reds = sum(view.light is Light.RED for view in views)
    return reds, len(views) - reds


def _warnings(calendar: WorkingCalendar, at: datetime) -> list[str]:
    today = calendar.day_of(at)
    return [] if calendar.covers(today) else [texts.uncovered(today.year)]
