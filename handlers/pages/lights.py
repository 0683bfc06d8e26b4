"""The lights of a deal over the last weeks, as a ribbon and as a list; and heat maps as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.lights import Cleared
from bot.domain.opportunities import Light, Opportunity
from handlers.desk import Office
from handlers.lights.heatmap import HeatMap, LeadHeat, Signal
from handlers.pages.people import Names
from handlers.texts import pages as texts
from handlers.texts.dialog import short_company
from storage.lights import PastLight
from storage.unit_of_work import UnitOfWork

LOOK_BACK = timedelta(days=91)
WIDTH = 1000
"""Of a ribbon, in units of its own."""

_STEPS = (1, 2, 4)
"""From how many actions a day a cell of the heat map is darker."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the ribbon. light: green, yellow, red."""

    light: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One light in words."""

    light: str
    label: str
    began: str
    ended: str
    lasted: str
    acknowledged: str


@dataclass(frozen=True, slots=True)
class LightHistory:
    """episodes: the newest first. since, until: the ends of the ribbon, in words."""

    segments: tuple[Segment, ...]
    episodes: tuple[Episode, ...]
    since: str
    until: str
    summary: str


@dataclass(frozen=True, slots=True)
class Cell:
    """level: 0..3, how much was done; off: a day that is not worked."""

    count: int
    level: int
    off: bool
    title: str


@dataclass(frozen=True, slots=True)
class HeatTable:
    """heads: (what stands above a column, "" for most; the day in full)."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    total: int


async def history(
    tx: UnitOfWork, office: Office, deal: Opportunity, names: Names, at: datetime
) -> LightHistory:
    since = max(at - LOOK_BACK, min(deal.created_at, at))
    past = await tx.lights.history([deal.id], since=since)
    today = office.calendar.day_of(at)
    episodes = [await _episode(office, one, names, at) for one in reversed(past)]
    reds = sum(one.red_at is not None for one in past)
    days = max(1, (at - since).days)
    return LightHistory(
        segments=tuple(_segments(past, since, at)),
        episodes=tuple(episodes),
        since=texts.day(office.calendar.day_of(since), today),
        until="今天",
        summary=f"近{days}天亮灯{len(past)}次，其中红灯{reds}次"
        if past
        else f"近{days}天没有亮过灯",
    )


def _segments(past: Sequence[PastLight], since: datetime, until: datetime) -> list[Segment]:
    span = max(1.0, (until - since).total_seconds())

    def place(moment: datetime) -> int:
        return round(WIDTH * min(max((moment - since).total_seconds() / span, 0.0), 1.0))

    marks: list[tuple[int, Light]] = [(0, Light.GREEN)]
    for one in past:
        marks.append((place(one.yellow_at), Light.YELLOW))
        if one.red_at is not None:
            marks.append((place(one.red_at), Light.RED))
        if one.cleared_at is not None:
            marks.append((place(one.cleared_at), Light.GREEN))
    ends = [x for x, _ in marks[1:]] + [WIDTH]
    return [
        Segment(str(light), x, end - x)
        for (x, light), end in zip(marks, ends, strict=True)
        if end > x
    ]


async def _episode(office: Office, one: PastLight, names: Names, at: datetime) -> Episode:
    today = office.calendar.day_of(at)
    light = Light.RED if one.red_at else Light.YELLOW
    ended = "还亮着"
    if one.cleared_at is not None:
        why = texts.CLEARED[Cleared(one.cleared_reason)]
        ended = f"{texts.day(office.calendar.day_of(one.cleared_at), today)} · {why}"
    acknowledged = ""
    if one.acked_at is not None:
        when = texts.moment(one.acked_at.astimezone(office.zone), today)
        acknowledged = f"{await names.of(one.acked_by)} {when} 知道了"
    return Episode(
        light=str(light),
        label=texts.LIGHTS[light],
        began=texts.day(office.calendar.day_of(one.yellow_at), today),
        ended=ended,
        lasted=texts.lasted(((one.cleared_at or at) - one.yellow_at).days),
        acknowledged=acknowledged,
    )


def heat_table(heat: HeatMap) -> HeatTable:
    """One lead by kind of action, several by lead."""
    heads = tuple(
        (f"{day.month}/{day.day}" if _is_headed(heat, place) else "", f"{day.month}月{day.day}日")
        for place, day in enumerate(heat.days)
    )
    if len(heat.leads) == 1:
        lead = heat.leads[0]
        used = {signal for signal, _ in lead.counts}
        always = {Signal.CALL, Signal.VISIT}
        rows = [
            (str(signal), _cells(heat, lead, (signal,)))
            for signal in Signal
            if signal in used | always
        ]
    else:
        every = tuple(Signal)
        rows = [(short_company(lead.name), _cells(heat, lead, every)) for lead in heat.leads]
    total = sum(sum(lead.counts.values()) for lead in heat.leads)
    return HeatTable(heads, tuple(rows), total)


def level_of(count: int) -> int:
    return sum(count >= step for step in _STEPS)


def _is_headed(heat: HeatMap, place: int) -> bool:
    """Mondays, and the first column."""
    return heat.days[place].weekday() == 0 or place == 0


def _cells(heat: HeatMap, lead: LeadHeat, signals: tuple[Signal, ...]) -> tuple[Cell, ...]:
    cells = []
    for day in heat.days:
        count = sum(lead.counts.get((signal, day), 0) for signal in signals)
        later = day > heat.today
        title = "" if later else f"{day.month}月{day.day}日 {count}次"
        cells.append(Cell(count, level_of(count), day in heat.off or later, title))
    return tuple(cells)
