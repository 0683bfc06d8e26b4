"""`/`: the big screen. Figures of teams; never of one person, and never anybody's pay."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.domain.calendar import WorkingCalendar
from bot.domain.figures import Figures, Share, TeamLights, Wait, wait_of
from bot.domain.funnel import funnel_of
from bot.domain.people import Person
from bot.errors import NotAllowed
from handlers.desk import Office
from handlers.leading import figures, teams
from handlers.leading.teams import LEADING
from handlers.pages import screen_outlook
from handlers.pages.lights import Cell, HeatTable
from handlers.pages.screen_outlook import Outlook, Vital
from handlers.texts import figures as figure_texts
from handlers.texts import pages as texts
from storage.unit_of_work import UnitOfWork

WORKDAYS = 20
EVERYBODY = 0
FRESH_S = 5.0
REST = 20
"""A screen that took a second to work out is not worked out again for twenty: looking on
costs the bot at most a twentieth of its time."""

OLD_S = 300.0
"""What was worked out longer ago is not shown while the next one is: nobody wants yesterday's."""

_DAY = timedelta(days=1)
_NOTHING_YET = "近7天还没有数据"
_LEVELS = (0.01, 0.5, 1.5)
"""Entries a day and person from which a cell of the heat map is darker."""


@dataclass(frozen=True, slots=True)
class TeamPanel:
    """completeness: 0..100, None for nothing recorded. gap_days: of the longest silent lit
    lead."""

    name: str
    people: int
    leads: int
    green: int
    yellow: int
    red: int
    stuck: int
    gap_days: int
    completeness: int | None
    response: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One large number. tone: green, yellow, red or "" where it is neither good nor bad."""

    label: str
    value: str
    unit: str
    note: str
    tone: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel. rate: what share went on, in words."""

    label: str
    reached: int
    rate: str


@dataclass(frozen=True, slots=True)
class DayOfLights:
    """How many lights there were on one day."""

    day: str
    rose: int
    ended: int


@dataclass(frozen=True, slots=True)
class Screen:
    """vitals: only for who oversees all. version: another one says that something is to be seen
    anew."""

    title: str
    now: str
    headlines: tuple[Headline, ...]
    teams: tuple[TeamPanel, ...]
    heat: HeatTable
    days: tuple[DayOfLights, ...]
    funnel: tuple[Step, ...]
    outlook: Outlook
    vitals: tuple[Vital, ...]
    version: str


@dataclass(frozen=True, slots=True)
class _Crew:
    """A team. ids: of its people, one at least."""

    name: str
    ids: tuple[int, ...]


Read = Callable[[], AbstractAsyncContextManager[UnitOfWork]]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    screen: Screen
    at: datetime
    made_at_s: float
    took_s: float


