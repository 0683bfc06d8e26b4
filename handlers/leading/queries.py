"""What people ask: the to-do list, lights, a customer; and putting a light off."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime

from bot.domain.activities import Record
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from bot.domain.people import Person
from bot.errors import NotAllowed, NotFound
from handlers.customers import customers
from handlers.deals import losing
from handlers.desk import Desk
from handlers.forecasts import showing
from handlers.growth_fund import statement as growth_statement
from handlers.leading import explaining, figures, worklist
from handlers.leading.teams import LEADING, OVERSEERS
from handlers.leading.worklist import Kind
from handlers.payouts import disputing, statements
from handlers.texts import customers as customer_texts
from handlers.texts import dialog
from handlers.texts import payouts as payout_texts
from handlers.texts import queries as texts

PAGE = 500
MOST_TEAM_REDS = 500
MOST_REVIEWS = 200

_OF_TEAM = re.compile(r"我们?组|团队|组里|部门|大家")
_OF_OTHERS = re.compile(
    r"^(?:老板|领导|主管|总监|别人|同事|他们?|她|其他人|人家|大家).{0,6}(?:奖|提成|工资|拿)"
)
_MONTH = re.compile(r"上个?月|本月|(?:20\d\d年)?(?<!\d)(?:1[0-2]|[1-9])月(?!\d)")


async def answer(desk: Desk, record: Record, question: str) -> None:
    """A question the reader recognised."""
    topic = record.query_topic
    if topic in ("customer", "lights") and record.customer is not None:
        await customers.show_customer(desk, record.customer)
    elif topic == "rule":
        await explaining.answer(desk, question)
    elif topic == "bonus":
        await statements.show(desk, await _whose_month(desk, question))
    elif topic in ("customer", "lights") and _OF_TEAM.search(question) and _is_leader(desk):
        await figures.show_overview(desk, "")
    elif topic in _ANSWERS:
        await _ANSWERS[topic](desk)
    else:
        desk.say(texts.NOT_YET)


def _is_leader(desk: Desk) -> bool:
    return bool(desk.rep.roles & LEADING)


async def _whose_month(desk: Desk, question: str) -> str:
    """«陈静上个月的奖金»: as the command wants it, «陈静 上个月»."""
    month = _MONTH.search(question)
    people = await desk.tx.people.list_active()
    named = [person.name for person in people if person.name in question]
    if not named and _OF_OTHERS.search(question):
        raise NotAllowed(payout_texts.OWN_PAY_ONLY)
    return " ".join([*named[:1], *([month[0]] if month else [])])


async def _which_customer(desk: Desk) -> None:
    desk.say(customer_texts.WHICH_TO_SHOW)


async def _help(desk: Desk) -> None:
    desk.say(dialog.help_for(desk.rep.roles))


async def _appeals(desk: Desk) -> None:
    await disputing.list_own(desk, "")


async def _fund(desk: Desk) -> None:
    await growth_statement.show(desk, "")


async def _ranking(desk: Desk) -> None:
    """Nobody is ranked in chat; a leader compares teams on pages, from five people on."""
    desk.say(texts.NO_RANKING)
    await figures.show_own(desk, "")


async def todo(desk: Desk) -> None:
    """«待办»: what to do first on top; one line a customer, the rest counted."""
    items = await worklist.of_person(desk.tx, desk.office.watch, desk.rep, desk.at)
    sections = [
        (texts.DRAFTS, worklist.lines(items, Kind.DRAFT)),
        (texts.OWED, worklist.lines(items, Kind.OWED, Kind.WAITING)),
        (texts.REVIEWS, await _clause_reviews(desk)),
        (texts.LOSSES, await _losses_without_reason(desk)),
        (texts.OVERDUE, worklist.lines(items, Kind.OVERDUE)),
        (texts.REDS, worklist.lines(items, Kind.RED)),
        (texts.TEAM_REDS, await _team_reds(desk)),
        (texts.SIGNALS, worklist.lines(items, Kind.SIGNAL)),
        (texts.TODAY, worklist.lines(items, Kind.TODAY)),
        (texts.YELLOWS, worklist.lines(items, Kind.YELLOW)),
        (texts.STUCK, worklist.lines(items, Kind.STUCK)),
    ]
    customers.tell_alone(desk, "待办", texts.todo_list(sections) or texts.NOTHING_TO_DO)


async def _clause_reviews(desk: Desk) -> list[str]:
    """Of contracts that were not paid, for lawyers and whose customer it is."""
    found = []
    for review in await desk.tx.clause_reviews.open_ones(MOST_REVIEWS):
        if desk.rep.id in review.reviewers:
            contract = await desk.tx.contracts.get(review.contract_id)
            account = await desk.tx.accounts.get(contract.account_id)
            due = review.deadline_at.astimezone(desk.office.zone)
            line = texts.clause_review
            found.append(line(account.name, contract.terms.number, due, late=desk.at > due))
    return found


async def lights(desk: Desk) -> None:
    """«我的灯»: the speaker's own yellow, red and stuck leads; for who leads, the red ones of
    their people too."""
    deals = await _deals_to_work(desk)
    sections = [
        (texts.REDS, _lines(desk, deals, lambda deal: deal.light is Light.RED)),
        (texts.TEAM_REDS, await _team_reds(desk)),
        (texts.YELLOWS, _lines(desk, deals, lambda deal: deal.light is Light.YELLOW)),
        (texts.STUCK, _lines(desk, deals, lambda deal: deal.stuck)),
    ]
    no_lights = texts.NO_TEAM_LIGHTS if desk.rep.roles & LEADING else texts.NO_LIGHTS
    customers.tell_alone(desk, "亮灯的客户", texts.light_list(sections) or no_lights)


async def snooze(desk: Desk, record: Record) -> None:
    """«陈仓机床这个黄灯缓两天 他们在盘点»: put the pushes off, with a reason."""
    if record.customer is None:
        desk.say(texts.SNOOZE_WHICH)
    elif not await put_off(desk, record):
        desk.say(texts.no_light(record.customer))


async def put_off(desk: Desk, record: Record) -> bool:
    """Whether the customer has a living deal; then its light is put off, or refused with the
    reason. Raises UserError."""
    assert record.customer is not None
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        raise NotFound(customer_texts.no_such_customer(record.customer))
    await customers.refuse_to_show(desk, account)
    deals = await desk.tx.opportunities.open_of_account(account.id)
    lit = [deal for deal in deals if deal.light is not Light.GREEN] or deals[:1]
    for deal in lit:
        told = await desk.office.lights.snooze(
            desk.tx, deal, desk.rep, until_on=record.until, reason=desk.message.text, at=desk.at
        )
        desk.say(told)
    return bool(lit)


async def _deals_to_work(desk: Desk) -> list[Opportunity]:
    """The speaker's own, and those of whom they stand in for."""
    found: list[Opportunity] = []
    for person in await _covered(desk):
        page = await desk.tx.opportunities.list_of_owner(person.id, limit=PAGE)
        while page:
            found += page
            page = await desk.tx.opportunities.list_of_owner(
                person.id, limit=PAGE, after_id=page[-1].id
            )
    return [deal for deal in found if deal.state is OpportunityState.OPEN]


