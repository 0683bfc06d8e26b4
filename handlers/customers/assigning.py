"""Leads given to somebody: accepted by a press, or their supervisor hears of it, then the
supervisor's leader; each once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.calendar import ClockKind
from bot.domain.opportunities import Account
from bot.domain.people import Person
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, OutboundMessage, Text
from handlers.customers import customers, handing_over, pooling
from handlers.desk import Desk, Office
from handlers.leading import team
from handlers.people.leaders import leaders_of, next_leaders_of
from handlers.texts import pool as texts
from handlers.texts import team as team_texts
from storage.assignments import Assignment, Escalation, Outcome
from storage.unit_of_work import UnitOfWork

CARD = "lead-"
ACCEPT, RETURN = "accept", "return"
BATCH = 500
ANY_LATE_S = 10 * 60
"""A round serves whatever is due, so a missed one needs no making up for long."""

_TO = re.compile(r"^(?:把|将)?(?P<what>.+?)\s*(?:分配给|给)\s*(?P<who>[\w·]{2,12})$")


async def assign(desk: Desk, words: str) -> None:
    """«分配 X 给 李敏»: out of the pool, or from one of the speaker's people to another."""
    match = _TO.match(words)
    if match is None:
        raise InvalidInput(texts.ASSIGN_HOW)
    person = await team.colleague(desk, match["who"])
    if person is None:
        raise InvalidInput(team_texts.no_such_colleague(match["who"]))
    account = await customers.named(desk, match["what"].strip())
    if account is None:
        return
    if not await team.may_move(desk, account, person):
        raise NotAllowed(texts.ASSIGN_NOT_YOURS)
    if account.in_pool_since is None and account.owner_id == person.id:
        raise Refused(team_texts.same_owner(account.name, person.name))
    await handing_over.hand_over(desk, account, person)
    policy = desk.office.policy.customers
    due_at = desk.office.calendar.add(ClockKind.OFFICE, desk.at, policy.accept_within)
    given = await desk.tx.assignments.add(
        account.id, person.id, by=desk.rep.id, at=desk.at, due_at=due_at
    )
    await _ask(desk, given, account, person)
    if account.in_pool_since is None and account.owner_id != desk.rep.id:
        former = await desk.tx.people.get(account.owner_id)
        told = team_texts.you_lost(account.name, person.name, desk.rep.name)
        desk.add(_told(desk.office, given, former, told, step="former owner"))
    desk.say(texts.assigned(account.name, person.name, policy.accept_h))


async def press(desk: Desk) -> None:
    """«接收» or «退回» by whom it was given to. Raises NotAllowed for anybody else."""
    action = desk.message.action
    assert action is not None
    given = await desk.tx.assignments.get(int(action.card_id.removeprefix(CARD)))
    if given.person_id != desk.rep.id:
        raise NotAllowed(texts.LEAD_NOT_YOURS)
    account = await desk.tx.accounts.get(given.account_id)
    accepts = action.action == ACCEPT
    outcome = Outcome.ACCEPTED if accepts else Outcome.RETURNED
    if not await desk.tx.assignments.settle(given.id, outcome, desk.at):
        desk.say(texts.LEAD_SETTLED)
        return
    if accepts:
        desk.say(texts.accepted(account.name))
        told, closed = texts.was_accepted(account.name, desk.rep.name), texts.ACCEPTED
    else:
        reason = texts.return_reason(desk.rep.name)
        desk.add(await pooling.put(desk.tx, desk.office, account, reason=reason, at=desk.at))
        desk.say(texts.returned(account.name))
        told, closed = texts.was_returned(account.name, desk.rep.name), texts.RETURNED
    card = Card(action.card_id, texts.LEAD_TITLE, facts=_facts(account), closed=closed)
    await desk.change(card, subject=f"account:{account.id}")
    by = await desk.tx.people.get(given.assigned_by)
    desk.add(_told(desk.office, given, by, told, step=str(outcome)))


async def escalate(tx: UnitOfWork, office: Office, at: datetime) -> Sequence[OutboundMessage]:
    """The job: leads that nobody took in time."""
    messages: list[OutboundMessage] = []
    for given in await tx.assignments.list_due(at, limit=BATCH):
        account = await tx.accounts.get(given.account_id)
        if account.owner_id != given.person_id or account.in_pool_since is not None:
            await tx.assignments.settle(given.id, Outcome.MOVED, at)
        elif await tx.assignments.is_worked_on(given):
            await tx.assignments.settle(given.id, Outcome.ACCEPTED, at)
        else:
            messages += await _escalate(tx, office, given, account, at)
    return messages


async def _escalate(
    tx: UnitOfWork, office: Office, given: Assignment, account: Account, at: datetime
) -> list[OutboundMessage]:
    policy = office.policy.customers
    person = await tx.people.get(given.person_id)
    if given.step == Escalation.SUPERVISOR:
        receivers, hours = await leaders_of(tx, person.id, at), policy.accept_h
        again_at = office.calendar.add(ClockKind.OFFICE, at, policy.accept_within)
        await tx.assignments.plan(given.id, Escalation.LEADER, again_at)
    else:
        receivers, hours = await next_leaders_of(tx, person.id, at), 2 * policy.accept_h
        await tx.assignments.plan(given.id, Escalation.NOBODY, None)
    text = texts.not_accepted(account.name, person.name, hours)
    return [
        message
        for receiver in receivers
        for message in _told(office, given, receiver, text, step=given.step)
    ]


async def _ask(desk: Desk, given: Assignment, account: Account, person: Person) -> None:
    to = desk.office.address_of(person)
    if to is None:
        return
    hours = desk.office.policy.customers.accept_h
    card = Card(
        card_id=f"{CARD}{given.id}",
        title=texts.LEAD_TITLE,
        lines=(texts.lead_for_you(desk.rep.name, hours),),
        facts=_facts(account),
        buttons=(Button(ACCEPT, texts.ACCEPT, style="primary"), Button(RETURN, texts.RETURN)),
    )
    await desk.tx.cards.show(card, to.key, subject=f"account:{account.id}", at=desk.at)
    desk.add([OutboundMessage(card.card_id, to, card)])


def _facts(account: Account) -> tuple[tuple[str, str], ...]:
    facts = (("客户", account.name), ("行业", account.industry), ("电话", account.phone))
    return tuple((name, value) for name, value in facts if value)


def _told(
    office: Office, given: Assignment, person: Person, text: str, *, step: str
) -> list[OutboundMessage]:
    to = office.address_of(person)
    key = f"{CARD}{given.id}:{step}:{person.id}"
    return [OutboundMessage(key, to, Text(text))] if to is not None else []
