"""The rounds that tell people about lights: push what is owed, remind, escalate."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.lights import Lead
from bot.domain.notifying import (
    Decision,
    Notification,
    Owed,
    Reason,
    Step,
    decide,
    escalate_moment,
    first_allowed,
    repeat_moment,
)
from bot.domain.opportunities import Light
from bot.messages import (
    Address,
    Card,
    FileContent,
    OutboundMessage,
    StoredFile,
    content_to_json,
)
from handlers.lights import light_cards
from handlers.lights.light_cards import Watch
from handlers.lights.light_changes import new_push, subject_of
from handlers.people.leaders import administrators, leaders_of_all, next_leaders_of_all
from storage.light_pushes import OwedPush
from storage.unit_of_work import UnitOfWork

BATCH = 1000
PICTURE_LIFE = timedelta(minutes=5)  # a map that does not arrive must not hold up what follows

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A heat map drawn beforehand. opportunity_ids: whom it shows."""

    opportunity_ids: tuple[int, ...]
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Round:
    """What is owed and due at a moment, and the decision about it."""

    decision: Decision
    owed: Mapping[int, OwedPush]
    leads: Mapping[int, Lead]

    def leads_of(self, notification: Notification) -> list[Lead]:
        """Most urgent first, each once: one may be owed in two steps."""
        ids = dict.fromkeys(push.opportunity_id for push in notification.pushes)
        return [self.leads[opportunity_id] for opportunity_id in ids]

    def red_ids(self, notification: Notification) -> tuple[int, ...]:
        """The red leads on it that are not the receiver's own: what a leader gets a picture of."""
        return tuple(
            lead.opportunity.id
            for lead in self.leads_of(notification)
            if lead.episode is not None
            and lead.episode.light is Light.RED
            and lead.opportunity.owner_id != notification.receiver_id
        )


async def look(tx: UnitOfWork, watch: Watch, at: datetime) -> Round:
    """Read what is due, and what is almost due and may travel along, and decide; changes
    nothing."""
    owed = await tx.lights.pushes.list_owed(at + watch.policy.pushes.group_wait)
    leads = await tx.lights.list_leads(push.opportunity_id for push in owed)
    by_id = {lead.opportunity.id: lead for lead in leads}
    facts = [_facts(watch, push, by_id[push.opportunity_id], at) for push in owed]
    decision = decide(facts, policy=watch.policy.pushes, calendar=watch.calendar, at=at)
    return Round(decision, {push.id: push for push in owed}, by_id)


async def push(
    tx: UnitOfWork, watch: Watch, at: datetime, pictures: Mapping[int, Picture]
) -> list[OutboundMessage]:
    """Send what is due, one card per receiver. pictures: receiver -> drawn beforehand."""
    current = await look(tx, watch, at)
    await _keep_silent(tx, current.decision)
    messages: list[OutboundMessage] = []
    for notification in current.decision.notifications:
        address = watch.address_of(await tx.people.get(notification.receiver_id))
        if address is None:
            await _hand_to_administrators(tx, watch, current, notification, at)
            continue
        card = await _card(tx, watch, current, notification, at)
        await _remember(tx, card, address, current.leads_of(notification), at)
        ids = [push.push_id for push in notification.pushes]
        await tx.lights.pushes.mark_pushed(ids, card_id=card.card_id, at=at)
        await _await_acknowledgement(tx, watch, current, notification, at)
        messages.append(_message(card, address, current.leads_of(notification)))
        picture = pictures.get(notification.receiver_id)
        repeats = notification.reason is Reason.REPEAT_DUE  # the same map stands above already
        if picture and not repeats and picture.opportunity_ids == current.red_ids(notification):
            await tx.files.record(picture.file, at)
            content = FileContent("image", picture.file.sha256, picture.file.name)
            key = f"{card.card_id}:picture"
            messages.append(OutboundMessage(key, address, content, expires_at=at + PICTURE_LIFE))
        log.info(
            "lights pushed",
            extra={"action": "push_lights", "reason": notification.reason, "leads": len(ids)},
        )
    return messages


async def remind(tx: UnitOfWork, watch: Watch, at: datetime) -> None:
    """Nobody acknowledged: owe the supervisor a second push, then their leader the last one."""
    while leads := await tx.lights.list_steps_due(at, limit=BATCH):
        owed, planned = [], []
        owners = {lead.opportunity.owner_id for lead in leads}
        leaders = await leaders_of_all(tx, owners, at)
        above = await next_leaders_of_all(tx, owners, at)
        for lead in leads:
            if lead.episode is None:
                continue
            step = Step(lead.episode.next_step)
            receivers = leaders if step is Step.REPEAT else above
            key = (lead.opportunity.id, lead.episode.number)
            owed += [
                new_push(watch, key, step, receiver.id, at)
                for receiver in receivers[lead.opportunity.owner_id]
            ]
            planned.append(step_after(watch, lead, step, at))
        await tx.lights.pushes.owe(owed)
        await tx.lights.plan_steps(planned)


