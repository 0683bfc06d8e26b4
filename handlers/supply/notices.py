"""A level or a deal has changed: what warehouse and planning must hear, in its transaction."""

from __future__ import annotations

from datetime import datetime

from bot.domain import supply as rules
from bot.domain.levels import EvidenceKind, Level, LevelChange
from bot.domain.opportunities import Opportunity
from bot.domain.supply import DealStanding, Notice, NoticeKind, Station
from bot.messages import Address, Button, Card, Content, Markdown, OutboundMessage
from handlers.desk import Office
from handlers.erp import erp_entries
from handlers.people import directory
from handlers.supply import groups
from handlers.texts import levels as level_texts
from handlers.texts import supply as texts
from storage.unit_of_work import UnitOfWork

PREFIX = "supply-"
ACKNOWLEDGE = "ack"


async def on_level(
    tx: UnitOfWork, office: Office, deal: Opportunity, change: LevelChange
) -> list[OutboundMessage]:
    """A follower of `handlers.levels.changing`: the deal is locked."""
    if Level.L1 not in (change.before, change.after):
        return []
    standing = DealStanding(change.after, deal.amount_fen, deal.state in rules.CANCELLED)
    reason = "" if change.after is Level.L1 else level_texts.change_line(change)
    return await _tell(tx, office, deal, standing, at=change.at, reason=reason)


async def on_deal(
    tx: UnitOfWork, office: Office, before: Opportunity, after: Opportunity, at: datetime
) -> list[OutboundMessage]:
    """The deal, locked, has been saved otherwise than it was. Costs nothing unless its amount
    changed, or it was lost or came back."""
    cancelled = after.state in rules.CANCELLED
    same_end = cancelled is (before.state in rules.CANCELLED)
    if same_end and before.amount_fen == after.amount_fen:
        return []
    newest = (await tx.levels.current([after.id])).get(after.id)
    if newest is None:
        return []
    reason = texts.LOST if cancelled else ""
    standing = DealStanding(newest.after, after.amount_fen, cancelled)
    return await _tell(tx, office, after, standing, at=at, reason=reason)


async def _tell(
    tx: UnitOfWork,
    office: Office,
    deal: Opportunity,
    now: DealStanding,
    *,
    at: datetime,
    reason: str,
) -> list[OutboundMessage]:
    last = await tx.supply.last_of(deal.id)
    kind = rules.next_notice(
        now,
        last.kind if last else None,
        last.amount_fen if last else None,
        above_fen=office.policy.supply.above_fen,
    )
    if kind is None:
        return []
    notice = await tx.supply.append(
        Notice(
            id=0,
            opportunity_id=deal.id,
            kind=kind,
            generation=last.generation + 1 if last else 1,
            evidence_id=await _evidence_id(tx, office, kind, last, at),
            amount_fen=now.amount_fen or 0,
            before_fen=last.amount_fen if last and kind is not NoticeKind.PUSH else None,
            reason=reason,
            at=at,
        )
    )
    await _note(tx, deal, notice)
    return await _messages(tx, office, deal, notice)


async def _evidence_id(
    tx: UnitOfWork, office: Office, kind: NoticeKind, last: Notice | None, at: datetime
) -> str:
    """A push gets one of its own; what follows it carries the same."""
    if last is not None and kind is not NoticeKind.PUSH:
        return last.evidence_id
    day = office.calendar.day_of(at)
    return rules.evidence_id(day, await tx.supply.next_number(day))


async def _note(tx: UnitOfWork, deal: Opportunity, notice: Notice) -> None:
    await erp_entries.enter(
        tx,
        deal.account_id,
        texts.ENTRY,
        texts.entry(notice),
        occurred_at=notice.at,
        at=notice.at,
        key=notice.key,
        opportunity_id=deal.id,
    )
    await tx.audit.append(
        at=notice.at,
        actor="system",
        action=f"supply_{notice.kind}",
        subject=f"opportunity:{deal.id}",
        before={"amount_fen": notice.before_fen},
        after={"amount_fen": notice.amount_fen, "evidence_id": notice.evidence_id},
    )


async def _messages(
    tx: UnitOfWork, office: Office, deal: Opportunity, notice: Notice
) -> list[OutboundMessage]:
    """One for each place; in quiet hours they wait for the morning."""
    body = texts.lines(notice, above_fen=office.policy.supply.above_fen)
    facts = await _facts(tx, deal, notice)
    morning = office.first_allowed(notice.at)
    messages: list[OutboundMessage] = []
    unheard: list[Station] = []
    for station in Station:
        places = await groups.addresses(tx, office, station)
        if not places:
            unheard.append(station)
        cards = 0
        for to in places:
            card = Card(
                card_id=f"{PREFIX}{notice.id}-{station}-{cards}",
                title=texts.TITLES[notice.kind],
                lines=body,
                facts=facts,
                buttons=(Button(ACKNOWLEDGE, texts.ACKNOWLEDGE, style="primary"),),
            )
            content: Content = card
            if to.webhook is not None:
                content = Markdown(card.title, texts.in_words(notice, body, facts))
            else:
                cards += 1
                await _remember(tx, card, notice, to)
            key = f"{notice.key}:{station}:{to.key}"
            subject = f"supply:{notice.opportunity_id}"
            messages.append(OutboundMessage(key, to, content, not_before=morning, subject=subject))
    if unheard:
        text = texts.unheard(notice, unheard)
        messages += await directory.tell_admins(tx, office, text, key=f"unheard:{notice.key}")
    return messages


async def _facts(tx: UnitOfWork, deal: Opportunity, notice: Notice) -> tuple[tuple[str, str], ...]:
    orders = [
        one.number
        for one in await tx.levels.evidence_of(deal.id)
        if one.kind is EvidenceKind.PURCHASE_ORDER and one.holds(notice.at)
    ]
    rep = await tx.people.get(deal.owner_id)
    return texts.facts(
        notice,
        customer=deal.account_name,
        deal=deal.name,
        rep=rep.name,
        order="、".join(orders),
    )


async def _remember(tx: UnitOfWork, card: Card, notice: Notice, to: Address) -> None:
    await tx.cards.show(
        card,
        to.key,
        subject=f"supply:{notice.opportunity_id}",
        at=notice.at,
        data={"lines": list(card.lines), "facts": [list(fact) for fact in card.facts]},
    )
