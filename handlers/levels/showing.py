"""Levels on the cards and pages of customers and deals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.levels import Evidence, level_at
from bot.domain.opportunities import Opportunity
from handlers.desk import Desk, Office
from handlers.texts import levels as texts
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LevelMove:
    """One change of a level, in words."""

    way: str
    when: str
    who: str


def last_day(office: Office, end: datetime) -> str:
    """«4月29日»: the last day before a midnight."""
    last = office.calendar.day_of(end - timedelta(seconds=1))
    return f"{last.month}月{last.day}日"


async def level_lines(desk: Desk, deals: Sequence[Opportunity]) -> list[str]:
    """For a customer's card: the level of its newest deal that has one."""
    current = await desk.tx.levels.current(deal.id for deal in deals)
    levels = [one for one in current.values() if one.after is not None]
    if not levels:
        return []
    newest = levels[-1]
    assert newest.after is not None
    held = await desk.tx.levels.evidence_of(newest.opportunity_id)
    ends = [one.expires_at for one in held if one.holds(desk.at)]
    until = last_day(desk.office, min(ends)) if ends else ""
    return [texts.level_line(newest.after, until)]


async def of_deal(
    tx: UnitOfWork, office: Office, opportunity_id: int, at: datetime
) -> tuple[str, tuple[LevelMove, ...], tuple[str, ...]]:
    """The level with its meaning, its changes and its evidence, the newest first."""
    changes = await tx.levels.changes_of(opportunity_id)
    held = await tx.levels.evidence_of(opportunity_id)
    level = level_at(changes, held, at)
    names = await tx.people.names(
        {one.by for one in changes if one.by is not None} | {one.added_by for one in held}
    )
    stored = await tx.files.list_some(one.sha256 for one in held if one.sha256)
    moves = tuple(
        LevelMove(texts.change_line(one), day(office, one.at), names.get(one.by or 0, ""))
        for one in reversed(changes)
    )
    lines = []
    for one in reversed(held):
        file = stored.get(one.sha256)
        added = f"{day(office, one.added_at)} {names.get(one.added_by, '')}"
        lines.append(evidence_line(office, one, file.name if file else "", added, at))
    told = f"{level}（{texts.MEANING[level]}）" if level is not None else ""
    return told, moves, tuple(lines)


def evidence_line(office: Office, evidence: Evidence, file: str, added: str, at: datetime) -> str:
    """A piece with what a machine read on it, and how it stands."""
    state = ""
    if evidence.withdrawn_at is not None:
        state = f"{day(office, evidence.withdrawn_at)}已撤回：{evidence.withdrawal_reason}"
    elif not evidence.holds(at):
        state = "已到期"
    said = [evidence.fields.get("need", ""), evidence.fields.get("contact", "")]
    read = (
        texts.recognised(evidence.fields)
        if evidence.machine_read
        else "，".join(x for x in said if x)
    )
    until = last_day(office, evidence.expires_at)
    return texts.evidence_line(
        evidence.id, what(evidence), file, added, until, state=state, read=read
    )


def what(piece: Evidence) -> str:
    """«采购订单 PO-2026-018»."""
    return f"{texts.KINDS[piece.kind]} {piece.number}".strip()


def day(office: Office, at: datetime) -> str:
    local = at.astimezone(office.zone)
    return f"{local.month}月{local.day}日"
