"""Text in a conversation: an answer to what was asked, a correction, or something new."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain import drafting
from bot.domain.activities import Draft, Intent, Moment, Record
from bot.domain.people import Role
from bot.errors import UserError
from handlers import customers, drafts, files, queries, recording
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
SEES_MORE = frozenset({Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN})
MAX_TEXT = 2000
SHORT_ANSWER = 15  # characters; what is longer is read as a sentence of its own


async def hear(desk: Desk) -> None:
    """One text (or transcript)."""
    text = spoken_text(desk)
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if open_drafts and await _is_answer(desk, open_drafts[0], text):
        return
    records = _read(desk, text)
    first = records[0]
    if first.vague_intent and first.intent_level is None and len(records) == 1:
        desk.say(dialog.VAGUE_INTENT)
    elif first.intent in LOGS or any(record.intent in LOGS for record in records):
        await _log(desk, records, text, open_drafts)
    elif first.intent is Intent.CONFIRM:
        await _confirm(desk, open_drafts)
    elif first.intent is Intent.CANCEL:
        await cancel(desk, open_drafts)
    elif first.intent is Intent.CORRECT:
        await _correct(desk, first, open_drafts)
    elif first.intent is Intent.CREATE_CUSTOMER and first.customer_mention:
        await customers.ask_to_create(desk, first.customer_mention)
    elif first.intent is Intent.SNOOZE:
        await queries.snooze(desk, first)
    elif first.intent is Intent.QUERY:
        await queries.answer(desk, first)
    elif first.customer is not None and open_drafts:
        await _supplement(desk, first, open_drafts[0])
    elif await _file_answer(desk, first):
        return
    else:
        desk.say(dialog.CHITCHAT)


async def cancel(desk: Desk, open_drafts: list[Draft] | None = None) -> None:
    """«取消», «撤销»: the open draft, else the last record."""
    if open_drafts is None:
        open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if open_drafts:
        await drafts.cancel(desk, open_drafts[0])
    else:
        await recording.undo(desk)


def spoken_text(desk: Desk) -> str:
    """The words of a message: typed, or heard in its recording."""
    heard = [fetched.transcript for fetched in desk.incoming.files if fetched.transcript]
    text = " ".join([desk.message.text, *heard]).strip()
    return text[:MAX_TEXT]


def local_time(desk: Desk) -> datetime:
    """When it was said, in the team's zone: what 明天 is counted from."""
    return desk.message.sent_at.astimezone(desk.office.zone)


def _read(desk: Desk, text: str) -> tuple[Record, ...]:
    """The speaker's own customers first; then everybody's, to say whose a foreign one is."""
    book, reader, now = desk.office.customers, desk.office.reader, local_time(desk)
    if desk.rep.roles & SEES_MORE:
        return reader.read(text, now=now, customers=book.index)
    person_id = desk.rep.id
    own = reader.read(
        text,
        now=now,
        customers=book.index,
        visible=lambda name: book.owned_by(person_id, name),
    )
    if all(record.customer or record.ambiguous for record in own if record.intent in LOGS):
        return own
    everybody = reader.read(text, now=now, customers=book.index)
    found = any(record.customer and not record.needs_confirm for record in everybody)
    return everybody if found else own


async def _is_answer(desk: Desk, draft: Draft, text: str) -> bool:
    """Whether the text answers what the newest draft asked for, or fills another gap of it;
    then it is taken."""
    if draft.awaiting == "customer":
        return await _customer_answer(desk, draft, text)
    unit = drafts.unit_of(desk, draft)
    wanted = [draft.awaiting] if draft.awaiting else []
    if unit is not None and draft.awaiting and len(text) <= SHORT_ANSWER:
        wanted += [slot.key for slot in unit.slots if slot.key not in draft.slots]
    for key in dict.fromkeys(wanted):
        if key == "files":
            continue
        value = desk.office.reader.read_answer(text, key, now=local_time(desk))
        if value is not None:
            await drafts.fill(desk, draft, {key: _plain(value)})
            return True
    return False


async def _customer_answer(desk: Desk, draft: Draft, text: str) -> bool:
    records = _read(desk, text)
    if records[0].intent in LOGS or len(records) > 1:
        return False
    name = records[0].customer
    if name is None:
        account = await desk.tx.accounts.find_by_name(text.strip())
    else:
        account = await desk.tx.accounts.find_by_name(name)
    if account is None:
        return False
    await drafts.give_customer(desk, draft, account)
    return True


async def _file_answer(desk: Desk, record: Record) -> bool:
    """A bare customer name after "for whom is this file?"."""
    if record.customer is None:
        return False
    account = await desk.tx.accounts.find_by_name(record.customer)
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    if account is None or not loose:
        return False
    await files.give_to(desk, account)
    return True


async def _log(
    desk: Desk, records: tuple[Record, ...], text: str, open_drafts: list[Draft]
) -> None:
    """New drafts, one a record; what names no customer may complete the open one instead."""
    told = [record for record in records if record.intent in LOGS]
    only = told[0]
    if len(told) == 1 and open_drafts and _completes(only, open_drafts[0], desk):
        await _supplement(desk, only, open_drafts[0])
        return
    refusals = []
    for number, record in enumerate(told):
        try:
            await drafts.open_draft(desk, record, number=number, text=text)
        except UserError as error:
            if len(told) == 1:
                raise
            refusals.append(str(error))
    for refusal in refusals:
        desk.say(refusal)


def _completes(record: Record, draft: Draft, desk: Desk) -> bool:
    """«聊了25分钟» after a draft without a duration adds to it; with another customer, or
    another kind of action, it is a new one."""
    if record.customer or record.ambiguous or record.customer_mention:
        return False
    unit = drafts.unit_of(desk, draft)
    same_kind = unit is not None and unit.intent is record.intent
    fresh = drafting.slots_of(record).keys() - draft.slots.keys()
    return bool(fresh) and (same_kind or record.intent is Intent.SET_NEXT)


async def _supplement(desk: Desk, record: Record, draft: Draft) -> None:
    if record.customer is not None and draft.account_id is None:
        account = await desk.tx.accounts.find_by_name(record.customer)
        if account is not None:
            draft = await drafts.give_customer(desk, draft, account)
            return
    await drafts.fill(desk, draft, drafting.slots_of(record))


async def _confirm(desk: Desk, open_drafts: list[Draft]) -> None:
    if not open_drafts:
        desk.say(dialog.NOTHING_TO_CONFIRM)
        return
    await recording.confirm(desk, open_drafts[0])


async def _correct(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    """«不对，是下周四»: the newest draft, else the last record is opened again."""
    slots = drafting.slots_of(record)
    draft = open_drafts[0] if open_drafts else await recording.reopen_last(desk)
    if draft is None:
        desk.say(dialog.NOTHING_TO_CORRECT)
        return
    if record.customer is not None:
        account = await desk.tx.accounts.find_by_name(record.customer)
        if account is not None:
            draft = replace(draft, slots={**draft.slots, **slots})
            await drafts.give_customer(desk, draft, account)
            return
    if not slots:
        desk.say(dialog.CORRECT_WHAT)
        return
    await drafts.fill(desk, draft, slots)


def _plain(value: object) -> object:
    """An answer as a draft keeps it."""
    if isinstance(value, Moment):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value
