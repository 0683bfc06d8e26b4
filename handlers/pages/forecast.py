"""`/forecast`: what people have forecast, beside targets and the machine; changes, and how well
earlier ones held."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain import forecasts as rules
from bot.domain.forecasts import TOP, Bucket, Category, Forecast, Move, Won
from bot.domain.machine_forecasts import TOTAL, MachineForecast, of_rep, of_team
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotAllowed, NotFound
from handlers.desk import Office
from handlers.forecasts import reading
from handlers.forecasts.reading import Aim, Signed
from handlers.leading import teams
from handlers.texts import submissions as texts
from handlers.texts.figures import grouped, quarter_words, week_number, week_words
from handlers.texts.money import amount_words
from storage.unit_of_work import UnitOfWork

LEADING = frozenset({Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN})
NOT_YOURS = "这是别人的预测，只有他的主管、销售总监和管理员能看。"
NO_SUCH_PLACE = "后面没有了。"
NO_SUCH_WEEK = "没有这一周的提交，请从页面上的几周里选。"
_GONE = (OpportunityState.LOST, OpportunityState.INVALID)
NOT_YET = "—"
_PAST = "已过预计日期"
ROWS = 50
LINES = 100

Part = tuple[str, str, tuple[Person, ...]]
"""One row of the list: its name, its address, whose forecasts it sums up."""


@dataclass(frozen=True, slots=True)
class Sum:
    """One of the three categories. share: of the target, 0..100; None without one."""

    label: str
    amount: str
    lines: int
    share: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """share: won, of the target, 0..100. gap: what neither is won nor committed, "" for none."""

    quarter: str
    amount: str
    won: str
    committed: str
    share: int
    committed_share: int
    gap: str


@dataclass(frozen=True, slots=True)
class Band:
    """What the machine expects within so many days."""

    days: int
    p20: str
    p50: str
    p80: str


@dataclass(frozen=True, slots=True)
class Machine:
    """why: its main reasons, or why it says nothing."""

    origin: str
    bands: tuple[Band, ...]
    why: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class DealRow:
    deal_id: int
    customer: str
    level: str
    amount: str
    on: str
    rep: str
    standing: str
    tone: str
    scores: str
    risk: str


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    amount: str
    deals: tuple[DealRow, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of change between two weeks. tone: green for more, red for less."""

    label: str
    amount: str
    tone: str
    customers: str


