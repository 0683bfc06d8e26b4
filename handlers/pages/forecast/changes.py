"""What changed between two weeks, and how well earlier forecasts held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import forecasts as rules
from bot.domain.forecasts import Forecast, Move, Won
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.errors import InvalidInput
from handlers.desk import Office
from handlers.forecasts import reading
from handlers.pages.forecast.sums import money
from handlers.texts import submissions as texts
from handlers.texts.figures import week_words
from storage.unit_of_work import UnitOfWork

NO_SUCH_WEEK = "没有这一周的提交，请从页面上的几周里选。"
_GONE = (OpportunityState.LOST, OpportunityState.INVALID)


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of change between two weeks. tone: green for more, red for less."""

    label: str
    amount: str
    tone: str
    customers: str


@dataclass(frozen=True, slots=True)
class Bridge:
    """What led from one week's forecast to another's, step by step."""

    was_week: str
    now_week: str
    was: str
    now: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """How well forecasts held, for one person, level or horizon."""

    label: str
    share: str
    lines: int
    slipped: int


def bridge_of(
    history: Sequence[Forecast],
    deals: Mapping[int, Opportunity],
    weeks: Sequence[str],
    asked: Mapping[str, str],
) -> Bridge | None:
    """Between the last two weeks, or those that are asked for; weeks: the newest first."""
    if len(weeks) < 2:
        return None
    now_week = asked.get("to") or weeks[0]
    earlier = [one for one in weeks if one < now_week]
    was_week = asked.get("from") or (earlier[0] if earlier else "")
    if now_week not in weeks or was_week not in weeks or was_week >= now_week:
        raise InvalidInput(NO_SUCH_WEEK)
    was, now = (
        [line for one in history if one.week == week for line in one.lines]
        for week in (was_week, now_week)
    )
    changes = rules.bridge(
        was,
        now,
        won=[number for number, one in deals.items() if one.state is OpportunityState.WON],
        lost=[number for number, one in deals.items() if one.state in _GONE],
    )
    steps = []
    for move in Move:
        ones = [one for one in changes if one.move is move]
        if ones and move is not Move.SAME:
            delta = sum(one.delta_fen for one in ones)
            names = [deals[one.opportunity_id].account_name for one in ones]
            told = "、".join(names[:5]) + (f" 等{len(names)}家" if len(names) > 5 else "")
            tone = "green" if delta > 0 else "red" if delta < 0 else ""
            sign = "+" if delta > 0 else ""
            steps.append(Step(texts.MOVES[move], f"{sign}{money(delta)}", tone, told))
    before, after = (money(sum(x.amount_fen for x in side)) for side in (was, now))
    return Bridge(week_words(was_week), week_words(now_week), before, after, tuple(steps))


async def accuracy_of(
    tx: UnitOfWork,
    office: Office,
    history: Sequence[Forecast],
    persons: Mapping[int, str],
    at: datetime,
) -> tuple[AccuracyRow, ...]:
    numbers = {line.opportunity_id for one in history for line in one.lines}
    calendar = office.calendar
    won = {
        number: Won(calendar.day_of(when), fen)
        for number, (when, fen) in (await tx.forecasts.wins(numbers)).items()
    }
    scores = rules.accuracies(history, won, calendar.day_of(at))
    labels = {"rep": lambda key: persons.get(int(key), ""), "horizon": "{}天".format}
    return tuple(
        AccuracyRow(
            label=labels.get(kind, str)(key),
            share="—" if found.share is None else f"{round(100 * found.share)}%",
            lines=found.lines,
            slipped=found.slipped,
        )
        for (kind, key), found in sorted(scores.by.items())
        if kind != "rep" or len(persons) <= reading.MOST_PEOPLE
    )
