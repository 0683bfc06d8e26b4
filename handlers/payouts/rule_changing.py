"""Presses on a change of rules, from «试算三个月» to «发布»; and «奖金规则».

Every press asks again who presses and where the change stands (bot.domain.payouts.rule_changes).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

from bot.domain.payouts.days import local_day
from bot.domain.payouts.recipients import without_numbers
from bot.domain.payouts.rule_changes import (
    APPROVERS,
    MOVES,
    Change,
    Move,
    State,
    combine,
    effective_on,
    refusal_of,
    window,
)
from bot.domain.payouts.words import in_words
from bot.domain.people import Person
from bot.errors import NotAllowed, NotFound, Refused
from bot.messages import Incoming, Kind, Markdown, OutboundMessage, Text
from bot.router import Begin
from handlers.customers import customers
from handlers.desk import Desk
from handlers.payouts import deal_facts, publishing, rule_cards, rule_import, simulating
from handlers.payouts.simulating import Simulation
from handlers.texts import payout_rules as texts
from storage.unit_of_work import UnitOfWork

MOST_SHOWN = 30
"""People whose before and after stand in a message; the rest is in the sum."""


async def look_up(read: Begin[UnitOfWork], incoming: Incoming) -> Simulation | None:
    """What «试算» and «发布» want to know, read and computed beside all writers; None for anything
    else."""
    message = incoming.message
    action = message.action
    if (
        message.kind is not Kind.CARD_ACTION
        or action is None
        or not action.card_id.startswith(rule_cards.PREFIX)
        or action.action not in (Move.SIMULATE, Move.PUBLISH)
    ):
        return None
    since = window(local_day(incoming.at)) if action.action == Move.PUBLISH else None
    try:
        async with read() as tx:
            material = await simulating.read(tx, _number(action.card_id), incoming.at, since=since)
    except NotFound:
        return None
    return await simulating.run(material)


async def press(desk: Desk) -> None:
    """Raises NotAllowed, NotFound, Refused, InvalidInput."""
    action = desk.message.action
    assert action is not None
    change = await make(desk, _number(action.card_id), Move(action.action))
    card = await rule_cards.card_for(desk.tx, change, desk.rep)
    await desk.change(card, subject=rule_cards.subject_of(change))


async def make(desk: Desk, number: int, move: Move) -> Change:
    """The change after the move, made by the speaker. Raises NotAllowed, NotFound, Refused,
    InvalidInput."""
    change = await desk.tx.payout_rules.get(number)
    why = refusal_of(change, move, desk.rep)
    if why is not None:
        raise NotAllowed(texts.unfit(why, change.state))
    was = change.state
    change = await _STEPS[move](desk, change)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=f"payout_rules_{move}",
        subject=rule_cards.subject_of(change),
        before={"state": str(was)},
        after={"state": str(change.state)},
    )
    return change


async def list_all(desk: Desk, _: str) -> None:
    """«奖金规则»: what is in force, for everybody; what is on its way, for who decides on it."""
    rules = await deal_facts.rules_document(desk.tx)
    today = desk.office.calendar.day_of(desk.at)
    living = [
        in_words(rule)
        for rule in deal_facts.book_of(rules).rules
        if rule.effective_to is None or rule.effective_to > today
    ]
    coming = []
    if desk.rep.roles & APPROVERS:
        alive = await desk.tx.payout_rules.alive()
        names = await desk.tx.people.names(one.author_id for one in alive)
        coming = [
            texts.on_the_way(one.id, _ids(one), one.state, names[one.author_id]) for one in alive
        ]
    if not living and not coming:
        desk.say(texts.NO_RULES)
        return
    customers.tell_alone(desk, "奖金规则", texts.in_force(living or [texts.NO_RULES], coming))


async def _simulate(desk: Desk, change: Change) -> Change:
    """What a silent test compares is shown and not kept: publishing asks for whole months."""
    found = await _found(desk, change, since=None)
    moved = change
    if change.state is not State.TESTING:
        state = MOVES[change.state, Move.SIMULATE]
        told = simulating.to_json(found)
        moved = await desk.tx.payout_rules.note_simulation(change.id, state, told, desk.at)
    rows = _rows(found)
    lines = [*rule_cards.found_lines(found), *texts.person_lines(rows[:MOST_SHOWN])]
    desk.say_privately(texts.TITLE, "\n".join(lines))
    return moved


async def _found(desk: Desk, change: Change, *, since: date | None) -> Simulation:
    found = desk.incoming.looked_up
    if isinstance(found, Simulation):
        return found
    return simulating.simulate(await simulating.read(desk.tx, change.id, desk.at, since=since))


async def _submit(desk: Desk, change: Change) -> Change:
    approvers = await _approvers(desk, change)
    if not approvers:
        raise Refused(texts.NOBODY_ELSE)
    moved = await desk.tx.payout_rules.move(change.id, State.SUBMITTED)
    words = await _in_full(desk, moved)
    for person in approvers:
        to = desk.office.address_of(person)
        if to is not None:
            key = f"payrule:{change.id}:words:{person.id}:{desk.incoming.source_id}"
            desk.add([OutboundMessage(key, to, Markdown(texts.TITLE, words))])
        desk.add(await rule_cards.send(desk.tx, desk.office, moved, person, desk.at))
    return moved


async def _approve(desk: Desk, change: Change) -> Change:
    _refuse_cuts(change)
    moved = await desk.tx.payout_rules.move(
        change.id, State.APPROVED, approved_by=desk.rep.id, approved_at=desk.at
    )
    await _tell_others(desk, moved, texts.approved(desk.rep.name))
    return moved


async def _refuse(desk: Desk, change: Change) -> Change:
    moved = await desk.tx.payout_rules.move(change.id, State.DROPPED)
    await _tell_others(desk, moved, texts.refused_by(desk.rep.name))
    return moved


async def _drop(desk: Desk, change: Change) -> Change:
    moved = await desk.tx.payout_rules.move(change.id, State.DROPPED)
    await _tell_others(desk, moved, "")
    return moved


async def _test(desk: Desk, change: Change) -> Change:
    moved = await desk.tx.payout_rules.move(change.id, State.TESTING, tested_since=desk.at)
    desk.say(texts.testing(desk.office.calendar.day_of(desk.at)))
    return moved


async def _publish(desk: Desk, change: Change) -> Change:
    """Replayed once more, on what has been signed and paid since; and whether the rules still fit
    those that were published meanwhile is looked at again."""
    await desk.tx.payout_ledger.take_turn()
    today = desk.office.calendar.day_of(desk.at)
    told = simulating.to_json(await _found(desk, change, since=window(today)))
    change = await desk.tx.payout_rules.note_simulation(change.id, change.state, told, desk.at)
    _refuse_cuts(change)
    await rule_import.check(desk.tx, list(change.rules), desk.at)
    moved, people = await publishing.publish(desk, change)
    desk.say(texts.published(people))
    await _tell_others(desk, moved, "")
    return moved


_STEPS: dict[Move, Callable[[Desk, Change], Awaitable[Change]]] = {
    Move.SIMULATE: _simulate,
    Move.SUBMIT: _submit,
    Move.APPROVE: _approve,
    Move.REFUSE: _refuse,
    Move.TEST: _test,
    Move.PUBLISH: _publish,
    Move.DROP: _drop,
}


def _refuse_cuts(change: Change) -> None:
    """Raises Refused where signed contracts would lose something and no lawyer's name stands for
    it."""
    assert change.simulation is not None
    cuts = simulating.from_json(change.simulation).cuts
    if cuts and not all(rule.get("legal_approval") for rule in change.rules):
        raise Refused(texts.cut([(without_numbers(one), fen) for one, fen in cuts]))


async def _approvers(desk: Desk, change: Change) -> list[Person]:
    found = {
        one.id: one for role in sorted(APPROVERS) for one in await desk.tx.people.list_by_role(role)
    }
    found.pop(change.author_id, None)
    return list(found.values())


async def _tell_others(desk: Desk, change: Change, words: str) -> None:
    """Their cards follow; the author hears it in words where somebody else pressed."""
    author = await desk.tx.people.get(change.author_id)
    others = [one for one in [author, *await _approvers(desk, change)] if one.id != desk.rep.id]
    desk.add(await rule_cards.updates(desk.tx, desk.office, change, others, desk.at))
    to = desk.office.address_of(author)
    if words and to is not None and author.id != desk.rep.id:
        key = f"payrule:{change.id}:{change.state}:{author.id}"
        desk.add([OutboundMessage(key, to, Text(words))])


async def _in_full(desk: Desk, change: Change) -> str:
    """The rules in sentences, and what the simulation found for each person."""
    published = await desk.tx.payout_rules.published()
    keys = {(rule["id"], rule["version"]) for rule in change.rules}
    whole = deal_facts.book_of(combine([*published, (change.rules, desk.at)])).rules
    sentences = [in_words(rule) for rule in whole if (rule.id, rule.version) in keys]
    lines = [texts.imported(sentences, [], effective_on(change.rules))]
    lines += rule_cards.impact_lines(change)
    assert change.simulation is not None
    lines += texts.person_lines(_rows(simulating.from_json(change.simulation))[:MOST_SHOWN])
    return "\n".join(lines)


def _rows(found: Simulation) -> list[tuple[str, int, int]]:
    """Those whose amount changes, the largest change first."""
    impact = found.impact
    rows = [
        (without_numbers(one), impact.before.get(one, 0), impact.after.get(one, 0))
        for one in impact.changed
    ]
    return sorted(rows, key=lambda row: -abs(row[2] - row[1]))


def _ids(change: Change) -> list[str]:
    return [f"「{rule['id']}」第{rule['version']}版" for rule in change.rules]


def _number(card_id: str) -> int:
    return int(card_id.split("-")[1])
