"""«诊断»: where the process of the speaker's people breaks, and the settings that help, each with
a button for who may change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.calendar import WorkingCalendar
from bot.domain.deadlines import Awaited
from bot.domain.people import Person, Role
from bot.domain.policy import Policy
from bot.domain.policy_changes import SETTING_OF, Problem, remedy, setting_of, value_of
from bot.errors import NotAllowed
from bot.messages import Button, Card
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.leading import teams
from handlers.leading.teams import LEADING
from handlers.policy import policy_switch
from handlers.texts import diagnosis as texts
from handlers.texts import policy as policy_texts
from handlers.texts.diagnosis import Finding
from handlers.texts.figures import NO_TEAM
from storage.diagnosis import EXAMPLES, HandedIn, Sample
from storage.unit_of_work import UnitOfWork

MOST_OFFERS = 5
_DAY = timedelta(days=1)


async def show(desk: Desk, _: str) -> None:
    """Raises NotAllowed for who leads nobody."""
    people, looked_at = await findings(desk.tx, desk.office, desk.rep, desk.at)
    if not people:
        desk.say(NO_TEAM)
        return
    found = texts.in_order(looked_at)
    offers = _offers(desk, found)
    told = texts.diagnosis(
        found,
        people=people,
        days=desk.office.policy.diagnosis.look_back_days,
        overseer=bool(desk.rep.roles & teams.OVERSEERS),
        offered=bool(offers),
    )
    customers.tell_alone(desk, "诊断", told)
    if offers:
        await _show_offers(desk, offers)


async def findings(
    tx: UnitOfWork, office: Office, leader: Person, at: datetime
) -> tuple[int, list[Finding]]:
    """How many people somebody leads, and everything that was looked at, also what is well.
    Raises NotAllowed for who leads nobody by role."""
    if not leader.roles & LEADING:
        raise NotAllowed(texts.NOT_FOR_YOU)
    people = await teams.below(tx, leader)
    if not people:
        return 0, []
    library = await office.libraries.of_person(tx, leader.id)
    look = _Look(tx, office, leader, people, at, library.label)
    parts = (_about_records, _about_leads, _about_talk, _about_people)
    return len(people), [one for part in parts for one in await part(look)]


@dataclass(frozen=True, slots=True)
class _Look:
    """One diagnosis being made. library: how the leader's action library is called."""

    tx: UnitOfWork
    office: Office
    leader: Person
    people: Sequence[Person]
    at: datetime
    library: str

    @property
    def ids(self) -> list[int]:
        return [person.id for person in self.people]

    @property
    def since(self) -> datetime:
        return self.at - _DAY * self.office.policy.diagnosis.look_back_days

    @property
    def policy(self) -> Policy:
        return self.office.policies.of(self.leader.id)


async def _about_records(look: _Look) -> list[Finding]:
    ids, rows, since = look.ids, look.tx.diagnosis, look.since
    samples = {
        Problem.MINUTES: await rows.owed(ids, Awaited.MINUTES, by=look.at),
        Problem.FIELDS: await rows.owed(ids, Awaited.FIELDS, by=look.at),
        Problem.UNLOCKING: await rows.owed(ids, Awaited.LATE, by=look.at),
        Problem.LATE: await rows.late(ids, since),
        Problem.LATE_EVIDENCE: _too_late(look, await rows.handed_in(ids, since)),
        Problem.EXPIRED: await rows.expired_drafts(ids, since),
    }
    return [_finding(look, problem, sample) for problem, sample in samples.items()]


def _too_late(look: _Look, handed_in: Sequence[HandedIn]) -> Sample:
    """What came after its hours were over: it was locked by then."""
    clock, calendar = look.policy.actions.late_clock, look.office.calendar
    late = [
        one
        for one in handed_in
        if one.reopened or calendar.elapsed(clock, one.since, one.at) > timedelta(hours=one.hours)
    ]
    return Sample(len(late), tuple((one.customer or "", one.rep) for one in late[:EXAMPLES]))


