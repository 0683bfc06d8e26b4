"""«不对，是下周四»: which draft or record is meant, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Draft, Record
from bot.domain.opportunities import Account
from handlers.conversation import answers, drafts, habits, telling, undoing
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import dialog


async def correct(desk: Desk, record: Record, open_drafts: Sequence[Draft]) -> None:
    """Change the draft that is meant, or open the record again; shown before it counts."""
    account = await _account(desk, record)
    draft = await _meant(desk, record, account, open_drafts)
    if draft is None:
        desk.say(dialog.NOTHING_TO_CORRECT)
        return
    text, now = desk.message.text, answers.said_at(desk)
    slots = drafting.slots_of(telling.with_denial(desk, record, text, now))
    slots |= answers.read_swap(desk, draft, text)
    if (hour := answers.read_hour(desk, draft, text)) is not None:
        slots["next_contact"] = hour
    if telling.adds(text):
        slots = telling.beside_earlier(draft, slots)
    sure = drafting.confidence_of(record, slots)
    changed = _dated(desk, draft, record)
    if slots:
        changed = drafts.filled(desk, changed, slots, sure)
    if changed != draft:
        changed = replace(changed, text=dialog.with_correction(draft.text, text))
    if account is not None and account.id != draft.account_id:
        await drafts.give_customer(desk, changed, account, sure.get("customer", 1.0))
    elif record.ambiguous:
        await _ask_which(desk, changed, record)
    else:
        await drafts.fill(desk, changed, {})
        if changed == draft and account is None:
            desk.say(dialog.CORRECT_WHAT)


async def _meant(
    desk: Desk, record: Record, account: Account | None, open_drafts: Sequence[Draft]
) -> Draft | None:
    """The draft of the customer that is named along, else what the speaker did last: the
    newest draft, or the last record, opened again."""
    named = account.id if account is not None and record.correct_slot != "customer" else None
    for draft in open_drafts:
        if named is not None and draft.account_id == named:
            return draft
    if named is None and open_drafts and not await undoing.happened_after(desk, open_drafts[0]):
        return open_drafts[0]
    last = await undoing.last_record(desk, account_id=named) or await undoing.last_record(desk)
    if last is not None:
        return await undoing.reopen(desk, last)
    return open_drafts[0] if open_drafts else None


async def _account(desk: Desk, record: Record) -> Account | None:
    if record.customer is None:
        return None
    return await desk.tx.accounts.find_by_name(record.customer)


def _dated(desk: Desk, draft: Draft, record: Record) -> Draft:
    """«是昨天下午3点打的»: when it happened is corrected too."""
    now = answers.said_at(desk)
    clock = telling.stated_clock(desk, record, desk.message.text, now)
    if record.stated_on is None and (clock is None or record.next_contact is not None):
        return draft
    moment = drafting.occurred_at(record, desk.message.sent_at, desk.office.zone, clock)
    return replace(draft, occurred_at=moment)


async def _ask_which(desk: Desk, draft: Draft, record: Record) -> None:
    found = [await desk.tx.accounts.find_by_name(name) for name in record.ambiguous[:5]]
    numbers = tuple(account.id for account in found if account is not None)
    draft = await habits.drop(desk, draft)
    draft = replace(draft, account_id=None, opportunity_id=None, candidates=numbers)
    words = customers.mention_of(record)
    await drafts.fill(desk, draft, {habits.MENTION: words} if words else {})
