"""Each night the forecaster looks at the company's own deals; «预测参考» shows what it said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.forecasts import Category
from bot.domain.machine_forecasts import TOTAL, MachineForecast, of_rep, of_team
from bot.domain.people import Person, Role
from bot.messages import OutboundMessage
from bot.router import Begin, Job
from handlers.desk import Desk, Office
from handlers.forecasts import reading
from handlers.leading import teams
from handlers.machine_forecast.own_data import Collected, foresee
from handlers.texts import levels as level_texts
from handlers.texts import machine_forecast as texts
from handlers.texts import submissions as submission_texts
from storage.unit_of_work import UnitOfWork

MOST_ROWS = 12
_SEES_ALL = frozenset({Role.SALES_DIRECTOR, Role.ADMIN})


class NightlyForecast:
    """Forecasts each night from one's own deals. `job` for the timer. read: opens a transaction
    that only reads, beside those that write."""

    def __init__(self, office: Office, read: Begin[UnitOfWork]) -> None:
        self._office = office
        self._read = read
        self._found: list[MachineForecast] = []

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "forecast",
            {"hour": "3", "minute": "10"},
            self._keep,
            prepare=self._foresee,
            too_late_s=6 * 3600,
        )

    async def _foresee(self, _begin: Begin[UnitOfWork], at: datetime) -> None:
        """Reading goes by pages, and reckoning in a thread, so that nobody waits for it."""
        self._found = []
        collected = Collected(self._office.zone, self._stages())
        async with self._read() as tx:
            led = await teams.by_supervisor(tx, at)
            async for page in tx.forecast_history.pages():
                collected.add(page)
                await asyncio.sleep(0)
        team_of = {person.id: leader for leader, people in led.items() for person in people}
        yesterday = self._office.calendar.day_of(at) - timedelta(days=1)
        self._found = await asyncio.to_thread(foresee, collected, team_of, yesterday, at)

    def _stages(self) -> dict[str, str]:
        """Key -> label, of all libraries."""
        libraries = self._office.libraries.newest()
        return {stage.key: stage.label for one in libraries for stage in one.stages}

    async def _keep(self, tx: UnitOfWork, _at: datetime) -> Sequence[OutboundMessage]:
        found, self._found = self._found, []
        await tx.machine_forecasts.append(found)
        return ()


async def show(desk: Desk, _: str) -> None:
    """«预测参考»: a rep's own, a supervisor's team and its reps, the company and its teams."""
    led = (await teams.by_supervisor(desk.tx, desk.at)).get(desk.rep.id, [])
    if desk.rep.roles & _SEES_ALL:
        lines = await _company(desk)
    elif led:
        lines = await _team(desk, led)
    else:
        lines = await _one(desk, of_rep(desk.rep.id), desk.rep.name, [desk.rep])
    desk.say_privately(texts.REFERENCE, "\n".join([*lines, texts.BESIDE]))


async def _company(desk: Desk) -> list[str]:
    lines = await _one(desk, TOTAL, "全公司", None)
    leaders = await teams.by_supervisor(desk.tx, desk.at)
    return lines + await _rows(desk, {of_team(one): one for one in leaders}, "团队")


async def _team(desk: Desk, led: Sequence[Person]) -> list[str]:
    people = [desk.rep, *led]
    lines = await _one(desk, of_team(desk.rep.id), f"{desk.rep.name}团队", people)
    return lines + await _rows(desk, {of_rep(one.id): one.id for one in led}, "")


async def _one(desk: Desk, scope: str, label: str, people: Sequence[Person] | None) -> list[str]:
    """With what people say, and why. people: None for everybody."""
    latest = (await desk.tx.machine_forecasts.latest([scope, TOTAL])).values()
    found = next((one for one in latest if one.scope == scope), None)
    whole = next((one for one in latest if one.scope == TOTAL), None)
    if found is None:
        lines = list(whole.reasons) if whole and not whole.enough else [texts.NOT_YET]
    else:
        lines = texts.reference(label, found.origin, _bands(found))
        lines += texts.because(found.reasons)
    return [*lines, await _people_say(desk, people)]


async def _people_say(desk: Desk, people: Sequence[Person] | None) -> str:
    """The last submissions by category; where nobody has submitted, the open deals by level."""
    tx, office = desk.tx, desk.office
    asked = list(await tx.people.list_active() if people is None else people)
    found = await reading.newest(tx, office, asked, desk.at)
    if found:
        sums = reading.sums(await reading.signed(tx, office, found, desk.at))
        listed = [(category, *sums[category]) for category in Category]
        return texts.people_submitted(len(found), submission_texts.sums(listed))
    owners = None if people is None else [one.id for one in people]
    levels = await tx.forecast_history.open_by_level(owners)
    told = [(level_texts.name(one.level), one.deals, one.amount_fen) for one in levels]
    return texts.people_say(told)


async def _rows(desk: Desk, scopes: dict[str, int], suffix: str) -> list[str]:
    found = await desk.tx.machine_forecasts.latest(list(scopes))
    names = await desk.tx.people.names(list(scopes.values()))
    ranked = sorted(
        (one for one in found.values() if one.by_horizon),
        key=lambda one: -one.by_horizon[max(one.by_horizon)].p50,
    )
    lines: list[str] = []
    for one in ranked[:MOST_ROWS]:
        label = f"{names.get(scopes[one.scope], '')}{suffix}"
        lines += texts.reference(label, one.origin, _bands(one))
    return lines


def _bands(forecast: MachineForecast) -> list[tuple[int, int, int, int]]:
    return [(days, of.p20, of.p50, of.p80) for days, of in sorted(forecast.by_horizon.items())]
