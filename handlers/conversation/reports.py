"""What a rep reports: new drafts, or what completes an open one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Draft, Intent, Record
from bot.errors import UserError
from handlers.conversation import answers, drafts, telling, undoing
from handlers.deals import losing
from handlers.desk import Desk
from handlers.texts import dialog

LOGS = frozenset(
    {
        Intent.LOG_CALL,
        Intent.LOG_VISIT,
        Intent.LOG_MESSAGE,
        Intent.LOG_PROPOSAL,
        Intent.LOG_QUOTE,
        Intent.BOOK_VISIT,
        *drafting.NOTES,
    }
)
_OBJECTS = {"objections", "connected"}


def noted(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """What somebody wants recorded is a note at least, whatever it reads like."""
    if any(record.intent in LOGS for record in records):
        return records
    return (replace(records[0], intent=Intent.LOG_MESSAGE),)


async def log(desk: Desk, records: tuple[Record, ...], text: str, open_drafts: list[Draft]) -> None:
    """New drafts, one a record; what fits an open one completes it instead."""
    now = answers.said_at(desk)
    words = telling.parts(text, records)
    told = [
        (telling.with_denial(desk, record, part, now), part)
        for record, part in zip(records, words, strict=True)
        if record.intent in LOGS
    ]
    refusals = []
    for number, (record, part) in enumerate(told):
        try:
            if not await _complete(desk, record, part, open_drafts):
                clock = telling.stated_clock(desk, record, part, now)
                await drafts.open_draft(desk, record, number=number, text=part, clock=clock)
        except UserError as error:
            if len(told) == 1:
                raise
            refusals.append(str(error))
    for refusal in refusals:
        desk.say(refusal)


async def _complete(desk: Desk, record: Record, text: str, open_drafts: Sequence[Draft]) -> bool:
    """«聊了25分钟» after a draft without a duration adds to it; with another customer, or
    another kind of action, or what says something else, it is a new one. The reason of a loss
    that was recorded without one completes that record."""
    slots = drafting.slots_of(record)
    if record.intent is Intent.LOG_LOSS and await _complete_loss(desk, record, text, open_drafts):
        return True
    for place, draft in enumerate(open_drafts):
        if place and record.customer is None:  # it goes on with what was told last
            return False
        if _only_objects(desk, record, draft, slots):
            await answers.take_remark(desk, draft, text)
            return True
        fits = await _customer_fits(desk, record, draft, text)
        if not fits or not _adds(desk, record, draft, slots):
            continue
        account = None
        if record.customer is not None and draft.account_id is None:
            account = await desk.tx.accounts.find_by_name(record.customer)
        sure = drafting.confidence_of(record, slots)
        if account is None:
            await drafts.fill(desk, draft, slots, sure)
        else:
            changed = drafts.filled(desk, draft, slots, sure)
            await drafts.give_customer(desk, changed, account, sure.get("customer", 1.0))
        return True
    return False


async def _complete_loss(
    desk: Desk, record: Record, text: str, open_drafts: Sequence[Draft]
) -> bool:
    """«恒锐机电丢单是因为价格», where the loss stands without a reason: that record is opened
    again with it."""
    name = record.customer
    account = await desk.tx.accounts.find_by_name(name) if name else None
    if account is None or any(draft.account_id == account.id for draft in open_drafts):
        return False
    waiting = [
        entry for entry in await losing.without_reason(desk) if entry.account_id == account.id
    ]
    if not waiting or not record.objections:
        return False
    draft = await undoing.reopen(desk, waiting[0])
    slots = {"objections": list(record.objections)}
    changed = replace(draft, text=dialog.with_correction(draft.text, text))
    await drafts.fill(desk, changed, slots, record.confidence)
    return True


def _only_objects(desk: Desk, record: Record, draft: Draft, slots: Mapping[str, object]) -> bool:
    """«他们说竞品才报9万» tells nothing but what the customer of the open draft objects to."""
    named = record.customer or record.ambiguous or record.customer_mention
    unit = drafts.unit_of(desk, draft)
    asked = unit is not None and unit.slot("objections") is not None
    other = unit is not None and unit.intent is not record.intent
    return asked and other and not named and bool(record.objections) and set(slots) <= _OBJECTS


def _adds(desk: Desk, record: Record, draft: Draft, slots: Mapping[str, object]) -> bool:
    """Whether what was said goes together with the draft: the same kind of action, nothing
    that contradicts, and something new. A bare next contact may take the old one's place; that
    of a named customer does not say whose deal was lost."""
    unit = drafts.unit_of(desk, draft)
    if record.intent is Intent.SET_NEXT:
        if record.customer and draft.account_id is None:
            return False
        return bool(slots) and (not record.customer or "next_contact" not in draft.slots)
    if unit is None or unit.intent is not record.intent:
        return False
    if any(draft.slots.get(key, value) != value for key, value in slots.items()):
        return False
    told_again = record.customer is not None and draft.account_id is not None
    return told_again or bool(slots.keys() - draft.slots.keys())


async def _customer_fits(desk: Desk, record: Record, draft: Draft, text: str) -> bool:
    """The record names the draft's customer, or none; or the one that the draft asks for."""
    if record.ambiguous or record.needs_confirm or record.customer_mention:
        return False
    if record.customer is None:
        return True
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        return False
    if draft.account_id is None:
        asked = bool(draft.awaiting) and not draft.slots.get("customer_mention")
        return asked and not answers.tells_more(record, text)
    return draft.account_id == account.id
