"""A company's own opportunities as a `Table`, and what the forecaster says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from bot.domain.machine_forecasts import TOTAL, MachineForecast, Quantiles, of_rep, of_team
from handlers.machine_forecast import explaining
from handlers.machine_forecast.arrays import Floats, Ints, tally
from handlers.machine_forecast.explaining import VERSION
from handlers.machine_forecast.marks import LEVEL, STAGE, MarkColumns
from handlers.machine_forecast.predicting import (
    ENOUGH_DAYS,
    ENOUGH_WINS,
    Estimate,
    Forecast,
    predict,
)
from handlers.machine_forecast.standing import Lift
from handlers.machine_forecast.table import OPEN, Table, as_known
from handlers.texts import machine_forecast as texts
from storage.forecast_history import PastDeal, PastMark

HORIZONS = (30, 60, 90)
RECENT_DAYS = 91
MATTERS = 0.05
"""Part of a forecast from which on what a level or a stage does to it is named."""


@dataclass(slots=True)
class Collected:
    """Columns that grow page by page. Days are judged in the team's zone. stages: key -> what
    people call it; those of one name are one."""

    zone: ZoneInfo
    stages: Mapping[str, str] = field(default_factory=dict)
    owner: list[int] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    won: list[bool] = field(default_factory=list)
    yuan: list[float] = field(default_factory=list)
    marks: MarkColumns = field(default_factory=MarkColumns)

    def add(self, deals: Iterable[PastDeal]) -> None:
        for one in deals:
            self._add_marks(len(self.owner), one.marks)
            created = one.created_at.astimezone(self.zone).toordinal()
            ended = one.ended_at
            closed = OPEN if ended is None else ended.astimezone(self.zone).toordinal()
            self.owner.append(one.owner_id)
            self.created.append(created)
            self.closed.append(max(closed, created))
            self.won.append(one.won)
            self.yuan.append(np.nan if one.amount_fen is None else one.amount_fen / 100)

    def _add_marks(self, row: int, marks: Iterable[PastMark]) -> None:
        for one in marks:
            day = one.at.astimezone(self.zone).toordinal()
            if one.stage:
                name = self.stages.get(one.stage, one.stage)
                self.marks.add(row, day, STAGE, name, opening=one.opening)
            else:
                self.marks.add(row, day, LEVEL, str(one.level or ""), opening=False)

    def table(self) -> tuple[Table, list[int]]:
        """One «team» for each owner, and the owners in that order."""
        owners, codes = np.unique(np.array(self.owner, dtype=np.int64), return_inverse=True)
        won, yuan = np.array(self.won, dtype=np.bool_), np.array(self.yuan, dtype=np.float64)
        size = len(self.owner)
        table = Table(
            created=np.array(self.created, dtype=np.int64),
            closed=np.array(self.closed, dtype=np.int64),
            won=won,
            value=np.where(won, np.nan_to_num(yuan), 0.0),
            price=yuan,
            team=codes.astype(np.int64),
            product=np.zeros(size, dtype=np.int64),
            teams=tuple(str(one) for one in owners.tolist()),
            products=("",),
            marks=self.marks.marks(),
        )
        return table, owners.tolist()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One scope before it is worded."""

    scope: str
    estimates: Mapping[int, Estimate]
    wins: int
    recent: float
    waiting: int
    open_yuan: float
    lifts: tuple[Lift, ...]


