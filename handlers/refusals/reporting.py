"""Why customers said no: every Monday to product managers, and on «拒绝原因» for a period."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.domain.people import Person, Role
from bot.domain.refusals import Refusals, count
from bot.errors import NotAllowed
from bot.messages import Card, Markdown, OutboundMessage
from bot.router import Begin, Job
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.refusals.masking import mask_customers
from handlers.refusals.scope import last_week, period, seen_by
from handlers.refusals.summary import TOP, Summary, groups_kept, summarise
from handlers.texts import refusals as texts
from storage.unit_of_work import UnitOfWork

SEES_ALL = frozenset({Role.PRODUCT, Role.SALES_DIRECTOR, Role.ADMIN})
READERS = SEES_ALL | {Role.SUPERVISOR}
KEPT = "refusals.week"  # the row of settings that keeps the last week's words
LOOK_BACK = timedelta(weeks=12)
SENT_AT = time(9, 5)
LATE_S = 12 * 3600


class WeeklyRefusals:
    """The job. Holds no state but the summary made for the tick that follows."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._made: Summary | None = None

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        monday = {"day_of_week": "mon", "hour": str(SENT_AT.hour), "minute": str(SENT_AT.minute)}
        return (
            Job("refusals of the week", monday, self._send, too_late_s=LATE_S, prepare=self._make),
        )

    async def _make(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        """Before the tick's transaction, in a thread: a dictionary is loaded and notes are
        compared with each other."""
        self._made = None
        since, until = last_week(self._office, at)
        async with begin() as tx:
            losses = await tx.refusals.losses(since=until - LOOK_BACK, until=until)
            people = [person.name for person in await tx.people.list_active()]
            for account_id in {loss.account_id for loss in losses}:
                people += [one.name for one in await tx.accounts.contacts(account_id)]
            earlier = groups_kept(await tx.settings.get(KEPT))
        if not any(loss.lost_at >= since for loss in losses):
            return
        index = self._office.customers.index
        masked = [replace(loss, text=mask_customers(loss.text, index)) for loss in losses]
        self._made = await asyncio.to_thread(
            summarise, masked, since=since, until=until, people=people, earlier=earlier
        )

    async def _send(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """To each product manager; on a holiday it waits for the next working day."""
        made = self._made
        if made is None:
            return []
        await tx.settings.put(KEPT, made.kept(), at)
        calendar = self._office.calendar
        day = calendar.day_of(at)
        waits = not calendar.is_workday(day)
        not_before = calendar.moment(calendar.next_workday(day), SENT_AT) if waits else None
        sent = []
        for person in await tx.people.list_by_role(Role.PRODUCT):
            to = self._office.address_of(person)
            if to is None:
                continue
            key = f"refusals:{day}:{person.id}"
            card = Card(f"refusals-{day}-{person.id}", *_face(self._office, made.report))
            sent.append(OutboundMessage(key, to, card, not_before=not_before))
            if made.details:
                words = Markdown(card.title, made.details)
                sent.append(OutboundMessage(f"{key}:words", to, words, not_before=not_before))
        return sent


async def show(desk: Desk, words: str) -> None:
    """«拒绝原因 上月»: a supervisor sees their own people's, the others everybody's with the
    words of the last weekly report."""
    report, details = await read(desk.tx, desk.office, desk.rep, words, desk.at)
    title, lines = _face(desk.office, report)
    parts = [f"**{title}**", *lines]
    if report.mentioned:
        parts.append(texts.mentions(report))
    if details:
        parts.append(details)
    customers.tell_alone(desk, title, "\n".join(parts))


async def read(
    tx: UnitOfWork, office: Office, reader: Person, words: str, at: datetime
) -> tuple[Refusals, str]:
    """What somebody may know of a period, and the words of the last weekly report, "" for who
    does not see all. words: the period, as people say it. Raises NotAllowed, InvalidInput."""
    if not reader.roles & READERS:
        raise NotAllowed(texts.NOT_YOURS)
    since, until = period(office, words, at)
    losses = await tx.refusals.losses(since=since - (until - since), until=until)
    losses = await seen_by(tx, reader, losses, all_for=SEES_ALL)
    sees_all = bool(reader.roles & SEES_ALL)
    report = count(losses, since=since, until=until)
    kept = await tx.settings.get(KEPT) if sees_all and report.lost else None
    return report, str(kept["details"]) if kept else ""


def _face(office: Office, report: Refusals) -> tuple[str, tuple[str, ...]]:
    """The title and the lines."""
    first = office.calendar.day_of(report.since)
    last = office.calendar.day_of(report.until - timedelta(seconds=1))
    return texts.title(first, last), tuple(texts.lines(report, top=TOP))