async def _covered(desk: Desk) -> list[Person]:
    """The speaker, and those who are on leave and whom they stand in for."""
    people = await desk.tx.people.list_active()
    return [desk.rep, *(one for one in people if customers.covers(desk, one))]


async def _losses_without_reason(desk: Desk) -> list[str]:
    entries = await losing.without_reason(desk)
    accounts = [await desk.tx.accounts.get(entry.account_id) for entry in entries]
    return [texts.loss_without_reason(account.name) for account in accounts]


async def _team_reds(desk: Desk) -> list[str]:
    """Red leads of the speaker's people, longest silent first."""
    if not desk.rep.roles & LEADING:
        return []
    reds = [
        lead.opportunity
        for lead in await desk.tx.lights.list_red(limit=MOST_TEAM_REDS)
        if lead.opportunity.owner_id != desk.rep.id
    ]
    people = {number: await desk.tx.people.get(number) for number in {d.owner_id for d in reds}}
    led = {number for number, person in people.items() if await _leads(desk, person)}
    return [
        texts.light_line(deal, _gap(desk, deal), owner=people[deal.owner_id].name)
        for deal in sorted(reds, key=_silent_since)
        if deal.owner_id in led
    ]


async def _leads(desk: Desk, person: Person) -> bool:
    if desk.rep.roles & OVERSEERS:
        return True
    return await customers.leads(desk.tx, desk.rep, person.id)


def _lines(
    desk: Desk, deals: Iterable[Opportunity], belongs: Callable[[Opportunity], bool]
) -> list[str]:
    """One line a lead, longest silent first."""
    today = desk.at.astimezone(desk.office.zone).date()
    chosen = sorted((deal for deal in deals if belongs(deal)), key=_silent_since)
    return [_line(desk, deal, today) for deal in chosen]


def _line(desk: Desk, deal: Opportunity, today: date) -> str:
    covered = deal.owner_id != desk.rep.id
    promised = None
    if deal.next_contact_at is not None:
        local = deal.next_contact_at.astimezone(desk.office.zone)
        promised = local if local.date() <= today else None
    gap, owner = _gap(desk, deal), texts.COVERED if covered else ""
    return texts.light_line(deal, gap, owner=owner, promised=promised, today=today)


def _gap(desk: Desk, deal: Opportunity) -> int:
    zone = desk.office.zone
    since = _silent_since(deal).astimezone(zone).date()
    return desk.office.calendar.workdays_between(since, desk.at.astimezone(zone).date())


def _silent_since(deal: Opportunity) -> datetime:
    return deal.last_valid_at or deal.assigned_at


_ANSWERS: dict[str, Callable[[Desk], Awaitable[None]]] = {
    "todo": todo,
    "lights": lights,
    "customer": _which_customer,
    "appeal_status": _appeals,
    "fund": _fund,
    "forecast": showing.answer,
    "ranking": _ranking,
    "help": _help,
}
