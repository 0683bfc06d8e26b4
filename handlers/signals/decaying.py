"""L2 fades to L2.5 while we are silent, with one warning, and comes back with a valid touch
(docs/signals.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.decay import Decay, decay
from bot.domain.levels import Cause, Level, LevelChange
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.errors import Refused
from bot.messages import OutboundMessage, Text
from bot.router import Job
from handlers.desk import Office
from handlers.levels import changing
from handlers.texts import signals as texts
from storage.unit_of_work import UnitOfWork


def job(office: Office) -> Job[UnitOfWork]:
    """Each minute: how many L2 there are is a matter of tens, and they are found by their level."""

    async def run(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await sweep(tx, office, at)

    async def next_due(tx: UnitOfWork) -> datetime | None:
        return await next_at(tx, office)

    return Job("fade intents", {"minute": "*"}, run, next_due=next_due)


async def sweep(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    messages: list[OutboundMessage] = []
    for change in await tx.levels.at_level(Level.L2):
        messages += await _fade(tx, office, change, at)
    for change in await tx.levels.at_level(Level.L2_5):
        messages += await _restore(tx, office, change, at)
    return messages


async def next_at(tx: UnitOfWork, office: Office) -> datetime | None:
    """The next L2 to fade, or an L2.5 that was touched since."""
    moments = []
    for change in await tx.levels.at_level(Level.L2):
        deal = await tx.opportunities.get(change.opportunity_id)
        if deal.state is OpportunityState.OPEN:
            moments.append(left_of(office, deal, change, change.at).fades_at)
    for change in await tx.levels.at_level(Level.L2_5):
        deal = await tx.opportunities.get(change.opportunity_id)
        if deal.last_valid_at is not None and deal.last_valid_at > change.at:
            moments.append(deal.last_valid_at)
    return min(moments, default=None)


def left_of(office: Office, deal: Opportunity, change: LevelChange, at: datetime) -> Decay:
    """change: the one by which the deal stands at its level. A level that was just proven is as
    fresh as a touch."""
    since = deal.last_valid_at or deal.assigned_at
    if change.cause is not Cause.DECAYED:
        since = max(since, change.at)
    return decay(since, max(at, since), office.policy.decay, office.calendar)


async def _fade(
    tx: UnitOfWork, office: Office, change: LevelChange, at: datetime
) -> list[OutboundMessage]:
    deal = await tx.opportunities.get(change.opportunity_id)
    if deal.state is not OpportunityState.OPEN or not left_of(office, deal, change, at).faded:
        return []
    deal = await tx.opportunities.get_for_update(deal.id)
    left = left_of(office, deal, change, at)
    if not left.faded:
        return []
    policy = office.policy.decay
    changed = await changing.set_level(
        tx, office, deal, Level.L2_5, cause=Cause.DECAYED, at=at,
        reason=texts.faded_reason(policy.half_life_h),
    )  # fmt: skip
    owner = await tx.people.get(deal.owner_id)
    to = office.address_of(owner)
    if to is None:
        return changed.messages
    words = texts.faded(
        deal.name,
        hours=policy.half_life_h,
        clock=policy.clock,
        since=left.since.astimezone(office.zone),
        left=left.factor,
    )
    morning = office.first_allowed(at)
    key = f"faded:{changed.change.id}:{owner.id}"
    return [*changed.messages, OutboundMessage(key, to, Text(words), not_before=morning)]


async def _restore(
    tx: UnitOfWork, office: Office, change: LevelChange, at: datetime
) -> list[OutboundMessage]:
    deal = await tx.opportunities.get_for_update(change.opportunity_id)
    touched_at = deal.last_valid_at
    if touched_at is None or left_of(office, deal, change, at).faded:
        return []
    reason = texts.restored_reason(touched_at.astimezone(office.zone))
    try:
        changed = await changing.set_level(
            tx, office, deal, Level.L2, cause=Cause.RESTORED, at=at, reason=reason
        )
    except Refused:  # its evidence holds no more: what then stands is decided where it ends
        return []
    return changed.messages
