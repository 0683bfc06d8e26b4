"""The cards of a change of rules: its author's, and one for each who may approve it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.payouts.recipients import without_numbers
from bot.domain.payouts.rule_changes import Change, Move, State, effective_on
from bot.domain.people import Person
from bot.messages import Button, Card, CardUpdate, OutboundMessage
from handlers.desk import Desk, Office
from handlers.payouts import simulating
from handlers.payouts.simulating import Simulation
from handlers.texts import payout_rules as texts
from storage.unit_of_work import UnitOfWork

PREFIX = "payrule-"

_SIMULATE = Button(Move.SIMULATE, texts.SIMULATE, style="primary")
_DROP = Button(Move.DROP, texts.DROP, style="danger")
_PUBLISH = Button(Move.PUBLISH, texts.PUBLISH, style="primary")
_OF_AUTHOR: dict[State, tuple[Button, ...]] = {
    State.DRAFT: (_SIMULATE, _DROP),
    State.SIMULATED: (
        Button(Move.SUBMIT, texts.SUBMIT, style="primary"),
        Button(Move.SIMULATE, texts.AGAIN),
        _DROP,
    ),
    State.SUBMITTED: (_DROP,),
    State.APPROVED: (_PUBLISH, Button(Move.TEST, texts.TEST), _DROP),
    State.TESTING: (Button(Move.SIMULATE, texts.COMPARE), _PUBLISH, _DROP),
}
_OF_APPROVER = (
    Button(Move.APPROVE, texts.APPROVE, style="primary"),
    Button(Move.REFUSE, texts.REFUSE, style="danger"),
)


async def show(desk: Desk, change: Change) -> None:
    """Show the change to who speaks, with what they may do to it."""
    card = await card_for(desk.tx, change, desk.rep)
    await desk.show_privately(card, subject=subject_of(change))


async def send(
    tx: UnitOfWork, office: Office, change: Change, person: Person, at: datetime
) -> list[OutboundMessage]:
    """The change for somebody else, with what they may do to it; nothing where they cannot be
    written to."""
    to = office.address_of(person)
    if to is None:
        return []
    card = await card_for(tx, change, person)
    await _remember(tx, card, change, to.key, at)
    key = f"{card.card_id}@{card.revision}"
    return [OutboundMessage(key, to, card, subject=subject_of(change))]


async def updates(
    tx: UnitOfWork, office: Office, change: Change, people: list[Person], at: datetime
) -> list[OutboundMessage]:
    """The cards of these people as they are now, where they have one."""
    messages = []
    for person in people:
        card, to = await card_for(tx, change, person), office.address_of(person)
        known = await tx.cards.get(card.card_id)
        if known is None or to is None:
            continue
        card = replace(card, revision=known.revision + 1)
        await _remember(tx, card, change, to.key, at)
        key = f"{card.card_id}@{card.revision}"
        messages.append(OutboundMessage(key, to, CardUpdate(card), subject=subject_of(change)))
    return messages


async def card_for(tx: UnitOfWork, change: Change, person: Person) -> Card:
    is_author = person.id == change.author_id
    author = (await tx.people.get(change.author_id)).name
    buttons = _OF_AUTHOR.get(change.state, ()) if is_author else ()
    if change.state is State.SUBMITTED and not is_author:
        buttons = _OF_APPROVER
    first = effective_on(change.rules)
    lines = texts.card_lines(len(change.rules), author, first)
    lines += impact_lines(change)
    lines.append(texts.next_step(change.state, is_author=is_author))
    return Card(
        card_id=f"{PREFIX}{change.id}-{person.id}",
        title=f"{texts.TITLE} #{change.id}",
        lines=tuple(line for line in lines if line),
        facts=(("状态", texts.STATES[change.state]),),
        buttons=buttons,
        closed="" if buttons else texts.STATES[change.state],
    )


def impact_lines(change: Change) -> list[str]:
    if change.simulation is None:
        return []
    return found_lines(simulating.from_json(change.simulation))


def found_lines(found: Simulation) -> list[str]:
    impact = found.impact
    lines = texts.simulated(
        since=found.since,
        until=found.until,
        deals=impact.deals,
        people=len(impact.people),
        changed=len(impact.changed),
        before=impact.total_before,
        after=impact.total_after,
    )
    if found.cuts:
        lines.append(texts.cut([(without_numbers(one), fen) for one, fen in found.cuts]))
    return lines


def subject_of(change: Change) -> str:
    return f"payout_rules:{change.id}"


async def _remember(tx: UnitOfWork, card: Card, change: Change, address: str, at: datetime) -> None:
    await tx.cards.show(card, address, subject=subject_of(change), at=at)