@dataclass(frozen=True, slots=True)
class Bridge:
    was_week: str
    now_week: str
    was: str
    now: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    label: str
    share: str
    lines: int
    slipped: int


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


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose forecasts are looked at. team: its leader, 0 for people without one. parts: what
    stands in the list below, by name; address of each."""

    title: str
    people: tuple[Person, ...]
    machine: str
    parts: tuple[Part, ...] = ()
    way_back: str = ""


async def page(
    tx: UnitOfWork, office: Office, reader: Person, asked: Mapping[str, str], at: datetime
) -> ForecastPage:
    """Raises NotAllowed, NotFound, InvalidInput for a week that nobody submitted in and for a
    place that is none."""
    scope = await _scope(tx, reader, asked, at)
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
        sums=_sums(signed, aim),
        target=_target(aim),
        machine=await _machine(tx, scope.machine),
        rows=await _rows(tx, scope.parts[start : start + ROWS], newest, signed),
        start=start,
        address=_address(asked),
        parts=len(scope.parts),
        missing=tuple(persons[one] for one in ids if one not in {f.person_id for f in newest}),
        groups=_groups(signed, deals, who, today, start=start) if not scope.parts else (),
        lines=len(signed) if not scope.parts else 0,
        top=tuple(_deal(one, deals, who) for one in ranked[:TOP]) if scope.parts else (),
        bridge=_bridge(history, deals, weeks, asked),
        weeks=weeks,
        accuracy=await _accuracy(tx, office, history, persons, at),
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


async def _scope(tx: UnitOfWork, reader: Person, asked: Mapping[str, str], at: datetime) -> Scope:
    """Raises NotAllowed, NotFound."""
    person, team = asked.get("person", ""), asked.get("team", "")
    leads = bool(reader.roles & LEADING)
    below = await teams.below(tx, reader) if leads else []
    if person:
        found = next((one for one in below if str(one.id) == person), None)
        if found is None and person != str(reader.id):
            raise NotAllowed(NOT_YOURS)
        back = "/forecast" if leads else ""
        return _own(found or reader, way_back=back)
    if not below:
        return _own(reader)
    if reader.roles & teams.OVERSEERS:
        crews = await teams.by_supervisor(tx, at)
        if team:
            return await _crew(tx, crews, team)
        names = await tx.people.names(one for one in crews if one)
        parts = [
            (names.get(leader, "没有主管") + ("团队" if leader else ""),
             f"/forecast?team={leader}", tuple(people))
            for leader, people in crews.items()
        ]  # fmt: skip
        return Scope("全公司的预测", tuple(below), TOTAL, tuple(sorted(parts)))
    return Scope("团队的预测", tuple(below), of_team(reader.id), _each(below))


def _own(person: Person, *, way_back: str = "") -> Scope:
    return Scope(f"{person.name}的预测", (person,), of_rep(person.id), way_back=way_back)


async def _crew(tx: UnitOfWork, crews: Mapping[int, Sequence[Person]], team: str) -> Scope:
    leader = next((one for one in crews if str(one) == team), None)
    if leader is None:
        raise NotFound("没有这个团队。")
    name = (await tx.people.get(leader)).name if leader else "没有主管的人"
    people = crews[leader]
    title = f"{name}{'团队' if leader else ''}的预测"
    return Scope(title, tuple(people), of_team(leader), _each(people), way_back="/forecast")


def _each(people: Sequence[Person]) -> tuple[Part, ...]:
    ordered = sorted(people, key=lambda one: (one.name, one.id))
    return tuple((one.name, f"/forecast?person={one.id}", (one,)) for one in ordered)


def _sums(signed: Sequence[Signed], aim: Aim | None) -> tuple[Sum, ...]:
    found = reading.sums(signed)
    return tuple(
        Sum(
            texts.CATEGORIES[one],
            _money(fen),
            lines,
            _share(fen, aim.target_fen) if aim is not None else None,
        )
        for one, (fen, lines) in found.items()
    )


def _target(aim: Aim | None) -> Target | None:
    if aim is None:
        return None
    gap = aim.target_fen - aim.won_fen - aim.commit_fen
    return Target(
        quarter=quarter_words(aim.quarter),
        amount=_money(aim.target_fen),
        won=_money(aim.won_fen),
        committed=_money(aim.commit_fen),
        share=min(_share(aim.won_fen, aim.target_fen), 100),
        committed_share=min(_share(aim.won_fen + aim.commit_fen, aim.target_fen), 100),
        gap=_money(gap) if gap > 0 else "",
    )


def _money(fen: int) -> str:
    return grouped(amount_words(fen))


def _share(fen: int, whole: int) -> int:
    return round(100 * fen / whole) if whole else 0


async def _machine(tx: UnitOfWork, scope: str) -> Machine | None:
    found: MachineForecast | None = (await tx.machine_forecasts.latest([scope])).get(scope)
    if found is None:
        return None
    bands = tuple(
        Band(days, *(_money(fen) for fen in (of.p20, of.p50, of.p80)))
        for days, of in sorted(found.by_horizon.items())
    )
    return Machine(f"{found.origin.month}月{found.origin.day}日", bands, found.reasons)


async def _rows(
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
                commit=_money(sums[Category.COMMIT][0]) if own else NOT_YET,
                best=_money(sums[Category.BEST_CASE][0]) if own else NOT_YET,
                pipeline=_money(sums[Category.PIPELINE][0]) if own else NOT_YET,
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


def _groups(
    signed: Sequence[Signed],
    deals: Mapping[int, Opportunity],
    who: Mapping[int, str],
    today: date,
    *,
    start: int,
) -> tuple[Group, ...]:
    """Seen from today: deals slide by themselves; what is past its day stands first. Sums are of
    the whole group, also where only some of its deals stand on this page."""
    found, before = [], 0
    for bucket in (None, *Bucket):
        ones = [x for x in signed if rules.bucket_of(x.line.expected_on, today) is bucket]
        if ones:
            ordered = sorted(ones, key=lambda one: (one.line.expected_on, one.line.id))
            total = _money(sum(one.line.amount_fen for one in ones))
            label = texts.BUCKETS[bucket] if bucket else _PAST
            here = ordered[max(0, start - before) : max(0, start + LINES - before)]
            before += len(ones)
            if here:
                found.append(Group(label, total, tuple(_deal(one, deals, who) for one in here)))
    return tuple(found)


_TONES = {
    rules.Standing.AGREED: "green",
    rules.Standing.WAITING: "",
    rules.Standing.UNREVIEWED: "yellow",
    rules.Standing.IN_REVIEW: "red",
    rules.Standing.NOT_NEEDED: "",
}


def _deal(one: Signed, deals: Mapping[int, Opportunity], who: Mapping[int, str]) -> DealRow:
    line = one.line
    return DealRow(
        deal_id=line.opportunity_id,
        customer=deals[line.opportunity_id].account_name,
        level=str(line.level),
        amount=_money(line.amount_fen),
        on=texts.day_words(line.expected_on),
        rep=who.get(line.id, ""),
        standing=texts.STANDINGS[one.standing],
        tone=_TONES[one.standing],
        scores=texts.scores_words(one.scores),
        risk=line.risk,
    )


def _bridge(
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
            steps.append(Step(texts.MOVES[move], f"{sign}{_money(delta)}", tone, told))
    before, after = (_money(sum(x.amount_fen for x in side)) for side in (was, now))
    return Bridge(week_words(was_week), week_words(now_week), before, after, tuple(steps))


async def _accuracy(
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
