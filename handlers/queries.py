"""What people ask: the to-do list, lights, a customer; and putting a light off."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from bot.domain.activities import Record
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from handlers import customers, drafts
from handlers.desk import Desk
from handlers.texts import customers as customer_texts
from handlers.texts import dialog
from handlers.texts import queries as texts

MANY = 200


async def answer(desk: Desk, record: Record) -> None:
    """A question the reader recognised."""
    topic = record.query_topic
    if topic == "todo":
        await todo(desk)
    elif topic == "lights":
        await lights(desk)
    elif topic == "customer" and record.customer is not None:
        await customers.show_customer(desk, record.customer)
    elif topic == "help":
        desk.say(dialog.HELP)
    else:
        desk.say(texts.NOT_YET)


async def todo(desk: Desk) -> None:
    """«待办»: what to finish, whom to call today, which lights are on."""
    deals = await desk.tx.opportunities.list_of_owner(desk.rep.id, limit=MANY)
    zone = desk.office.zone
    today = desk.at.astimezone(zone).date()
    tonight = datetime.combine(today + timedelta(days=1), time(0), zone).astimezone(UTC)
    lines = []
    for draft in await desk.tx.drafts.open_of_person(desk.rep.id):
        view = await drafts.look_at(desk, draft)
        lines.append(texts.open_draft(view.title, view.customer, len(view.missing)))
    promised = [deal for deal in deals if deal.next_contact_at and deal.next_contact_at < tonight]
    lines += [
        texts.promised(deal.account_name, _promise(deal).astimezone(zone), today)
        for deal in sorted(promised, key=_promise)
    ]
    lines += [texts.light_line(deal, _gap(desk, deal)) for deal in _lit(deals)]
    if not lines:
        desk.say(texts.NOTHING_TO_DO)
        return
    desk.say_markdown("待办", texts.todo_list(lines))


async def lights(desk: Desk) -> None:
    """«我的灯»: the speaker's own yellow, red and stuck leads."""
    deals = await desk.tx.opportunities.list_of_owner(desk.rep.id, limit=MANY)
    lit = _lit(deals)
    if not lit:
        desk.say(texts.NO_LIGHTS)
        return
    lines = [texts.light_line(deal, _gap(desk, deal)) for deal in lit]
    desk.say_markdown("亮灯的客户", texts.light_list(lines))


async def snooze(desk: Desk, record: Record) -> None:
    """«陈仓机床这个黄灯缓两天 他们在盘点»: put the pushes off, with a reason."""
    if record.customer is None:
        desk.say(texts.SNOOZE_WHICH)
        return
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        desk.say(customer_texts.no_such_customer(record.customer))
        return
    await customers.refuse_to_show(desk, account)
    deals = await desk.tx.opportunities.open_of_account(account.id)
    for deal in deals:
        told = await desk.office.lights.snooze(
            desk.tx, deal, desk.rep, until_on=record.until, reason=desk.message.text, at=desk.at
        )
        desk.say(told)
    if not deals:
        desk.say(texts.no_light(account.name))


def _lit(deals: list[Opportunity]) -> list[Opportunity]:
    order = {Light.RED: 0, Light.YELLOW: 1, Light.GREEN: 2}
    lit = [
        deal
        for deal in deals
        if deal.state is OpportunityState.OPEN and (deal.light is not Light.GREEN or deal.stuck)
    ]
    return sorted(lit, key=lambda deal: (order[deal.light], deal.id))


def _gap(desk: Desk, deal: Opportunity) -> int:
    zone = desk.office.zone
    since = (deal.last_valid_at or deal.assigned_at).astimezone(zone).date()
    return desk.office.calendar.workdays_between(since, desk.at.astimezone(zone).date())


def _promise(deal: Opportunity) -> datetime:
    assert deal.next_contact_at is not None
    return deal.next_contact_at