class Screens:
    """Works out each scope's screen once, however many look at it. Whoever comes while one is kept
    does not wait for the next: that is worked out beside them, and told by the live stream."""

    def __init__(
        self, office: Office, read: Read, now: Callable[[], datetime], *, rest: float = REST
    ) -> None:
        self._office = office
        self._read = read
        self._now = now
        self._rest = rest
        self._kept: dict[int, _Kept] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._beside: dict[int, asyncio.Task[None]] = {}

    async def of(self, person: Person) -> Screen:
        """Everybody's for who oversees all, else of the own people. Raises NotAllowed for who
        leads nobody by role."""
        if not person.roles & LEADING:
            raise NotAllowed(texts.ONLY_LEADERS)
        scope = EVERYBODY if person.roles & teams.OVERSEERS else person.id
        turn = self._turns.setdefault(scope, asyncio.Lock())
        kept = self._kept.get(scope)
        if kept is not None and not self._is_stale(kept):
            return kept.screen
        if kept is not None and (turn.locked() or self._will_do(kept)):
            if not turn.locked() and scope not in self._beside:
                self._beside[scope] = asyncio.create_task(self._renew(scope, person, turn))
            return kept.screen
        return await self._newest(scope, person, turn)

    def stop(self) -> None:
        """Nothing is worked out beside any more."""
        for one in self._beside.values():
            one.cancel()

    async def _newest(self, scope: int, person: Person, turn: asyncio.Lock) -> Screen:
        async with turn:
            kept = self._kept.get(scope)
            if kept is None or self._is_stale(kept):
                kept = self._kept[scope] = await self._make(person)
            return kept.screen

    async def _renew(self, scope: int, person: Person, turn: asyncio.Lock) -> None:
        """The kept one stays where this fails; the next who looks has it tried again."""
        try:
            await self._newest(scope, person, turn)
        except Exception:
            log.exception("the big screen was not worked out", extra={"action": "renew screen"})
        finally:
            del self._beside[scope]

    def _age_s(self, kept: _Kept) -> float:
        return asyncio.get_running_loop().time() - kept.made_at_s

    def _has_jumped(self, kept: _Kept) -> bool:
        """Whether the clock was put forward since, as in the sandbox."""
        return abs((self._now() - kept.at).total_seconds() - self._age_s(kept)) > 60

    def _is_stale(self, kept: _Kept) -> bool:
        fresh_s = 0.0 if self._has_jumped(kept) else FRESH_S
        return self._age_s(kept) > max(fresh_s, self._rest * kept.took_s)

    def _will_do(self, kept: _Kept) -> bool:
        """Until the next one is there."""
        return not self._has_jumped(kept) and self._age_s(kept) < OLD_S + self._rest * kept.took_s

    async def _make(self, person: Person) -> _Kept:
        loop = asyncio.get_running_loop()
        began_s, at = loop.time(), self._now()
        async with self._read() as tx:
            screen = await build(tx, self._office, person, at)
        return _Kept(screen, at, loop.time(), loop.time() - began_s)


async def build(tx: UnitOfWork, office: Office, person: Person, at: datetime) -> Screen:
    """Of all teams for who oversees all, else of the own people, by whom they answer to."""
    by_leader = await teams.by_supervisor(tx, at)
    title = "全公司"
    if not person.roles & teams.OVERSEERS:
        below = {one.id for one in await teams.below(tx, person)}
        own = {
            leader: [one for one in reps if one.id in below] for leader, reps in by_leader.items()
        }
        by_leader = {leader: reps for leader, reps in own.items() if reps}
        title = figure_texts.team_name(person.name)
    names = await _team_names(tx, by_leader)
    crews = [_Crew(names[one], tuple(rep.id for rep in by_leader[one])) for one in by_leader]
    ids = [number for crew in crews for number in crew.ids]
    since = at - figures.LIVE
    whole = await figures.compute(tx, office.watch, ids, since, at)
    lights = await tx.figures.lights(ids)
    actions = await tx.figures.actions(ids, since, at)
    days = _workdays(office.calendar, at)
    midnights = [*(office.calendar.midnight(day) for day in days), at + _DAY]
    recorded = await tx.figures.actions_by_day(ids, midnights)
    rose, ended = await tx.figures.lights_by_day(ids, midnights)
    working = [crew for crew in crews if any(one in lights or one in recorded for one in crew.ids)]
    panels = []
    for crew in working:
        response = wait_of(await tx.figures.responses(crew.ids, since, at), office.calendar)
        panels.append(_panel(office.calendar, crew, lights, actions, response=response, at=at))
    local = at.astimezone(office.zone)
    shown = Screen(
        title=title,
        now=texts.moment(local, local.date()),
        headlines=_headlines(whole),
        teams=tuple(sorted(panels, key=lambda one: (-one.red, -one.yellow, one.name))),
        heat=_heat(days, working, recorded),
        days=tuple(
            DayOfLights(f"{day.month}/{day.day}", up, down)
            for day, up, down in zip(days, rose, ended, strict=True)
        ),
        funnel=await _funnel(tx, office, ids),
        outlook=await screen_outlook.outlook(tx, office, person, by_leader, names=names, at=at),
        vitals=await screen_outlook.vitals(tx, office, person, at),
        version="",
    )
    return replace(shown, version=hashlib.sha256(repr(shown).encode()).hexdigest()[:16])


async def _team_names(tx: UnitOfWork, leader_ids: Iterable[int]) -> dict[int, str]:
    leaders = set(leader_ids)
    found = await tx.people.names(one for one in leaders if one)
    return {one: figure_texts.team_name(found.get(one, "")) for one in leaders}


