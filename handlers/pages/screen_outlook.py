"""The big screen's fourth turn: what is forecast beside the target and the machine; and, for who
oversees all, supply notices and how healthy bonuses are. Sums of teams, never one person's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.domain import forecasts as rules
from bot.domain.forecasts import Category
from bot.domain.machine_forecasts import TOTAL, of_team
from bot.domain.people import Person
from handlers.desk import Office
from handlers.forecasts import reading
from handlers.leading import teams
from handlers.payouts import health
from handlers.texts import screen as texts
from handlers.texts.figures import quarter_words
from storage.unit_of_work import UnitOfWork

SUPPLY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, in fen and in words."""

    fen: int
    words: str


@dataclass(frozen=True, slots=True)
class Band:
    """What the machine expects to be won within so many days."""

    label: str
    low: Money
    middle: Money
    high: Money


@dataclass(frozen=True, slots=True)
class TeamOutlook:
    """share: won and committed, of the team's target, in words; "—" without one. width: the same
    as a bar, 0..100."""

    name: str
    won: str
    commit: str
    best: str
    share: str
    width: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of the present quarter. target: None where nobody has one. people: who has forecast. gap:
    in words, "" without a target. notes: what is missing and how to get it."""

    quarter: str
    target: Money | None
    won: Money
    commit: Money
    best: Money
    people: int
    gap: str
    bands: tuple[Band, ...]
    teams: tuple[TeamOutlook, ...]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.target or self.bands or self.won.fen or self.people)


@dataclass(frozen=True, slots=True)
class Vital:
    """One large figure, "—" where there is none yet. note: of how many, and what it means."""

    label: str
    value: str
    unit: str
    note: str
    tone: str


async def outlook(
    tx: UnitOfWork,
    office: Office,
    reader: Person,
    by_leader: Mapping[int, Sequence[Person]],
    *,
    names: Mapping[int, str],
    at: datetime,
) -> Outlook:
    """by_leader: the teams that are shown. names: how they are called."""
    calendar = office.calendar
    today = calendar.day_of(at)
    quarter = rules.quarter_of(today)
    ids = [one.id for people in by_leader.values() for one in people]
    targets = await tx.forecasts.targets(quarter, ids)
    begin, end = (calendar.moment(day, time.min) for day in reading.quarter_days(today))
    won = await tx.forecast_sums.won_by_owner(begin, end)
    sums = await reading.expected(tx, office, ids, at)
    rows = {
        leader: _row([one.id for one in people], targets, won, sums)
        for leader, people in by_leader.items()
    }
    whole = _Row(*(sum(one) for one in zip(*(row.parts for row in rows.values()), strict=True)))
    bands, said = await _machine(tx, reader, by_leader)
    notes = [
        "" if targets else texts.NO_TARGET.format(quarter),
        "" if sums else texts.NO_LINES,
        said,
    ]
    return Outlook(
        quarter=quarter_words(quarter),
        target=_money(whole.target) if targets else None,
        won=_money(whole.won),
        commit=_money(whole.commit),
        best=_money(whole.best),
        people=len(sums),
        gap=texts.gap(whole.target, whole.won, whole.commit) if targets else "",
        bands=bands,
        teams=_teams(rows, names),
        notes=tuple(one for one in notes if one),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """Fen of a team."""

    target: int = 0
    won: int = 0
    commit: int = 0
    best: int = 0

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return self.target, self.won, self.commit, self.best


def _row(
    ids: Sequence[int],
    targets: Mapping[int, int],
    won: Mapping[int, int],
    sums: Mapping[int, Mapping[Category, tuple[int, int]]],
) -> _Row:
    own = [sums[one] for one in ids if one in sums]
    return _Row(
        sum(targets.get(one, 0) for one in ids),
        sum(won.get(one, 0) for one in ids),
        sum(one[Category.COMMIT][0] for one in own),
        sum(one[Category.BEST_CASE][0] for one in own),
    )


def _teams(rows: Mapping[int, _Row], names: Mapping[int, str]) -> tuple[TeamOutlook, ...]:
    """Only where several are compared; the farthest from its target first."""
    shown = [(leader, row) for leader, row in rows.items() if any(row.parts)]
    if len(rows) < 2:
        return ()

    def share(row: _Row) -> int | None:
        reached = row.won + row.commit
        return (200 * reached + row.target) // (2 * row.target) if row.target else None

    def order(one: tuple[int, _Row]) -> tuple[bool, int, str]:
        reached = share(one[1])
        return reached is None, reached or 0, names[one[0]]

    return tuple(
        TeamOutlook(
            names[leader],
            texts.money(row.won),
            texts.money(row.commit),
            texts.money(row.best),
            "—" if share(row) is None else f"{share(row)}%",
            min(share(row) or 0, 100),
        )
        for leader, row in sorted(shown, key=order)
    )


async def _machine(
    tx: UnitOfWork, reader: Person, by_leader: Mapping[int, Sequence[Person]]
) -> tuple[tuple[Band, ...], str]:
    """And what is to be said of them. Bands of several teams do not add up, so that of a part of
    the company there is only that of one team."""
    if reader.roles & teams.OVERSEERS:
        scope = TOTAL
    elif set(by_leader) == {reader.id}:
        scope = of_team(reader.id)
    else:
        return (), ""
    found = (await tx.machine_forecasts.latest([scope])).get(scope)
    if found is None:
        return (), texts.NO_MACHINE
    bands = tuple(
        Band(texts.HORIZON.format(days), _money(of.p20), _money(of.p50), _money(of.p80))
        for days, of in sorted(found.by_horizon.items())
    )
    if not bands:
        return (), texts.no_machine(found.reasons)
    return bands, "" if found.enough else texts.LITTLE_HISTORY


async def vitals(tx: UnitOfWork, office: Office, reader: Person, at: datetime) -> tuple[Vital, ...]:
    """Nothing for who does not oversee all: supply and bonuses are not theirs to see."""
    if not reader.roles & teams.OVERSEERS:
        return ()
    lately = await tx.supply.lately(at - timedelta(days=SUPPLY_DAYS))
    found = await health.figures(tx, office, at)
    last = found.changes[0] if found.changes else None
    supply = texts.supply(lately.count, lately.fen, lately.waiting, days=SUPPLY_DAYS)
    told = {
        "备货通知": supply,
        "人均激励兑现率": texts.realisation(found.paid, found.since, found.until),
        "规则变更影响面": texts.impact(last.day, last.changed, last.people)
        if last is not None
        else texts.NO_IMPACT,
        "申诉关闭时效": texts.closing(found.closing, still_open=found.still_open),
    }
    tones = {"备货通知": "yellow" if lately.waiting else ""}
    return tuple(Vital(label, *said, tones.get(label, "")) for label, said in told.items())


def _money(fen: int) -> Money:
    return Money(fen, texts.money(fen))