def foresee(
    collected: Collected, team_of: Mapping[int, int], origin: date, made_at: datetime
) -> list[MachineForecast]:
    """Company, teams and reps. team_of: owner -> leader. With too little history nothing is
    foreseen, and that is what the forecast of the company says."""
    if not collected.owner:
        return []
    by_rep, _ = collected.table()
    known = as_known(by_rep, origin.toordinal())
    wins = int(known.won.sum())
    ended = known.closed[known.won]
    days = origin.toordinal() - int(ended.min(initial=origin.toordinal())) + 1
    if wins < ENOUGH_WINS or days < ENOUGH_DAYS:
        said = texts.not_enough(wins, ENOUGH_WINS, days, ENOUGH_DAYS)
        return [MachineForecast(origin, TOTAL, {}, False, VERSION, (said,), VERSION, made_at)]
    whole = predict(by_rep, origin.toordinal(), HORIZONS)
    found = [
        MachineForecast(
            origin, TOTAL, _quantiles(whole.total), True, whole.method,
            whole.reasons[:3], whole.version, made_at,
        )
    ]  # fmt: skip
    total = whole.total[HORIZONS[-1]].point
    for name, rows in _groups(by_rep, team_of).items():
        table = rows
        foreseen = whole if name == "rep" else predict(table, origin.toordinal(), HORIZONS)
        scope_of = of_rep if name == "rep" else of_team
        seen = as_known(table, origin.toordinal())
        won, recent, waiting, worth = _counts(seen, origin.toordinal())
        for place, team in enumerate(seen.teams):
            estimates = foreseen.by_team[team]
            one = Foreseen(
                scope_of(int(team)), estimates, int(won[place]), recent[place], int(waiting[place]),
                worth[place], foreseen.lifts.get(team, ()),
            )  # fmt: skip
            found.append(_worded(one, total, foreseen, origin, made_at))
    return found


def _groups(by_rep: Table, team_of: Mapping[int, int]) -> dict[str, Table]:
    """The same deals by rep, and by the leader of the rep (reps without one are left out of no
    sum: they stand for themselves)."""
    leaders = np.array([team_of.get(int(rep), int(rep)) for rep in by_rep.teams], dtype=np.int64)
    names, codes = np.unique(leaders, return_inverse=True)
    team: Ints = codes.astype(np.int64)[by_rep.team]
    by_team = replace(by_rep, team=team, teams=tuple(str(one) for one in names.tolist()))
    return {"team": by_team, "rep": by_rep}


def _counts(seen: Table, origin: int) -> tuple[list[float], ...]:
    """Of each team: wins, won yuan of the last quarter, open deals, open yuan."""
    size = len(seen.teams)
    recent = seen.won & (seen.closed > origin - RECENT_DAYS)
    ones: Floats = np.ones(len(seen))
    wins = tally(seen.team[seen.won], ones[seen.won], size)
    lately = tally(seen.team[recent], seen.value[recent], size)
    waiting = tally(seen.team[seen.is_open], ones[seen.is_open], size)
    worth = tally(seen.team[seen.is_open], np.nan_to_num(seen.price[seen.is_open]), size)
    return tuple(of.tolist() for of in (wins, lately, waiting, worth))


def _worded(
    foreseen: Foreseen, total: float, said: Forecast, origin: date, made_at: datetime
) -> MachineForecast:
    enough = foreseen.wins >= ENOUGH_WINS
    share = foreseen.estimates[HORIZONS[-1]].point / total if total > 0 else 0.0
    reasons = [
        texts.share_of_total(share),
        texts.won_lately(RECENT_DAYS, foreseen.recent, foreseen.wins),
        _of_open(foreseen),
    ]
    if not enough:
        reasons.insert(0, texts.few_wins(foreseen.wins, ENOUGH_WINS))
    return MachineForecast(
        origin, foreseen.scope, _quantiles(foreseen.estimates), enough, said.method,
        tuple(reasons), said.version, made_at,
    )  # fmt: skip


def _of_open(foreseen: Foreseen) -> str:
    """How the open deals stand, where that does something to the forecast; else how many."""
    lifts = explaining.named(foreseen.lifts, MATTERS * foreseen.estimates[HORIZONS[-1]].point)
    return (
        texts.standing(lifts) if lifts else texts.still_open(foreseen.waiting, foreseen.open_yuan)
    )


def _quantiles(estimates: Mapping[int, Estimate]) -> dict[int, Quantiles]:
    return {
        days: Quantiles(*(round(yuan * 100) for yuan in (of.p20, of.point, of.p80)))
        for days, of in estimates.items()
    }
