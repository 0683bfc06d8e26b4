"""What a record still owes, in chat: it arises when something is stored, ends when that is made
good, and what was locked is reopened by who leads the rep."""

from __future__ import annotations

from bot.domain.activities import Activity, Intent, Record
from bot.domain.deadlines import Awaited, Deadline, DeadlineState
from bot.errors import NotAllowed, NotFound
from bot.messages import Card
from handlers.conversation import drafts, undoing
from handlers.customers import customers
from handlers.deadlines import unlocking
from handlers.deadlines.deadline_rounds import ASK, NOT_HELD, WRITE
from handlers.deadlines.settling import settle
from handlers.desk import Desk
from handlers.texts import deadlines as texts
from handlers.texts import dialog


async def press(desk: Desk) -> None:
    """A button of a reminder: write what is missing, say that the visit was not held, or ask
    for the lock to be opened. Only for who may record for that customer."""
    action = desk.message.action
    assert action is not None
    owed = await desk.tx.deadlines.get(int(action.card_id.split("-")[1]))
    if owed is None:
        raise NotFound(dialog.CARD_UNKNOWN)
    account = await desk.tx.accounts.get(owed.account_id)
    await customers.refuse_foreign(desk, account)
    if owed.state not in (DeadlineState.OPEN, DeadlineState.LOCKED):
        await _close(desk, texts.SETTLED)
        desk.say(texts.SETTLED)
    elif action.action == WRITE:
        await write(desk, owed)
    elif action.action == NOT_HELD and owed.awaited is Awaited.MINUTES:
        await _not_held(desk, owed)
    elif action.action == ASK and owed.state is DeadlineState.LOCKED:
        entry = await desk.tx.activities.get(owed.activity_id)
        leaders = await unlocking.send_questions(desk, entry, account)
        await _close(desk, texts.CARD_ASKED)
        desk.say(texts.asked([leader.name for leader in leaders], account.name))


async def write(desk: Desk, owed: Deadline) -> None:
    """Open the draft that makes it good: the minutes of the visit, or the record again."""
    if owed.awaited is Awaited.MINUTES:
        for draft in await desk.tx.drafts.open_of(desk.conversation, desk.rep.id):
            unit = drafts.unit_of(desk, draft)
            about_it = draft.account_id == owed.account_id
            if about_it and unit is not None and unit.intent is Intent.LOG_VISIT:
                await drafts.show(desk, draft)
                return
        local = owed.since.astimezone(desk.office.zone)
        record = Record(intent=Intent.LOG_VISIT, customer=owed.account_name, stated_on=local.date())
        text = f"{owed.account_name}{texts.WRITTEN_ON_REMINDER}"
        await drafts.open_draft(desk, record, number=0, text=text, clock=local.time())
        return
    entry = await desk.tx.activities.get(owed.activity_id)
    await drafts.show(desk, await undoing.reopen(desk, entry))


async def _not_held(desk: Desk, owed: Deadline) -> None:
    """In time the rep's word is enough; it stands in the stream."""
    if owed.state is DeadlineState.LOCKED:
        raise NotAllowed(texts.HOW_LOCKED)
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=owed.account_id,
            opportunity_id=owed.opportunity_id,
            actor_id=desk.rep.id,
            unit="",
            title=texts.VISIT_NOT_HELD,
            text=texts.VISIT_NOT_HELD,
            occurred_at=desk.at,
            recorded_at=desk.at,
            source_id=f"not-held:{owed.id}",
        )
    )
    await settle(desk.tx, [owed], state=DeadlineState.DROPPED, at=desk.at)
    await _close(desk, texts.CARD_NOT_HELD)
    desk.say(texts.not_held(owed.account_name))


async def _close(desk: Desk, note: str) -> None:
    """The pressed card loses its buttons."""
    action = desk.message.action
    assert action is not None
    owed = await desk.tx.deadlines.get(int(action.card_id.split("-")[1]))
    assert owed is not None
    locked = owed.state is DeadlineState.LOCKED
    card = Card(
        card_id=action.card_id,
        title=texts.title(owed, locked=locked),
        lines=(texts.rule(owed.hours),),
        closed=note,
    )
    await desk.change(card, subject=f"deadline:{owed.id}")
