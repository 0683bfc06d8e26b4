"""`/refusals`: why customers said no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.activities import OBJECTIONS
from bot.domain.people import Person
from bot.domain.refusals import ENOUGH
from handlers.desk import Office
from handlers.refusals import reporting
from handlers.texts import refusals as texts
from storage.unit_of_work import UnitOfWork

PERIODS = {
    "": "近28天",
    "上周": "上周",
    "本月": "本月",
    "上月": "上月",
    "本季度": "本季度",
    "上季度": "上季度",
    "近90天": "近90天",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """width: 0..100, against the most frequent one. share, trend: "" where there is too little
    to tell."""

    label: str
    count: int
    width: int
    share: str
    trend: str
    mentioned: int


@dataclass(frozen=True, slots=True)
class RefusalsPage:
    """quotes: (heading, lines) of the last weekly report. least: deals with a reason below
    which no share is told."""

    title: str
    period: str
    periods: tuple[tuple[str, str], ...]
    lost: int
    told: int
    enough: bool
    least: int
    reasons: tuple[Reason, ...]
    quotes: tuple[tuple[str, tuple[str, ...]], ...]


async def page(
    tx: UnitOfWork, office: Office, reader: Person, *, period: str, at: datetime
) -> RefusalsPage:
    """Raises NotAllowed, and InvalidInput for a period that is none."""
    report, details = await reporting.read(tx, office, reader, period, at)
    first = office.calendar.day_of(report.since)
    last = office.calendar.day_of(report.until - timedelta(seconds=1))
    mentioned = dict(report.mentioned)
    most = max((share.count for share in report.shares), default=1)
    return RefusalsPage(
        title=texts.title(first, last),
        period=period,
        periods=tuple(PERIODS.items()),
        lost=report.lost,
        told=report.told,
        enough=report.enough,
        least=ENOUGH,
        reasons=tuple(
            Reason(
                label=OBJECTIONS.get(share.code, share.code),
                count=share.count,
                width=share.count * 100 // most,
                share=texts.percent(share.tenths) if report.enough else "",
                trend=texts.trend(share.change) if share.change is not None else "",
                mentioned=mentioned.get(share.code, 0),
            )
            for share in report.shares
        ),
        quotes=_quotes(details),
    )


def _quotes(details: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The markdown of the report, as far as it has headings and lists."""
    found: list[tuple[str, list[str]]] = []
    for line in details.splitlines():
        if line.startswith("**"):
            found.append((line.strip("*"), []))
        elif found and line.startswith("- "):
            found[-1][1].append(line[2:])
    return tuple((heading, tuple(lines)) for heading, lines in found)
