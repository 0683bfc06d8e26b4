"""What people do about lights: acknowledge, put off, look closer. Each press is checked
again here: who, which light, still on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import cast

from bot.domain.lights import Lead
from bot.domain.people import Person, Role
from bot.errors import NotAllowed, NotFound, Refused
from bot.messages import (
    Address,
    Card,
    CardAction,
    CardUpdate,
    Content,
    Markdown,
    OutboundMessage,
    Platform,
    content_from_json,
)
from handlers.lights import light_cards
from handlers.lights.light_cards import ACK, DETAIL, REASON, SNOOZE, LeadView, Watch
from handlers.people.leaders import leaders_of
from handlers.texts import alerts as texts
from handlers.texts.money import amount_words
from storage.cards import ShownCard
from storage.unit_of_work import UnitOfWork

MAX_REASON = 200
OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})


async def press(
    tx: UnitOfWork, watch: Watch, action: CardAction, person: Person, at: datetime
) -> list[OutboundMessage]:
    """A button of a card of lights.

    Raises NotFound for a card we do not know, NotAllowed and Refused with the words to say.
    """
    row = await tx.cards.get(action.card_id)
    if row is None:
        raise NotFound(texts.NO_LIGHT)
    card = cast(Card, content_from_json(row.data["card"]))
    if action.action not in {button.action for button in card.buttons}:
        raise NotFound(texts.NO_LIGHT)
    ids = [int(number) for number in row.data["opportunity_ids"]]
    if action.action == DETAIL:
        text = await detail(tx, watch, await _lit(tx, ids), person, at)
        shown: Content = Markdown(texts.DETAIL_TITLE, text)
        return [_answer(row, shown, key=f"{person.id}:{at.isoformat()}")]
    if action.action == ACK:
        done = texts.card_acknowledged(await acknowledge(tx, ids, person, at))
    else:
        done = await _snooze_all(tx, watch, ids, person, action=action, at=at)
    card = replace(card, revision=row.revision + 1, closed=done)
    await tx.cards.show(card, row.address, subject=row.subject, data=row.data, at=at)
    update = CardUpdate(card, response_code=action.response_code)
    return [_answer(row, update, key=str(card.revision))]


async def acknowledge(
    tx: UnitOfWork, opportunity_ids: Iterable[int], person: Person, at: datetime
) -> int:
    """Nobody is reminded any more of these lights; they stay on. Answers how many.

    Raises Refused if none is on, NotAllowed if none is theirs to acknowledge.
    """
    leads = await _lit(tx, opportunity_ids)
    allowed = await _theirs(tx, leads, person, at)
    if not allowed:
        raise NotAllowed(texts.NOT_YOURS)
    await tx.lights.acknowledge(allowed, by=person.id, at=at)
    for lead in allowed:
        await _audit(tx, person, "acknowledge_light", lead, at=at)
    return len(allowed)


async def snooze(
    tx: UnitOfWork,
    watch: Watch,
    opportunity_id: int,
    person: Person,
    *,
    at: datetime,
    reason: str,
    until_on: date | None = None,
    workdays: int | None = None,
) -> date:
    """No pushes about this light before that day, which is answered: `until_on`, or that many
    working days from today, or as long as a rep may.

    Raises Refused: no light, no reason, not later than today, a rep asking for more than
    their own limit or for the second time. Raises NotAllowed for somebody else.
    """
    leads = await tx.lights.list_leads([opportunity_id])
    if not leads or leads[0].episode is None:
        name = leads[0].opportunity.account_name if leads else ""
        raise Refused(texts.nothing_to_snooze(name))
    lead = leads[0]
    if not await _theirs(tx, leads, person, at):
        raise NotAllowed(texts.NOT_YOURS)
    today = watch.calendar.day_of(at)
    limit = watch.policy.pushes.snooze_max_workdays
    until = until_on or watch.calendar.add_workdays(today, workdays or limit)
    latest = watch.calendar.add_workdays(today, limit)
    refusal = _refusal_to_snooze(lead, reason, until=until, today=today)
    if refusal is None and await _limited(tx, lead, person, at):
        refusal = texts.snooze_too_long(limit, latest) if until > latest else None
        refusal = texts.SNOOZED_BEFORE if lead.episode and lead.episode.snoozed_until else refusal
    if refusal is not None:
        raise Refused(refusal)
    await tx.lights.snooze(lead, until=watch.calendar.midnight(until), reason=reason.strip())
    told = {"until": until.isoformat(), "reason": reason.strip()}
    await _audit(tx, person, "snooze_light", lead, at=at, after=told)
    return until


def _refusal_to_snooze(lead: Lead, reason: str, *, until: date, today: date) -> str | None:
    if not reason.strip():
        return texts.SNOOZE_WITHOUT_REASON
    if len(reason.strip()) > MAX_REASON:
        return texts.SNOOZE_REASON_TOO_LONG
    return texts.SNOOZE_NOT_LATER if until <= today else None


async def _limited(tx: UnitOfWork, lead: Lead, person: Person, at: datetime) -> bool:
    """Whether only a rep's own limit applies: they are neither above the owner nor overseer."""
    if person.roles & OVERSEERS:
        return False
    if person.id == lead.opportunity.owner_id:
        return True
    leaders = await leaders_of(tx, lead.opportunity.owner_id, at)
    return person.id not in {leader.id for leader in leaders}


