"""The list of people or teams: what each has submitted, and what their leader says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.forecasts import Category, Forecast
from handlers.forecasts import reading
from handlers.forecasts.reading import Signed
from handlers.pages.forecast.scope import Part
from handlers.pages.forecast.sums import money
from handlers.texts import submissions as texts
from handlers.texts.figures import week_number
from storage.unit_of_work import UnitOfWork

NOT_YET = "—"


@dataclass(frozen=True, slots=True)
class Row:
    """A person, or a team for who oversees several. address: "" where there is nothing behind."""

    name: str
    address: str
    week: str
    mark: str
    commit: str
    best: str
    pipeline: str
    judgement: str


async def rows_of(
    tx: UnitOfWork, parts: Sequence[Part], newest: Sequence[Forecast], signed: Sequence[Signed]
) -> tuple[Row, ...]:
    judged = await tx.forecasts.judgements(one.id for one in newest)
    judges = await tx.people.names({one.by for one in judged.values()})
    marks = await reading.marks(tx, newest)
    of_person = {one.person_id: one for one in newest}
    rows = []
    for name, address, people in parts:
        own = [of_person[one.id] for one in people if one.id in of_person]
        numbers = {one.id for one in own}
        sums = reading.sums([one for one in signed if one.line.forecast_id in numbers])
        told = [judged[one.id] for one in own if one.id in judged]
        rows.append(
            Row(
                name=name,
                address=address,
                week=week_number(own[0].week)
                if len(people) == 1 and own
                else f"{len(own)}/{len(people)}人",
                mark=_mark([marks[one.id] for one in own if one.id in marks], len(people)),
                commit=money(sums[Category.COMMIT][0]) if own else NOT_YET,
                best=money(sums[Category.BEST_CASE][0]) if own else NOT_YET,
                pipeline=money(sums[Category.PIPELINE][0]) if own else NOT_YET,
                judgement="；".join(
                    texts.judgement(one.amount_fen, judges.get(one.by, ""), one.reason)
                    for one in told
                )
                if len(people) == 1
                else "",
            )
        )
    return tuple(rows)


def _mark(marks: Sequence[str], people: int) -> str:
    """Of one person as it is, of several how many there are."""
    return marks[0] if marks and people == 1 else f"{len(marks)}人迟交或重交" if marks else ""
