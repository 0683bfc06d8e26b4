"""Which deals were lost, one by one."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.people import Role
from bot.errors import NotAllowed
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading.teams import LEADING, OVERSEERS
from handlers.refusals.scope import period, seen_by
from handlers.texts import refusals as texts

MOST = 12
READERS = LEADING | {Role.REP}
"""Product managers are told of customers without their names: «拒绝原因»."""


async def show(desk: Desk, words: str) -> None:
    """«丢单清单 上月»: a rep's own, a supervisor's people's, everybody's for who may see them."""
    if not desk.rep.roles & READERS:
        raise NotAllowed(texts.NOT_ONE_BY_ONE)
    tx, calendar = desk.tx, desk.office.calendar
    since, until = period(desk.office, words, desk.at)
    losses = await tx.refusals.losses(since=since, until=until)
    losses = await seen_by(tx, desk.rep, losses, all_for=OVERSEERS)
    latest = {loss.opportunity_id: loss for loss in losses}  # a deal lost twice counts once
    newest = sorted(latest.values(), key=lambda loss: loss.lost_at, reverse=True)
    shown = newest[:MOST]
    deals = await tx.opportunities.list_some(loss.opportunity_id for loss in shown)
    names = await tx.people.names(loss.actor_id for loss in shown if loss.actor_id is not None)
    lines = [
        texts.lost_deal(
            calendar.day_of(loss.lost_at),
            deals[loss.opportunity_id],
            loss.primary,
            "" if loss.actor_id == desk.rep.id else names.get(loss.actor_id or 0, ""),
        )
        for loss in shown
    ]
    last = calendar.day_of(until - timedelta(seconds=1))
    title = texts.lost_deals(calendar.day_of(since), last)
    if len(newest) > MOST:
        lines.append(texts.and_more(len(newest) - MOST))
    customers.tell_alone(desk, title, "\n".join([f"**{title}**", *(lines or [texts.NONE])]))
