"""How what a record still owes follows the stream: it arises and ends with the entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.activities import Activity, Intent
from bot.domain.deadlines import Awaited, Deadline, DeadlineState, deadline_of, planned
from handlers.deadlines.deadline_rounds import subject_of
from handlers.desk import Desk
from storage.unit_of_work import UnitOfWork


async def after_storing(desk: Desk, entry: Activity) -> None:
    """A visit's entry hands its minutes in; what the entry itself owes is noted. A visit that
    is moved is owed at its new hour."""
    office = desk.office
    unit = office.libraries.of(entry.library).unit(entry.unit)
    if unit is not None and unit.intent is Intent.LOG_VISIT:
        await settle(desk.tx, await _minutes(desk, entry), state=DeadlineState.DONE, at=desk.at)
    owed = deadline_of(
        entry,
        office.libraries.of(entry.library),
        office.policies.of(entry.actor_id or desk.rep.id).actions,
        office.calendar,
        at=desk.at,
    )
    if owed is None:
        return
    if owed.awaited is Awaited.MINUTES:
        moved = [one for one in await _minutes(desk, entry) if one.state is DeadlineState.OPEN]
        await settle(desk.tx, moved, state=DeadlineState.DROPPED, at=desk.at)
    await desk.tx.deadlines.add(owed)


async def after_retracting(desk: Desk, entry: Activity, *, corrected: bool) -> None:
    """What a retracted entry owed is over; minutes that it handed in are owed again, unless
    another entry takes its place."""
    owed = await desk.tx.deadlines.of_activity(entry.id)
    if owed is not None and owed.state in (DeadlineState.OPEN, DeadlineState.LOCKED):
        state = DeadlineState.DONE if corrected else DeadlineState.DROPPED
        await settle(desk.tx, [owed], state=state, at=desk.at)
    unit = desk.office.libraries.of(entry.library).unit(entry.unit)
    visit = unit is not None and unit.intent is Intent.LOG_VISIT
    if corrected or not visit or entry.opportunity_id is None:
        return
    actor_id = entry.actor_id or desk.rep.id
    policy, calendar = desk.office.policies.of(actor_id).actions, desk.office.calendar
    for one in await desk.tx.deadlines.minutes_settled(
        entry.opportunity_id, since=entry.recorded_at
    ):
        again = replace(one, state=DeadlineState.OPEN)
        await desk.tx.deadlines.save(planned(again, policy, calendar, at=desk.at))


async def is_reopened(desk: Desk, entry: Activity, replaces: object) -> bool:
    """Whether the supervisor has allowed this entry to be late, before it came."""
    if isinstance(replaces, int):
        owed = await desk.tx.deadlines.of_activity(replaces)
        return owed is not None and owed.reopened
    unit = desk.office.libraries.of(entry.library).unit(entry.unit)
    if unit is None or unit.intent is not Intent.LOG_VISIT:
        return False
    return any(owed.reopened for owed in await _minutes(desk, entry))


async def settle(
    tx: UnitOfWork, owed: Sequence[Deadline], *, state: DeadlineState, at: datetime
) -> None:
    """They are over, and reminders that wait for the morning are dropped."""
    await tx.deadlines.settle(owed, state=state, at=at)
    await tx.delivery.drop_subjects((subject_of(one) for one in owed), at=at)


async def _minutes(desk: Desk, entry: Activity) -> list[Deadline]:
    if entry.opportunity_id is None:
        return []
    waiting = await desk.tx.deadlines.minutes_waiting(
        entry.opportunity_id, booked_before=entry.occurred_at
    )
    return [owed for owed in waiting if owed.activity_id != entry.id]
