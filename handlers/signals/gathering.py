"""Events that websites told become visits in streams, and signals.

A website's event is only kept by the door. Here it is found whose it is: by the link through
which the visitor came, once they agreed to be known. What a visitor did before that is theirs, too;
what nobody is known for stays without a name and is forgotten in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.activities import Activity, Intent
from bot.domain.signals import LINK, MEETING, Arrived, Visit, visits
from bot.messages import OutboundMessage
from bot.router import Job
from handlers.desk import Desk, Office
from handlers.erp import erp_entries
from handlers.signals import finding
from handlers.texts import signals as texts
from storage.signals import NewEvent, VisitorRow
from storage.unit_of_work import UnitOfWork

AT_ONCE = 2_000
VISITS_AT_ONCE = 500
FORGOTTEN_AT_ONCE = 5_000
STREAM = "stream"  # a "site" of ours: its events say themselves whose they are
FORGETS_AT_HOUR = 3


def job(office: Office) -> Job[UnitOfWork]:
    """Each minute, when there is anything."""

    async def gather(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await run(tx, office, at)

    async def next_due(tx: UnitOfWork) -> datetime | None:
        oldest = await tx.signals.oldest_new_at()
        due = await tx.signals.next_due_at()
        return min((one for one in (oldest, due) if one is not None), default=None)

    return Job("gather signals", {"minute": "*"}, gather, next_due=next_due)


async def run(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    touched = await _learn_whose(tx, office, at)
    due = await tx.signals.take_looks(at, limit=VISITS_AT_ONCE)
    messages: list[OutboundMessage] = []
    for account_id in dict.fromkeys([*touched, *due]):
        messages += await finding.look(tx, office, account_id, at)
    await _write_visits(tx, office, at)
    if at.astimezone(office.zone).hour == FORGETS_AT_HOUR:
        policy = office.policy.signals
        await tx.signals.purge(
            anonymous_before=at - timedelta(days=policy.anonymous_days),
            known_before=at - timedelta(days=policy.known_days),
            limit=FORGOTTEN_AT_ONCE,
        )
    return messages


async def follow(desk: Desk) -> None:
    """A meeting that was recorded warms its customer."""
    met = [one for one in desk.recorded if one.slots.get("intent") == Intent.LOG_VISIT]
    await desk.tx.signals.arrive([_as_meeting(one, desk.at) for one in met if one.valid])


def _as_meeting(entry: Activity, at: datetime) -> Arrived:
    return Arrived(
        STREAM, f"activity-{entry.id}", STREAM, MEETING, entry.occurred_at, at,
        account_id=entry.account_id,
    )  # fmt: skip


async def _learn_whose(tx: UnitOfWork, office: Office, at: datetime) -> list[int]:
    """The customers of whom there is anything new.

    A tick may run long after its minute, and judges as of that minute: what came later is left
    to a later one, or rules would look at it once, before it happened, and never again.
    """
    groups: dict[tuple[str, str], list[NewEvent]] = {}
    for one in await tx.signals.new_events(at, limit=AT_ONCE):
        groups.setdefault((one.site, one.event.visitor), []).append(one)
    customers: list[int] = []
    for (site, _), events in groups.items():
        if site == STREAM:
            account_id = events[0].account_id
        else:
            account_id = await _visitor_is(tx, office, events, at)
        by_customer: dict[int | None, list[int]] = {}
        for one in events:
            by_customer.setdefault(one.account_id or account_id, []).append(one.event.id)
        for number, ids in by_customer.items():
            await tx.signals.seen(ids, account_id=number)
            customers += [number] if number is not None else []
    return customers


async def _visitor_is(
    tx: UnitOfWork,
    office: Office,
    events: Sequence[NewEvent],
    at: datetime,
) -> int | None:
    """The customer of a browser, whose events these are; None while nobody knows."""
    site, visitor = events[0].site, events[0].event.visitor
    last_at = max(one.event.at for one in events)
    row = await tx.signals.note_visitor(site, visitor, last_at=last_at)
    account_id, contact = row.account_id, row.contact
    told = next((one.account_id for one in events if one.account_id is not None), None)
    if told is not None and account_id is None:
        account_id, contact = told, ""
    came_by = [one.link_id for one in events if one.consent and one.link_id is not None]
    link = await tx.signals.link(came_by[-1]) if came_by else None
    if link is not None and link.site == site:
        account_id, contact = link.account_id, link.contact
    if account_id is None:
        return None
    if (account_id, contact) != (row.account_id, row.contact):
        await tx.signals.identify(row, account_id=account_id, contact=contact, at=at)
    await tx.signals.visit_due(row.id, last_at + office.policy.signals.visit_gap)
    return account_id


async def _write_visits(tx: UnitOfWork, office: Office, at: datetime) -> None:
    """Visits that are over: one entry each, not one for each page."""
    for row in await tx.signals.due_visitors(at, limit=VISITS_AT_ONCE):
        events = await tx.signals.unwritten(row)
        for one in visits(events, office.policy.signals.visit_gap):
            await _write_visit(tx, office, row, one, at)
        await tx.signals.written(event.id for event in events)
        await tx.signals.visit_due(row.id, None)


async def _write_visit(
    tx: UnitOfWork, office: Office, row: VisitorRow, visit: Visit, at: datetime
) -> None:
    account_id = row.account_id
    if account_id is None:
        return
    account = await tx.accounts.get(account_id)
    is_link = all(event.kind == LINK for event in visit.events)
    who = row.contact
    words = texts.opened(visit.events[0].page) if is_link else texts.visit(visit, office.sites)
    await erp_entries.enter(
        tx,
        account.id,
        texts.ENTRY_LINK if is_link else texts.ENTRY_VISIT,
        f"{who}{words}" if who else words,
        occurred_at=visit.begun_at,
        at=at,
        key=f"visit:{row.id}:{visit.events[0].id}",
    )