async def _about_leads(look: _Look) -> list[Finding]:
    ids, rows, since = look.ids, look.tx.diagnosis, look.since
    policy, calendar = look.office.policy.diagnosis, look.office.calendar
    today = calendar.day_of(look.at)
    dead_since = calendar.midnight(_workdays_before(calendar, today, policy.dead_days + 1))
    samples = {
        Problem.OVERDUE: await rows.overdue(ids, calendar.midnight(today)),
        Problem.STUCK: await rows.stuck(ids),
        Problem.DEAD: await rows.silent(ids, dead_since),
        Problem.UNACKNOWLEDGED: await rows.unacknowledged(ids),
        Problem.UNDOCUMENTED: await rows.undocumented_moves(
            ids, since, worked_since=since - _DAY * policy.look_back_days
        ),
    }
    return [_finding(look, problem, sample) for problem, sample in samples.items()]


async def _about_talk(look: _Look) -> list[Finding]:
    """Which groups are a customer's is not known; that nothing said in one was kept, is."""
    sample = await look.tx.diagnosis.unbound_groups(look.ids, look.since)
    examples = tuple(texts.group_example(rep) for _, rep in sample.examples)
    return [Finding(Problem.UNBOUND, sample.count, examples)]


async def _about_people(look: _Look) -> list[Finding]:
    """Who is at work and recorded nothing; a leave is no silence, and who leads need not sell."""
    reps = [person for person in look.people if Role.SUPERVISOR not in person.roles]
    at_work = [person for person in reps if not person.on_leave(look.at)]
    heard = await look.tx.diagnosis.recorders([person.id for person in at_work], look.since)
    silent = tuple(person.name for person in at_work if person.id not in heard)
    return [Finding(Problem.SILENT, len(silent), silent)]


def _finding(look: _Look, problem: Problem, sample: Sample) -> Finding:
    examples = tuple(texts.example(customer, rep) for customer, rep in sample.examples)
    title = ""
    if problem is Problem.DEAD:
        title = texts.dead(look.office.policy.diagnosis.dead_days)
    return Finding(problem, sample.count, examples, _what_helps(look, problem), title)


def _what_helps(look: _Look, problem: Problem) -> str:
    if problem is Problem.STUCK:
        return texts.stuck_days(look.library)
    key = SETTING_OF.get(problem)
    if key is None:
        return ""
    setting, policy = setting_of(key), look.policy
    advised = remedy(problem, policy)
    return texts.setting(
        policy_texts.label(key),
        policy_texts.value(setting, value_of(policy, key)),
        policy_texts.value(setting, advised) if advised is not None else "",
    )


def _offers(desk: Desk, found: Sequence[Finding]) -> list[Finding]:
    """The findings whose remedy the speaker may switch on, each setting once."""
    offers: dict[str, Finding] = {}
    for one in found:
        key = SETTING_OF.get(one.problem)
        if key is None or remedy(one.problem, desk.policy) is None:
            continue
        if policy_switch.may_change(desk.rep, setting_of(key), _scope(desk)):
            offers.setdefault(key, one)
    return list(offers.values())[:MOST_OFFERS]


def _scope(desk: Desk) -> Person | None:
    """An administrator changes it for everybody, a sales director for those below them."""
    return None if Role.ADMIN in desk.rep.roles else desk.rep


async def _show_offers(desk: Desk, offers: Sequence[Finding]) -> None:
    team = _scope(desk)
    lines, data = [], []
    for place, one in enumerate(offers, 1):
        key, to = SETTING_OF[one.problem], remedy(one.problem, desk.policy)
        assert to is not None
        words = [policy_texts.value(setting_of(key), v) for v in (value_of(desk.policy, key), to)]
        label = policy_texts.label(key)
        line = texts.offer_line(place, title=one.named, label=label, was=words[0], to=words[1])
        lines.append(line)
        data.append({"key": key, "team": team.id if team is not None else None, "to": to})
    number = "".join(filter(str.isalnum, desk.message.message_id))[-24:]
    buttons = [
        Button(f"{policy_switch.OFFER}{n}", texts.offer_button(n + 1)) for n in range(len(offers))
    ]
    card = Card(
        card_id=f"{policy_switch.PREFIX}offers-{number}",
        title=texts.offers_title(len(offers)),
        lines=(*lines, texts.OFFER_HOW),
        buttons=tuple(buttons),
    )
    await desk.show_privately(card, subject="policy:offers", data={"offers": data})


def _workdays_before(calendar: WorkingCalendar, day: date, count: int) -> date:
    for _ in range(count):
        day -= _DAY
        while not calendar.is_workday(day):
            day -= _DAY
    return day
