"""Figures about the process: live in chat, by the week, and team by team for the director."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.domain.figures import Figures, Share, TeamLights, promises_kept, wait_of
from bot.domain.people import Person, Role
from bot.errors import NotAllowed
from bot.messages import Markdown, OutboundMessage
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.leading.teams import LEADING
from handlers.lights.light_cards import Watch
from handlers.texts import figures as texts
from handlers.texts.figures import TeamRow
from storage.unit_of_work import UnitOfWork

LIVE = timedelta(days=7)
PROMISED_WITHIN = timedelta(days=28)  # how long before the week a promise may have been given
_DAY = timedelta(days=1)


async def show_own(desk: Desk, _: str) -> None:
    """«过程数据»: of the last seven days; who leads sees their people's, a rep their own."""
    people = [desk.rep]
    if desk.rep.roles & LEADING:
        people = await teams.below(desk.tx, desk.rep)
    if not people:
        desk.say(texts.NO_TEAM)
        return
    calendar = desk.office.calendar
    ids = [person.id for person in people]
    found = await compute(desk.tx, desk.office.watch, ids, desk.at - LIVE, desk.at)
    days = texts.period(calendar.day_of(desk.at - LIVE), calendar.day_of(desk.at))
    title = f"过程数据 {days}（{len(people)}人）"
    customers.tell_alone(desk, "过程数据", texts.own(title, found))


async def show_overview(desk: Desk, _: str) -> None:
    """«团队总览»: all teams for directors and administrators, else the speaker's own."""
    if not desk.rep.roles & LEADING:
        raise NotAllowed(texts.NOT_FOR_YOU)
    found = await teams.by_supervisor(desk.tx, desk.at)
    if not desk.rep.roles & teams.OVERSEERS:
        found = {desk.rep.id: await teams.below(desk.tx, desk.rep)}
    rows = [
        await _row(desk, supervisor_id, people) for supervisor_id, people in found.items() if people
    ]
    customers.tell_alone(desk, "团队总览", texts.overview(rows) if rows else texts.NO_TEAM)


async def compute(
    tx: UnitOfWork, watch: Watch, ids: Sequence[int], since: datetime, until: datetime
) -> Figures:
    """Of these people; lights as they are now."""
    actions = await tx.figures.actions(ids, since, until)
    lights = await tx.figures.lights(ids)
    return Figures(
        completeness=sum(actions.values(), Share()),
        response=wait_of(await tx.figures.responses(ids, since, until), watch.calendar),
        lights=sum(lights.values(), TeamLights()),
        first_contact=wait_of(await tx.figures.first_contacts(ids, since, until), watch.calendar),
    )


async def weekly(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """The last working day of a week: to each supervisor about their team, to each sales
    director about everybody."""
    today = watch.calendar.day_of(at)
    following = watch.calendar.next_workday(today)
    same_week = following.isocalendar()[:2] == today.isocalendar()[:2]
    if not watch.calendar.is_workday(today) or same_week:
        return []
    found = await teams.by_supervisor(tx, at)
    everybody = [person for people in found.values() for person in people]
    messages = []
    directors = await tx.people.list_by_role(Role.SALES_DIRECTOR) if everybody else []
    told = {director.id for director in directors}
    for director in directors:
        messages += await _summary(tx, watch, director, everybody, today=today, at=at)
    for supervisor_id, people in found.items():
        if supervisor_id and supervisor_id not in told:
            leader = await tx.people.get(supervisor_id)
            messages += await _summary(tx, watch, leader, people, today=today, at=at)
    return messages


async def _summary(
    tx: UnitOfWork,
    watch: Watch,
    leader: Person,
    people: Sequence[Person],
    *,
    today: date,
    at: datetime,
) -> list[OutboundMessage]:
    address = watch.address_of(leader)
    if address is None:
        return []
    ids = [person.id for person in people]
    monday = today - _DAY * today.weekday()
    since = watch.calendar.midnight(monday)
    rose, ended = await tx.figures.episodes(ids, _last_summary(watch, monday), at)
    spoken = await tx.figures.spoken(ids, since - PROMISED_WITHIN, at)
    kept = promises_kept(spoken, watch.calendar.zone, first=monday, last=today)
    found = await compute(tx, watch, ids, since, at)
    title = f"本周小结 {texts.period(monday, today)}（{len(people)}人）"
    text = texts.weekly(title, found, rose=rose, ended=ended, kept=kept)
    key = f"weekly:{leader.id}:{today:%Y%m%d}"
    return [OutboundMessage(key, address, Markdown("本周小结", text))]


def _last_summary(watch: Watch, monday: date) -> datetime:
    """When the week before was summed up: what came since, over the weekend too, is new."""
    day = monday - _DAY
    while not watch.calendar.is_workday(day):
        day -= _DAY
    return watch.calendar.moment(day, watch.policy.pushes.weekly_at)


async def _row(desk: Desk, supervisor_id: int, people: Sequence[Person]) -> TeamRow:
    ids = [person.id for person in people]
    name = (await desk.tx.people.get(supervisor_id)).name if supervisor_id else ""
    lights = sum((await desk.tx.figures.lights(ids)).values(), TeamLights())
    actions = await desk.tx.figures.actions(ids, desk.at - LIVE, desk.at)
    calendar = desk.office.calendar
    oldest = calendar.day_of(lights.oldest) if lights.oldest else None
    gap = calendar.workdays_between(oldest, calendar.day_of(desk.at)) if oldest else 0
    return TeamRow(texts.team_name(name), len(people), lights, gap, sum(actions.values(), Share()))
