"""Whose lost deals somebody may know of, and of which time."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from bot.domain.people import Person, Role
from bot.domain.refusals import Loss
from bot.errors import InvalidInput
from handlers.customers import customers
from handlers.desk import Office
from handlers.leading import teams
from handlers.texts import refusals as texts
from storage.unit_of_work import UnitOfWork

WEEK = timedelta(days=7)
USUAL = timedelta(days=28)

_DAYS = re.compile(r"(?:最?近)?(?P<days>\d{1,3}) ?天")


async def seen_by(
    tx: UnitOfWork, reader: Person, losses: list[Loss], *, all_for: frozenset[Role]
) -> list[Loss]:
    """Everybody's for these roles, else of the reader and of the people they lead."""
    if reader.roles & all_for:
        return losses
    actors = {loss.actor_id for loss in losses if loss.actor_id is not None}
    seen = {reader.id, *(one.id for one in await teams.below(tx, reader))}
    for actor_id in actors - seen:
        if await customers.leads(tx, reader, actor_id):
            seen.add(actor_id)
    return [loss for loss in losses if loss.actor_id in seen]


def last_week(office: Office, at: datetime) -> tuple[datetime, datetime]:
    today = office.calendar.day_of(at)
    monday = today - timedelta(days=today.weekday())
    return office.calendar.midnight(monday - WEEK), office.calendar.midnight(monday)


def period(office: Office, words: str, at: datetime) -> tuple[datetime, datetime]:
    """[since, until). Raises InvalidInput."""
    midnight = office.calendar.midnight
    today = office.calendar.day_of(at)
    month = today.replace(day=1)
    quarter = _quarter_of(today)
    if not words:
        return at - USUAL, at
    if words == "上周":
        return last_week(office, at)
    if words in ("上月", "上个月"):
        return midnight((month - timedelta(days=1)).replace(day=1)), midnight(month)
    if words in ("上季度", "上个季度"):
        return midnight(_quarter_of(quarter - timedelta(days=1))), midnight(quarter)
    begun = {
        "本周": today - timedelta(days=today.weekday()),
        "这周": today - timedelta(days=today.weekday()),
        "本月": month,
        "这个月": month,
        "本季度": quarter,
        "这个季度": quarter,
        "今年": date(today.year, 1, 1),
    }.get(words)
    if begun is not None:
        return midnight(begun), at
    match = _DAYS.fullmatch(words)
    if match is None or not 1 <= int(match["days"]) <= 365:
        raise InvalidInput(texts.WHICH_PERIOD)
    return at - timedelta(days=int(match["days"])), at


def _quarter_of(day: date) -> date:
    """Its first day."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
