"""What people have forecast, as chat and pages tell it: the last submissions, their signatures,
sums and targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain import forecasts as rules
from bot.domain.forecasts import Category, Cosign, Forecast, Line, SignatureState
from bot.domain.people import Person
from handlers.desk import Office
from handlers.texts import submissions as texts
from storage.unit_of_work import UnitOfWork

WEEKS = 14
"""So far back weeks are compared, and forecasts scored."""
MOST_PEOPLE = 30
"""Beyond it people are told by their teams, not one by one."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A line with its second signature."""

    line: Line
    cosign: Cosign | None
    standing: SignatureState

    @property
    def category(self) -> Category:
        return rules.category_of(self.line.level, self.standing)

    @property
    def scores(self) -> tuple[int | None, int | None]:
        """The rep's and the second one's, 0..100."""
        theirs = rules.score(self.cosign.answers) if self.cosign is not None else None
        return rules.score(self.line.answers), theirs


@dataclass(frozen=True, slots=True)
class Aim:
    """How a quarter stands against its target. commit_fen: committed for its rest."""

    quarter: str
    target_fen: int
    won_fen: int
    commit_fen: int


async def newest(
    tx: UnitOfWork, office: Office, people: Sequence[Person], at: datetime
) -> list[Forecast]:
    """The last submission of each within the last weeks."""
    since = office.calendar.day_of(at) - timedelta(days=rules.HORIZON_DAYS)
    return await tx.forecasts.newest_of_each([one.id for one in people], since=since)


async def history(
    tx: UnitOfWork, office: Office, people: Sequence[Person], at: datetime
) -> list[Forecast]:
    """What counted in each of the last weeks, the oldest first."""
    since = office.calendar.day_of(at) - timedelta(weeks=WEEKS)
    return await tx.forecasts.newest_of_each_week([one.id for one in people], since=since)


async def signed(
    tx: UnitOfWork, office: Office, found: Sequence[Forecast], at: datetime
) -> list[Signed]:
    listed = [line for one in found for line in one.lines]
    cosigns = await tx.forecasts.cosigns(line.id for line in listed)
    tolerance = office.policy.forecasts.tolerance
    return [
        Signed(
            line,
            cosigns.get(line.id),
            rules.standing_of(line, cosigns.get(line.id), at, tolerance=tolerance),
        )
        for line in listed
    ]


async def marks(tx: UnitOfWork, found: Collection[Forecast]) -> dict[int, str]:
    """forecast -> what it is marked as, of those that are: late, or submitted after a reopening."""
    told = {one.id: texts.LATE for one in found if one.late}
    for number, reopening in (await tx.forecast_reopenings.behind(x.id for x in found)).items():
        told[number] = texts.reopened(reopening.reason)
    return told


async def mark_of(tx: UnitOfWork, forecast: Forecast) -> str:
    return (await marks(tx, [forecast])).get(forecast.id, "")


def sums(lines: Sequence[Signed]) -> dict[Category, tuple[int, int]]:
    """Fen and lines of each category."""
    found = {}
    for category in Category:
        ones = [one.line.amount_fen for one in lines if one.category is category]
        found[category] = (sum(ones), len(ones))
    return found


def quarter_days(today: date) -> tuple[date, date]:
    """First day of the present quarter, first day of the next."""
    first = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return first, (first + timedelta(days=100)).replace(day=1)


async def expected(
    tx: UnitOfWork, office: Office, ids: Collection[int], at: datetime
) -> dict[int, dict[Category, tuple[int, int]]]:
    """person -> fen and lines by category of what is still expected in the present quarter.
    What was won since it was forecast is no longer expected."""
    today = office.calendar.day_of(at)
    since, (_, following) = today - timedelta(days=rules.HORIZON_DAYS), quarter_days(today)
    tolerance = office.policy.forecasts.tolerance
    found: dict[int, dict[Category, tuple[int, int]]] = {}
    for one in await tx.forecast_sums.open_sums(ids, since=since, until=following):
        agreed = one.signed and (one.settled or not rules.too_far_apart(*one.answers, tolerance))
        # Whether the second signature still may come or is late makes no difference to a sum.
        category = rules.category_of(
            one.level, SignatureState.AGREED if agreed else SignatureState.UNREVIEWED
        )
        own = found.setdefault(one.person_id, dict.fromkeys(Category, (0, 0)))
        fen, lines = own[category]
        own[category] = (fen + one.fen, lines + one.lines)
    return found


async def aim(tx: UnitOfWork, office: Office, people: Sequence[Person], at: datetime) -> Aim | None:
    """Of the present quarter; None where nobody has set a target."""
    quarter, ids = rules.quarter_of(office.calendar.day_of(at)), [person.id for person in people]
    targets = await tx.forecasts.targets(quarter, ids)
    if not targets:
        return None
    _, won_fen = await won(tx, office, people, at)
    sums = await expected(tx, office, ids, at)
    commit = sum(one[Category.COMMIT][0] for one in sums.values())
    return Aim(quarter, sum(targets.values()), won_fen, commit)


async def won(
    tx: UnitOfWork, office: Office, people: Sequence[Person], at: datetime
) -> tuple[str, int]:
    """The present quarter, and the fen that they have won in it."""
    calendar = office.calendar
    today = calendar.day_of(at)
    begin, end = (calendar.moment(day, time.min) for day in quarter_days(today))
    found = await tx.forecasts.won_since([person.id for person in people], begin, end)
    return rules.quarter_of(today), sum(found.values())