def _facts(watch: Watch, owed: OwedPush, lead: Lead, at: datetime) -> Owed:
    episode = lead.episode
    if episode is not None and episode.number != owed.episode:
        episode = None
    return Owed(
        push_id=owed.id,
        opportunity_id=owed.opportunity_id,
        step=owed.step,
        receiver_id=owed.receiver_id,
        send_at=owed.send_at,
        episode=episode,
        gap_days=light_cards.standing_of(watch, lead, at).gap_days,
    )


async def _keep_silent(tx: UnitOfWork, decision: Decision) -> None:
    dropped: dict[Reason, list[int]] = defaultdict(list)
    deferred: dict[int, datetime] = {}
    for silence in decision.silences:
        if silence.until is None:
            dropped[silence.reason].append(silence.push.push_id)
        elif silence.until != silence.push.send_at:
            deferred[silence.push.push_id] = silence.until
    for reason, push_ids in dropped.items():
        await tx.lights.pushes.drop(push_ids, reason=reason)
    await tx.lights.pushes.defer(deferred)


async def _hand_to_administrators(
    tx: UnitOfWork, watch: Watch, current: Round, notification: Notification, at: datetime
) -> None:
    """We share no platform with the receiver. A push is never dropped for that; with no
    administrator to reach either, it is tried again on the next morning."""
    reachable = [
        person.id
        for person in await administrators(tx)
        if person.id != notification.receiver_id and watch.address_of(person)
    ]
    ids = [push.push_id for push in notification.pushes]
    if not reachable:
        policy = watch.policy.pushes
        tomorrow = watch.calendar.midnight(watch.calendar.day_of(at) + timedelta(days=1))
        morning = first_allowed(tomorrow, policy=policy, calendar=watch.calendar)
        await tx.lights.pushes.defer(dict.fromkeys(ids, morning))
        log.warning("nobody to tell", extra={"action": "push_lights", "pushes": len(ids)})
        return
    await tx.lights.pushes.owe(
        [
            new_push(watch, (owed.opportunity_id, owed.episode), owed.step, receiver_id, at)
            for owed in (current.owed[push_id] for push_id in ids)
            for receiver_id in reachable
        ]
    )
    await tx.lights.pushes.drop(ids, reason="no_address")


async def _card(
    tx: UnitOfWork, watch: Watch, current: Round, notification: Notification, at: datetime
) -> Card:
    leads = current.leads_of(notification)
    views = await light_cards.view_leads(
        tx, watch, leads, reader_id=notification.receiver_id, at=at
    )
    card_id = f"lights-{min(push.push_id for push in notification.pushes)}"
    return light_cards.push_card(watch, card_id, views, reason=notification.reason, at=at)


async def _remember(
    tx: UnitOfWork, card: Card, address: Address, leads: Iterable[Lead], at: datetime
) -> None:
    """So that a press finds the leads, and the card can be shown closed."""
    await tx.cards.show(
        card,
        address.key,
        subject="lights",
        at=at,
        data={
            "opportunity_ids": [lead.opportunity.id for lead in leads],
            "card": content_to_json(card),
        },
    )


async def _await_acknowledgement(
    tx: UnitOfWork, watch: Watch, current: Round, notification: Notification, at: datetime
) -> None:
    """A first red was told: without an acknowledgement the reminder is due later."""
    when = repeat_moment(at, policy=watch.policy.pushes, calendar=watch.calendar)
    await tx.lights.plan_steps(
        [
            (current.leads[push.opportunity_id], Step.REPEAT, when)
            for push in notification.pushes
            if push.step is Step.RED
            and push.episode is not None
            and push.episode.acked_at is None
            and not push.episode.next_step
        ]
    )


def _message(card: Card, address: Address, leads: Sequence[Lead]) -> OutboundMessage:
    """A card about one lead can still be dropped from the queue when its light ends."""
    subject = ""
    if len(leads) == 1 and leads[0].episode is not None:
        subject = subject_of(leads[0].opportunity.id, leads[0].episode.number)
    return OutboundMessage(card.card_id, address, card, subject=subject)


def step_after(
    watch: Watch, lead: Lead, step: Step, at: datetime
) -> tuple[Lead, Step | None, datetime | None]:
    """What the lead's episode owes after that step."""
    if step is Step.REPEAT:
        return lead, Step.ESCALATE, escalate_moment(at, calendar=watch.calendar)
    return lead, None, None
