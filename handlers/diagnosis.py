"""«诊断»: where the process of the speaker's people breaks, with the setting that helps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.deadlines import Awaited
from bot.domain.people import Person, Role
from bot.errors import NotAllowed
from handlers import customers, teams
from handlers.desk import Desk
from handlers.figures import LEADING
from handlers.texts import diagnosis as texts
from handlers.texts.diagnosis import Finding
from handlers.texts.figures import NO_TEAM
from storage.diagnosis import Sample

_DAY = timedelta(days=1)


async def show(desk: Desk, _: str) -> None:
    """Raises NotAllowed for who leads nobody."""
    if not desk.rep.roles & LEADING:
        raise NotAllowed(texts.NOT_FOR_YOU)
    people = await teams.below(desk.tx, desk.rep)
    if not people:
        desk.say(NO_TEAM)
        return
    days = desk.office.policy.diagnosis.look_back_days
    found = [
        *await _about_records(desk, people),
        *await _about_leads(desk, people),
        await _about_people(desk, people),
    ]
    told = texts.diagnosis(found, people=len(people), days=days)
    customers.tell_alone(desk, "诊断", told)


async def _about_records(desk: Desk, people: Sequence[Person]) -> list[Finding]:
    ids = [person.id for person in people]
    rows, actions, drafts = desk.tx.diagnosis, desk.office.policy.actions, desk.office.policy.drafts
    since = desk.at - _DAY * desk.office.policy.diagnosis.look_back_days
    reminders = texts.setting("actions.remind_after_h", actions.remind_after_h)
    hours = texts.setting("actions.late_hours", actions.late_hours)
    minutes = await rows.owed(ids, Awaited.MINUTES, by=desk.at)
    fields = await rows.owed(ids, Awaited.FIELDS, by=desk.at)
    unlocking = await rows.owed(ids, Awaited.LATE, by=desk.at)
    return [
        _finding(texts.MINUTES, minutes, reminders),
        _finding(texts.FIELDS, fields, reminders),
        _finding(texts.UNLOCKING, unlocking, hours),
        _finding(texts.LATE, await rows.late(ids, since), hours),
        _finding(
            texts.EXPIRED,
            await rows.expired_drafts(ids, since),
            f"{texts.setting('drafts.ttl_h', drafts.ttl_h)}、"
            f"{texts.setting('drafts.auto_confirm', str(drafts.auto_confirm).lower())}",
        ),
    ]


async def _about_leads(desk: Desk, people: Sequence[Person]) -> list[Finding]:
    ids = [person.id for person in people]
    rows, policy, calendar = desk.tx.diagnosis, desk.office.policy, desk.office.calendar
    library = desk.library
    today = calendar.day_of(desk.at)
    dead_days = policy.diagnosis.dead_days
    dead_since = today
    for _ in range(dead_days + 1):
        dead_since -= _DAY
        while not calendar.is_workday(dead_since):
            dead_since -= _DAY
    digest = texts.setting("pushes.digest_at", f"{policy.pushes.digest_at:%H:%M}")
    repeat = int(policy.pushes.repeat_after / timedelta(hours=1))
    stuck = _finding(texts.STUCK, await rows.stuck(ids), texts.stuck_days(library.label))
    return [
        _finding(texts.OVERDUE, await rows.overdue(ids, calendar.midnight(today)), digest),
        Finding(
            stuck.title,
            stuck.count,
            stuck.examples,
            stuck.setting,
            texts.library_file(library.key),
        ),
        _finding(
            texts.dead(dead_days),
            await rows.silent(ids, calendar.midnight(dead_since)),
            texts.setting("diagnosis.dead_days", dead_days),
        ),
        _finding(
            texts.UNACKNOWLEDGED,
            await rows.unacknowledged(ids),
            texts.setting("pushes.repeat_after_h", repeat),
        ),
    ]


async def _about_people(desk: Desk, people: Sequence[Person]) -> Finding:
    """Who is at work and recorded nothing; a leave is no silence, and who leads need not sell."""
    reps = [person for person in people if Role.SUPERVISOR not in person.roles]
    at_work = [person for person in reps if not person.on_leave(desk.at)]
    since = desk.at - _DAY * desk.office.policy.diagnosis.look_back_days
    heard = await desk.tx.diagnosis.recorders([person.id for person in at_work], since)
    silent = tuple(person.name for person in at_work if person.id not in heard)
    return Finding(texts.SILENT_PEOPLE, len(silent), silent, texts.roles())


def _finding(title: str, sample: Sample, setting: str) -> Finding:
    examples = tuple(texts.example(customer, rep) for customer, rep in sample.examples)
    return Finding(title, sample.count, examples, setting)
