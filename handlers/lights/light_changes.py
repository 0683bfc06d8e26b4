"""What makes a light rise, redden or end, and who is owed a push for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.lights import Cleared, Judgement, Lead, Move, judge_lead
from bot.domain.notifying import Step, first_allowed, send_moment
from bot.domain.opportunities import Light, Opportunity
from bot.domain.people import Person
from bot.messages import OutboundMessage, Text
from handlers.lights.light_cards import Watch
from handlers.people.leaders import leaders_of_all
from handlers.texts import alerts as texts
from storage.light_pushes import NewPush
from storage.unit_of_work import UnitOfWork

BATCH = 1000
"""Leads judged between two reads of a sweep."""

RED_STEPS = (Step.RED, Step.REPEAT, Step.ESCALATE)


async def sweep(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """Judge every lead whose light or mark may have changed by `at`."""
    messages: list[OutboundMessage] = []
    while leads := await tx.lights.list_due(at, limit=BATCH):
        messages += await apply(tx, watch, [_judge(watch, lead, at) for lead in leads])
    return messages


async def rejudge(
    tx: UnitOfWork,
    watch: Watch,
    opportunity_ids: Iterable[int],
    at: datetime,
    *,
    reason: Cleared | None = None,
) -> list[OutboundMessage]:
    """Judge these leads now. reason: why a light ends, if one does; else read off the lead."""
    leads = await tx.lights.list_leads(opportunity_ids)
    judgements = [_judge(watch, lead, at, reason) for lead in leads]
    return await apply(tx, watch, judgements)


async def after_valid_action(
    tx: UnitOfWork, watch: Watch, deal: Opportunity, acted_at: datetime, at: datetime
) -> list[OutboundMessage]:
    """A valid action ends the light at once. One recorded late counts from when it was, and
    lights that rose after it are marked 补录. deal: locked, and saved here with its light."""
    owner = await tx.people.get(deal.owner_id)
    lead = await tx.lights.lead_of(deal, owner_leave_until=owner.on_leave_until)
    late = lead.episode is not None and acted_at < lead.episode.yellow_at
    reason = Cleared.BACKFILLED if late else Cleared.VALID_ACTION
    judgement = _judge(watch, _acted_on(lead, acted_at), at, reason)
    messages = await apply(tx, watch, [judgement], whole=True)
    if deal.episode:
        await tx.lights.mark_backfilled(deal.id, acted_at)
    return messages


async def after_retraction(
    tx: UnitOfWork, watch: Watch, opportunity_id: int, at: datetime
) -> list[OutboundMessage]:
    """What was taken back counts no more: the light may come on again."""
    await tx.lights.recount_valid_actions(opportunity_id)
    return await rejudge(tx, watch, [opportunity_id], at)


async def apply(
    tx: UnitOfWork, watch: Watch, judgements: Sequence[Judgement], *, whole: bool = False
) -> list[OutboundMessage]:
    """Save what was judged; owe the pushes of what rose, and tell of red ones that ended. whole:
    see `Lights.save`."""
    ended = [judgement for judgement in judgements if judgement.ends]
    messages = await _cleared_notes(tx, watch, ended)
    await tx.lights.save(judgements, whole=whole)
    await tx.lights.pushes.owe(await _owed(tx, watch, judgements))
    return messages


def subject_of(opportunity_id: int, episode: int) -> str:
    """What a queued message about one light is called, so that it can be dropped."""
    return f"light:{opportunity_id}:{episode}"


def new_push(
    watch: Watch, key: tuple[int, int], step: Step, receiver_id: int, at: datetime
) -> NewPush:
    """A push owed from `at` on. key: opportunity and episode."""
    policy = watch.policy.pushes
    send_at = send_moment(at, policy=policy, calendar=watch.calendar)
    return NewPush(*key, step, receiver_id, owed_at=at, send_at=send_at)


def _acted_on(lead: Lead, acted_at: datetime) -> Lead:
    """An older action than the last one changes nothing."""
    last = lead.opportunity.last_valid_at
    if last is not None and last >= acted_at:
        return lead
    return replace(lead, opportunity=replace(lead.opportunity, last_valid_at=acted_at))


def _judge(watch: Watch, lead: Lead, at: datetime, reason: Cleared | None = None) -> Judgement:
    return judge_lead(
        lead,
        policy=watch.policies.of(lead.opportunity.owner_id).lights,
        calendar=watch.calendar,
        at=at,
        stage=watch.libraries.stage(lead.opportunity),
        reason=reason,
    )


async def _owed(tx: UnitOfWork, watch: Watch, judgements: Sequence[Judgement]) -> list[NewPush]:
    """Yellow goes to the rep only; red to rep and supervisor."""
    worse = [one for one in judgements if one.rises or one.move is Move.REDDEN]
    reds = [one for one in worse if one.standing.light is Light.RED]
    leaders: dict[int, list[Person]] = {}
    if reds:
        owners = {one.lead.opportunity.owner_id for one in reds}
        leaders = await leaders_of_all(tx, owners, reds[0].at)
    owed: list[NewPush] = []
    for judgement in worse:
        deal = judgement.lead.opportunity
        receivers = [deal.owner_id]
        step = Step.YELLOW
        if judgement.standing.light is Light.RED:
            step = Step.RED
            receivers += [leader.id for leader in leaders[deal.owner_id]]
        key = (deal.id, judgement.number)
        owed += [
            new_push(watch, key, step, receiver, judgement.at)
            for receiver in dict.fromkeys(receivers)
        ]
    return owed


async def _cleared_notes(
    tx: UnitOfWork, watch: Watch, ended: Sequence[Judgement]
) -> list[OutboundMessage]:
    """One note to each person who was really told of the red."""
    reds = {
        (item.lead.opportunity.id, item.lead.episode.number): item
        for item in ended
        if item.lead.episode is not None and item.lead.episode.red_at is not None
    }
    told = await tx.lights.pushes.receivers(reds, steps=RED_STEPS)
    if reds:
        await tx.delivery.drop_subjects((subject_of(*key) for key in reds), at=ended[0].at)
    notes: list[OutboundMessage] = []
    for key, judgement in reds.items():
        for receiver_id in sorted(told.get(key, ())):
            note = await _cleared_note(tx, watch, judgement, key, receiver_id)
            notes += [note] if note else []
    return notes


async def _cleared_note(
    tx: UnitOfWork, watch: Watch, judgement: Judgement, key: tuple[int, int], receiver_id: int
) -> OutboundMessage | None:
    deal = judgement.lead.opportunity
    receiver = await tx.people.get(receiver_id)
    address = watch.address_of(receiver)
    if address is None:
        return None
    owner = "" if receiver_id == deal.owner_id else (await tx.people.get(deal.owner_id)).name
    policy = watch.policy.pushes
    allowed = first_allowed(judgement.at, policy=policy, calendar=watch.calendar)
    return OutboundMessage(
        dedupe_key=f"cleared:{key[0]}:{key[1]}:{receiver_id}",
        to=address,
        content=Text(texts.cleared(deal.account_name, judgement.reason, owner)),
        not_before=allowed if allowed > judgement.at else None,
    )
