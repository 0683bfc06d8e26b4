"""The sweep over what records still owe: remind the rep, and lock in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.deadlines import Awaited, Deadline, DeadlineState, locks_at, planned
from bot.domain.notifying import first_allowed
from bot.domain.people import Person
from bot.messages import Button, Card, OutboundMessage
from handlers.lights.light_cards import Watch
from handlers.texts import deadlines as texts
from storage.cards import ShownCard
from storage.unit_of_work import UnitOfWork

BATCH = 500
WRITE = "write"
NOT_HELD = "not-held"
ASK = "ask"


async def sweep(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """Every deadline with a reminder or the lock due by `at`: one step further, with a word to
    the rep, at night kept for the morning. Done meanwhile: the word is dropped."""
    messages: list[OutboundMessage] = []
    while due := await tx.deadlines.list_due(at, limit=BATCH):
        over = {owed.id for owed in await _over(tx, due)}
        await tx.deadlines.settle(
            [owed for owed in due if owed.id in over], state=DeadlineState.DROPPED, at=at
        )
        messages += await _step(tx, watch, [owed for owed in due if owed.id not in over], at)
    return messages


def subject_of(owed: Deadline) -> str:
    """What a queued word about it is called, so that it can be dropped."""
    return f"deadline:{owed.id}"


async def _step(
    tx: UnitOfWork, watch: Watch, due: Sequence[Deadline], at: datetime
) -> list[OutboundMessage]:
    """Each one step further; a reminder that still waits gives way to the lock."""
    calendar = watch.calendar
    rules = {owed.id: watch.policies.of(owed.person_id).actions for owed in due}
    locking = {owed.id for owed in due if at >= locks_at(owed, rules[owed.id], calendar)}
    await tx.delivery.drop_subjects((subject_of(one) for one in due if one.id in locking), at=at)
    await tx.deadlines.save(
        *(
            replace(owed, state=DeadlineState.LOCKED, due_at=None, locked_at=at)
            if owed.id in locking
            else planned(owed, rules[owed.id], calendar, at=at)
            for owed in due
        )
    )
    morning = first_allowed(at, policy=watch.policy.pushes, calendar=calendar)
    receivers = await _receivers(tx, due, at)
    messages: list[OutboundMessage] = []
    for owed in due:
        to = watch.address_of(receivers[owed.person_id])
        if to is not None:
            card, subject = _card(watch, owed, locks=owed.id in locking), subject_of(owed)
            messages.append(
                OutboundMessage(card.card_id, to, card, not_before=morning, subject=subject)
            )
    await tx.cards.put_all([_shown(message, at) for message in messages])
    return messages


def _shown(message: OutboundMessage, at: datetime) -> ShownCard:
    card = message.content
    assert isinstance(card, Card)
    return ShownCard(
        card.card_id, card.revision, message.subject, message.to.key, "open", data={}, updated_at=at
    )


def _card(watch: Watch, owed: Deadline, *, locks: bool) -> Card:
    """One card for each step; one that was reopened goes through the steps anew."""
    policy, calendar = watch.policies.of(owed.person_id).actions, watch.calendar
    local = calendar.local(locks_at(owed, policy, calendar))
    told = texts.locked(owed) if locks else texts.reminder(owed, local)
    return Card(
        card_id=f"due-{owed.id}-{int(owed.since.timestamp())}-{'lock' if locks else owed.step}",
        title=texts.title(owed, locked=locks),
        lines=(told, texts.HOW_LOCKED if locks else texts.rule(owed.hours)),
        buttons=_buttons(owed, locks=locks),
    )


def _buttons(owed: Deadline, *, locks: bool) -> tuple[Button, ...]:
    label = texts.WRITE_MINUTES if owed.awaited is Awaited.MINUTES else texts.COMPLETE
    if locks:
        ask = Button(ASK, texts.ASK_SUPERVISOR, style="primary")
        return ask, Button(WRITE, label)
    write = Button(WRITE, label, style="primary")
    if owed.awaited is Awaited.MINUTES:
        return write, Button(NOT_HELD, texts.NOT_HELD)
    return (write,)


async def _receivers(tx: UnitOfWork, due: Sequence[Deadline], at: datetime) -> dict[int, Person]:
    """person id -> the rep, or who stands in for them."""
    people = await tx.people.list_some(owed.person_id for owed in due)
    away = [one for one in people.values() if one.on_leave(at) and one.deputy_id is not None]
    deputies = await tx.people.list_some(one.deputy_id for one in away if one.deputy_id)
    return people | {one.id: deputies[one.deputy_id] for one in away if one.deputy_id}


async def _over(tx: UnitOfWork, due: Sequence[Deadline]) -> list[Deadline]:
    """Those whose deal was won, lost or given up: nothing is owed for it any more."""
    ids = [owed.opportunity_id for owed in due if owed.opportunity_id is not None]
    ended = await tx.opportunities.closed_among(ids)
    return [owed for owed in due if owed.opportunity_id in ended]