def _panel(
    calendar: WorkingCalendar,
    crew: _Crew,
    lights: Mapping[int, TeamLights],
    actions: Mapping[int, Share],
    *,
    response: Wait,
    at: datetime,
) -> TeamPanel:
    own = sum((lights[one] for one in crew.ids if one in lights), TeamLights())
    share = sum((actions[one] for one in crew.ids if one in actions), Share())
    since = calendar.day_of(own.oldest) if own.oldest else None
    return TeamPanel(
        name=crew.name,
        people=len(crew.ids),
        leads=own.leads,
        green=own.leads - own.yellow - own.red,
        yellow=own.yellow,
        red=own.red,
        stuck=own.stuck,
        gap_days=calendar.workdays_between(since, calendar.day_of(at)) if since else 0,
        completeness=None if share.value is None else round(share.value * 100),
        response="—" if response.median is None else figure_texts.hours(response.median),
    )


def _headlines(whole: Figures) -> tuple[Headline, ...]:
    lights, done = whole.lights, whole.completeness
    share = "—" if done.value is None else str(round(done.value * 100))
    return (
        Headline(
            "红灯", str(lights.red), "个", "很久没有有效跟进", "red" if lights.red else "green"
        ),
        Headline(
            "黄灯", str(lights.yellow), "个", "快要变红", "yellow" if lights.yellow else "green"
        ),
        Headline("进行中", str(lights.leads), "个商机", f"停滞{lights.stuck}个", ""),
        Headline(
            "过程完整率",
            share,
            "" if done.value is None else "%",
            f"近7天有效{done.part}次，共{done.whole}次" if done.whole else _NOTHING_YET,
            "",
        ),
        _wait("预警响应", whole.response),
        _wait("首次联系", whole.first_contact),
    )


def _wait(label: str, wait: Wait) -> Headline:
    if wait.median is None:
        return Headline(label, "—", "", _NOTHING_YET, "")
    words = figure_texts.hours(wait.median)
    digits = words.rstrip("小时分钟")
    return Headline(
        label, digits, words[len(digits) :], f"近7天{figure_texts.of_how_many(wait.n)}", ""
    )


def _workdays(calendar: WorkingCalendar, at: datetime) -> list[date]:
    """The last ones, today with them."""
    days = [calendar.day_of(at)]
    while len(days) < WORKDAYS:
        day = days[0] - _DAY
        while not calendar.is_workday(day):
            day -= _DAY
        days.insert(0, day)
    return days


def _heat(
    days: Sequence[date], crews: Sequence[_Crew], recorded: Mapping[int, Sequence[int]]
) -> HeatTable:
    """A cell is what a team recorded that day, weighed by its size. What was recorded on a day
    off stands with the working day before it."""
    rows, total = [], 0
    for crew in sorted(crews, key=lambda one: one.name):
        cells = []
        for place, day in enumerate(days):
            count = sum(recorded[one][place] for one in crew.ids if one in recorded)
            level = sum(count / len(crew.ids) >= step for step in _LEVELS)
            cells.append(Cell(count, level, off=False, title=f"{day.month}月{day.day}日 {count}条"))
            total += count
        rows.append((crew.name, tuple(cells)))
    heads = tuple(
        (f"{day.month}/{day.day}" if place % 5 == 0 else "", f"{day.month}月{day.day}日")
        for place, day in enumerate(days)
    )
    return HeatTable(heads, tuple(rows), total)


async def _funnel(tx: UnitOfWork, office: Office, ids: Sequence[int]) -> tuple[Step, ...]:
    """How far their deals have come, by distinct customer: the funnel that the chat tells."""
    library = office.libraries.organisation
    counts = await tx.stages.funnel(library, office.libraries.refs_of(library), ids)
    counted = funnel_of(library, counts)
    return tuple(
        Step(
            stage.label,
            one.reached,
            "—" if one.rate is None else f"{(200 * one.rate + 1) // 2}%",
        )
        for stage, one in zip(library.stages, counted, strict=True)
    )