async def _snooze_all(
    tx: UnitOfWork,
    watch: Watch,
    opportunity_ids: Sequence[int],
    person: Person,
    *,
    action: CardAction,
    at: datetime,
) -> str:
    leads = await _theirs(tx, await _lit(tx, opportunity_ids), person, at)
    if not leads:
        raise NotAllowed(texts.NOT_YOURS)
    workdays = int(action.action.removeprefix(SNOOZE))
    for lead in leads:
        until = await snooze(
            tx,
            watch,
            lead.opportunity.id,
            person,
            at=at,
            reason=action.values.get(REASON, ""),
            workdays=workdays,
        )
    return texts.card_snoozed(until)


async def _lit(tx: UnitOfWork, opportunity_ids: Iterable[int]) -> list[Lead]:
    leads = await tx.lights.list_leads(opportunity_ids)
    lit = [lead for lead in leads if lead.episode is not None]
    if not lit:
        raise Refused(texts.NO_LIGHT)
    return lit


async def _theirs(
    tx: UnitOfWork, leads: Sequence[Lead], person: Person, at: datetime
) -> list[Lead]:
    """The leads this person may act on: the owner, the owner's leader, who was told of the
    light, and overseers."""
    if person.roles & OVERSEERS:
        return list(leads)
    keys = {
        lead.opportunity.id: (lead.opportunity.id, lead.episode.number)
        for lead in leads
        if lead.episode
    }
    told = await tx.lights.pushes.receivers(keys.values())
    theirs = []
    for lead in leads:
        deal = lead.opportunity
        concerned = {deal.owner_id, *told.get(keys[deal.id], ())}
        if person.id not in concerned:
            concerned |= {leader.id for leader in await leaders_of(tx, deal.owner_id, at)}
        if person.id in concerned:
            theirs.append(lead)
    return theirs


async def detail(
    tx: UnitOfWork, watch: Watch, leads: Sequence[Lead], person: Person, at: datetime
) -> str:
    """Each lead with what is known of it. Raises NotAllowed if none is theirs to see."""
    theirs = await _theirs(tx, leads, person, at)
    if not theirs:
        raise NotAllowed(texts.NOT_YOURS)
    shown = theirs[: watch.policy.pushes.group_max]
    views = await light_cards.view_leads(tx, watch, shown, reader_id=person.id, at=at)
    return "\n\n".join(_detail_block(watch, view, at) for view in views)


def _detail_block(watch: Watch, view: LeadView, at: datetime) -> str:
    deal = view.lead.opportunity
    stage = watch.libraries.stage(deal)
    return texts.detail(
        view.line,
        stage=stage.label if stage else "",
        amount=amount_words(deal.amount_fen) if deal.amount_fen is not None else "",
        next_contact=_local(watch, deal.next_contact_at),
        snoozed_until=_local(watch, _snoozed_until(view.lead, at)),
        acknowledged=bool(view.lead.episode and view.lead.episode.acked_at),
    )


def _snoozed_until(lead: Lead, at: datetime) -> datetime | None:
    episode = lead.episode
    return episode.snoozed_until if episode and episode.snoozed(at) else None


def _local(watch: Watch, at: datetime | None) -> datetime | None:
    return watch.calendar.local(at) if at else None


def _answer(card: ShownCard, content: Content, *, key: str) -> OutboundMessage:
    """Back to the chat that shows the card."""
    platform, app, _, user_id = card.address.split(":", 3)
    to = Address(Platform(platform), app, user_id=user_id)
    return OutboundMessage(dedupe_key=f"{card.card_id}@{key}", to=to, content=content)


async def _audit(
    tx: UnitOfWork,
    person: Person,
    action: str,
    lead: Lead,
    *,
    at: datetime,
    after: dict[str, str] | None = None,
) -> None:
    episode = lead.episode.number if lead.episode else 0
    await tx.audit.append(
        at=at,
        actor=f"person:{person.id}",
        action=action,
        subject=f"light:{lead.opportunity.id}:{episode}",
        before=None,
        after=after,
    )
