"""What the reviewers of a contract's clauses see: a card for each, all showing one state."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain import receivables as rules
from bot.domain.people import Person
from bot.domain.receivables import Outcome
from bot.errors import NotFound
from bot.messages import (
    Address,
    Button,
    Card,
    CardUpdate,
    Field,
    Option,
    OutboundMessage,
    Text,
)
from handlers.desk import Office
from handlers.texts import receivables as texts
from storage.clause_reviews import ClauseReview
from storage.unit_of_work import UnitOfWork

TICK = "tick"
ASK_FINANCE = "paid"
UNTIL = "until"
WAIT_DAYS = (3, 7, 15, 30)

_DAY = timedelta(days=1)

_BUTTONS = (
    Button(TICK, "完成下一项", style="primary"),
    Button(str(Outcome.WAIT), "继续等待"),
    Button(str(Outcome.AMEND), "改条款"),
    Button(str(Outcome.STOP_DELIVERY), "停发货", style="danger"),
    Button(ASK_FINANCE, "已付请核对"),
)


async def send(
    tx: UnitOfWork, office: Office, review: ClauseReview, at: datetime
) -> list[OutboundMessage]:
    """A card to every reviewer. At night and on days off they wait for the morning, as lights
    do."""
    morning = office.first_allowed(at)
    messages = []
    for person, to in await _reached(tx, office, review):
        card = await card_for(tx, office, review, person)
        await _remember(tx, card, review, to.key, at)
        key, subject = f"{card.card_id}@{card.revision}", subject_of(review)
        messages.append(OutboundMessage(key, to, card, not_before=morning, subject=subject))
    return messages


async def updates(
    tx: UnitOfWork, office: Office, review: ClauseReview, at: datetime, *, besides: int = 0
) -> list[OutboundMessage]:
    """Each card as it is now: at any hour, for that wakes nobody, but never before the card
    itself, which may wait for the morning."""
    shown = office.first_allowed(review.opened_at)
    not_before = max(at, shown)
    messages = []
    for person, to in await _reached(tx, office, review, besides=besides):
        card = await card_for(tx, office, review, person)
        known = await tx.cards.get(card.card_id)
        if known is None:
            continue
        card = replace(card, revision=known.revision + 1)
        await _remember(tx, card, review, to.key, at)
        key, subject = f"{card.card_id}@{card.revision}", subject_of(review)
        update = CardUpdate(card)
        messages.append(OutboundMessage(key, to, update, not_before=not_before, subject=subject))
    return messages


async def tell(
    tx: UnitOfWork,
    office: Office,
    review: ClauseReview,
    told: str,
    *,
    at: datetime,
    key: str,
    besides: int = 0,
) -> list[OutboundMessage]:
    """The same words to every reviewer, in the hours in which people are told."""
    morning = office.first_allowed(at)
    messages = []
    for person, to in await _reached(tx, office, review, besides=besides):
        name = f"review:{review.id}:{review.round}:{key}:{person.id}"
        messages.append(OutboundMessage(name, to, Text(told), not_before=morning))
    return messages


async def _reached(
    tx: UnitOfWork, office: Office, review: ClauseReview, *, besides: int = 0
) -> list[tuple[Person, Address]]:
    """Who reviews and can be written to; somebody may have been joined with their other
    account since."""
    found: list[tuple[Person, Address]] = []
    for person_id in review.reviewers:
        try:
            person = await tx.people.get(person_id)
        except NotFound:
            continue
        to = office.address_of(person)
        if to is not None and person_id != besides:
            found.append((person, to))
    return found


async def card_for(tx: UnitOfWork, office: Office, review: ClauseReview, person: Person) -> Card:
    contract = await tx.contracts.get(review.contract_id)
    account = await tx.accounts.get(contract.account_id)
    received = await tx.contracts.received([contract.id])
    standing = rules.stand(
        contract.terms,
        received[contract.id],
        at=review.opened_at,
        known_until=review.opened_at,
        calendar=office.calendar,
        days=office.policy.receivables.due_days,
    )
    deadline = review.deadline_at.astimezone(office.zone)
    checklist = [(one.item, one.done_by) for one in review.checklist]
    options = tuple(
        Option(until.isoformat(), texts.wait_option(days, until))
        for days, until in offers(office, review)
    )
    closed = texts.outcome(review.outcome, review.note) if review.outcome else ""
    return Card(
        card_id=f"review-{review.id}-{review.round}-{person.id}",
        title=texts.review_title(contract.terms.number),
        lines=tuple(texts.review_lines(account.name, checklist, again=review.round > 1)),
        facts=tuple(texts.review_facts(standing, contract.terms.prepayment_fen, deadline)),
        fields=() if closed else (Field(UNTIL, "等到", options=options),),
        buttons=() if closed else _BUTTONS,
        closed=closed,
    )


def offers(office: Office, review: ClauseReview) -> list[tuple[int, date]]:
    opened_on = office.calendar.day_of(review.opened_at)
    return [(days, opened_on + days * _DAY) for days in WAIT_DAYS]


async def _remember(
    tx: UnitOfWork, card: Card, review: ClauseReview, address: str, at: datetime
) -> None:
    await tx.cards.show(card, address, subject=subject_of(review), at=at)


def subject_of(review: ClauseReview) -> str:
    return f"review:{review.id}:{review.round}"
