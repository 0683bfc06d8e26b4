"""Asks the rules about one customer, and tells the rep what is to be done."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import signals as rules
from bot.domain.opportunities import Account
from bot.domain.signals import Signal, SignalRule
from bot.domain.websites import titles_of
from bot.messages import Button, Card, OutboundMessage
from handlers.desk import Office
from handlers.texts import signals as texts
from storage.unit_of_work import UnitOfWork

CARD = "signal-"
CALLED, WRITE, SEEN = "called", "write", "seen"
SLACK = timedelta(days=14)  # a holiday that a rule waits through


async def look(
    tx: UnitOfWork, office: Office, account_id: int, at: datetime
) -> list[OutboundMessage]:
    """Notes what has come true, and when to ask again."""
    account = await tx.accounts.get(account_id)
    policy = office.policy.signals
    since = at - _reach(policy.rules)
    kinds = {rule.kind for rule in policy.rules}
    events = await tx.signals.events_of([account.id], since=since, kinds=kinds)
    touches = await tx.signals.touches(account.id, since=since)
    known = await tx.signals.of_customers([account.id], since=since - SLACK)
    messages: list[OutboundMessage] = []
    for rule in policy.rules:
        used = {n for one in known if one.signal.rule == rule.key for n in one.signal.events}
        fresh = [event for event in events if event.id not in used]
        for signal in rules.find(rule, fresh, touches, at, office.calendar):
            messages += await _note(tx, office, account, signal, rule=rule, touches=touches, at=at)
    moments = [
        moment
        for rule in policy.rules
        for event in events
        if (moment := rules.next_true_at(rule, event, office.calendar)) is not None and moment > at
    ]
    if moments:
        await tx.signals.look_at(account.id, min(moments))
    return messages


async def _note(
    tx: UnitOfWork,
    office: Office,
    account: Account,
    signal: Signal,
    *,
    rule: SignalRule,
    touches: list[datetime],
    at: datetime,
) -> list[OutboundMessage]:
    """A card to the owner, or whoever covers for them; none where they got in touch since."""
    asks = rule.task and account.in_pool_since is None
    asks = asks and not any(touch >= signal.at for touch in touches)
    number = await tx.signals.add(account.id, signal, task="open" if asks else "", at=at)
    if number is None or not asks:
        return []
    owner = await tx.people.get(account.owner_id)
    covered = owner.on_leave(at) and owner.deputy_id is not None
    person = await tx.people.get(owner.deputy_id) if covered and owner.deputy_id else owner
    to = office.address_of(person)
    if to is None:
        return []
    local = signal.at.astimezone(office.zone)
    card = Card(
        card_id=f"{CARD}{number}",
        title=texts.task_title(account.name),
        lines=texts.task_lines(
            rule, local, len(signal.events), titles_of(office.sites, signal.pages)
        ),
        buttons=(
            Button(CALLED, texts.CALLED, style="primary"),
            Button(WRITE, texts.WRITE),
            Button(SEEN, texts.SEEN),
        ),
    )
    await tx.cards.show(card, to.key, subject=f"account:{account.id}", at=at)
    morning = office.first_allowed(at)
    return [OutboundMessage(card.card_id, to, card, not_before=morning)]


def _reach(given: tuple[SignalRule, ...]) -> timedelta:
    """How far back events can still matter."""
    days = max((rule.within_days for rule in given), default=0)
    hours = max((rule.silent_h for rule in given), default=0)
    return timedelta(days=2 * days, hours=hours) + SLACK
