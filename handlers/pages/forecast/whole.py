"""The page of forecasts as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.forecasts import TOP
from bot.domain.people import Person
from bot.errors import InvalidInput
from handlers.desk import Office
from handlers.forecasts import reading
from handlers.pages.forecast.changes import AccuracyRow, Bridge, accuracy_of, bridge_of
from handlers.pages.forecast.deals import DealRow, Group, deal_row, groups_of
from handlers.pages.forecast.people import Row, rows_of
from handlers.pages.forecast.scope import scope_of
from handlers.pages.forecast.sums import Machine, Sum, Target, machine_of, sums_of, target_of
from handlers.texts.figures import week_words
from storage.unit_of_work import UnitOfWork

NO_SUCH_PLACE = "后面没有了。"
ROWS = 50


@dataclass(frozen=True, slots=True)
class ForecastPage:
    """title: whose. rows: people or teams below, for leaders, of `parts` in all those from `start`
    on; groups: of one person's `lines` those from `start` on. address: of the first page. missing:
    who has not submitted."""

    title: str
    way_back: str
    week: str
    sums: tuple[Sum, ...]
    target: Target | None
    machine: Machine | None
    rows: tuple[Row, ...]
    address: str
    start: int
    parts: int
    missing: tuple[str, ...]
    groups: tuple[Group, ...]
    lines: int
    top: tuple[DealRow, ...]
    bridge: Bridge | None
    weeks: tuple[str, ...]
    accuracy: tuple[AccuracyRow, ...]


async def page(
    tx: UnitOfWork, office: Office, reader: Person, asked: Mapping[str, str], at: datetime
) -> ForecastPage:
    """Raises NotAllowed, NotFound, InvalidInput for a week that nobody submitted in and for a
    place that is none."""
    scope = await scope_of(tx, reader, asked, at)
    today = office.calendar.day_of(at)
    ids = [one.id for one in scope.people]
    history = await reading.history(tx, office, scope.people, at)
    newest = list({one.person_id: one for one in history}.values())
    signed = await reading.signed(tx, office, newest, at)
    deals = await tx.opportunities.list_some({x.opportunity_id for f in history for x in f.lines})
    persons = {one.id: one.name for one in scope.people}
    aim = await reading.aim(tx, office, scope.people, at)
    who = {line.id: persons[one.person_id] for one in newest for line in one.lines}
    ranked = sorted(signed, key=lambda one: (-one.line.amount_fen, one.line.id))
    weeks = tuple(sorted({one.week for one in history}, reverse=True))
    start = _place(asked.get("start", ""), len(scope.parts) or len(signed))
    return ForecastPage(
        title=scope.title,
        way_back=scope.way_back,
        week=week_words(newest[0].week) if len({one.week for one in newest}) == 1 else "",
        sums=sums_of(signed, aim),
        target=target_of(aim),
        machine=await machine_of(tx, scope.machine),
        rows=await rows_of(tx, scope.parts[start : start + ROWS], newest, signed),
        start=start,
        address=_address(asked),
        parts=len(scope.parts),
        missing=tuple(persons[one] for one in ids if one not in {f.person_id for f in newest}),
        groups=groups_of(signed, deals, who, today, start=start) if not scope.parts else (),
        lines=len(signed) if not scope.parts else 0,
        top=tuple(deal_row(one, deals, who) for one in ranked[:TOP]) if scope.parts else (),
        bridge=bridge_of(history, deals, weeks, asked),
        weeks=weeks,
        accuracy=await accuracy_of(tx, office, history, persons, at),
    )


def _address(asked: Mapping[str, str]) -> str:
    """Of the same people's first page."""
    whose = [f"{key}={asked[key]}" for key in ("team", "person") if asked.get(key)]
    return f"/forecast?{whose[0]}" if whose else "/forecast"


def _place(words: str, parts: int) -> int:
    """Raises InvalidInput."""
    if not re.fullmatch(r"\d{0,9}", words, re.ASCII) or int(words or 0) > parts:
        raise InvalidInput(NO_SUCH_PLACE)
    return int(words or 0)
