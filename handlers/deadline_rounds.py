"""The sweep over what records still owe: remind the rep, and lock in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.deadlines import Awaited, Deadline, DeadlineState, locks_at, planned, step_moments
from bot.domain.notifying import first_allowed
from bot.domain.opportunities import OpportunityState
from bot.domain.people import Person
from bot.messages import Button, Card, OutboundMessage
from handlers.light_cards import Watch
from handlers.texts import deadlines as texts
from storage.unit_of_work import UnitOfWork

BATCH = 500
WRITE = "write"
NOT_HELD = "not-held"
ASK = "ask"

_OVER = (OpportunityState.WON, OpportunityState.LOST, OpportunityState.INVALID)


async def sweep(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """Every deadline with a reminder or the lock due by `at`: one step further, with a word to
    the rep, at night kept for the morning. Done meanwhile: the word is dropped."""
    messages: list[OutboundMessage] = []
    people: dict[int, Person] = {}
    while due := await tx.deadlines.list_due(at, limit=BATCH):
        over = await _over(tx, due)
        await tx.deadlines.settle(over, state=DeadlineState.DROPPED, at=at)
        for owed in due:
            if owed not in over:
                messages += await _step(tx, watch, owed, people, at)
    return messages


def subject_of(owed: Deadline) -> str:
    """What a queued word about it is called, so that it can be dropped."""
    return f"deadline:{owed.id}"


async def _step(
    tx: UnitOfWork, watch: Watch, owed: Deadline, people: dict[int, Person], at: datetime
) -> list[OutboundMessage]:
    """people: those read before in this sweep."""
    policy, calendar = watch.policy.actions, watch.calendar
    locks = at >= step_moments(owed, policy, calendar)[-1]
    if locks:
        later = replace(owed, state=DeadlineState.LOCKED, due_at=None, locked_at=at)
        await tx.delivery.drop_subject(subject_of(owed), at=at)
    else:
        later = planned(owed, policy, calendar, at=at)
    await tx.deadlines.save(later)
    person = await _receiver(tx, owed, people, at)
    to = watch.address_of(person)
    if to is None:
        return []
    card = _card(watch, owed, locks=locks)
    await tx.cards.put(
        card.card_id,
        revision=card.revision,
        subject=subject_of(owed),
        address=to.key,
        state="open",
        data={},
        at=at,
    )
    morning = first_allowed(at, policy=watch.policy.pushes, calendar=calendar)
    return [OutboundMessage(card.card_id, to, card, not_before=morning, subject=subject_of(owed))]


def _card(watch: Watch, owed: Deadline, *, locks: bool) -> Card:
    """One card for each step; one that was reopened goes through the steps anew."""
    policy, calendar = watch.policy.actions, watch.calendar
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


async def _receiver(
    tx: UnitOfWork, owed: Deadline, people: dict[int, Person], at: datetime
) -> Person:
    """The rep, or who stands in for them."""
    person = await _person(tx, owed.person_id, people)
    if person.on_leave(at) and person.deputy_id is not None:
        return await _person(tx, person.deputy_id, people)
    return person


async def _person(tx: UnitOfWork, person_id: int, people: dict[int, Person]) -> Person:
    if person_id not in people:
        people[person_id] = await tx.people.get(person_id)
    return people[person_id]


async def _over(tx: UnitOfWork, due: Sequence[Deadline]) -> list[Deadline]:
    """Those whose deal was won, lost or given up: nothing is owed for it any more."""
    ids = [owed.opportunity_id for owed in due if owed.opportunity_id is not None]
    leads = await tx.lights.list_leads(ids, lock=False)
    ended = {lead.opportunity.id for lead in leads if lead.opportunity.state in _OVER}
    return [owed for owed in due if owed.opportunity_id in ended]
