"""Text in a conversation: an answer to what was asked, a correction, or something new."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Draft, Intent, Record
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import UserError
from handlers import (
    answers,
    correcting,
    customers,
    drafts,
    files,
    queries,
    recording,
    team,
    telling,
    undoing,
)
from handlers.desk import Desk
from handlers.texts import dialog
from handlers.understanding.heard import as_meant

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
LEAST_REMARK = 6  # characters; less is no remark worth keeping

_ALL = re.compile(
    r"^(?:全部|全都|都|一起|通通)(?P<what>确认|取消)[了吧]?[。!！]?$"
    r"|^(?P<first>确认|取消)(?:全部|所有)[。!！]?$"
)
_ONE = re.compile(
    r"^(?P<what>确认|取消|撤销|撤回)[ :：,，]*(?P<name>.{2,40}?)"
    r"(?:的?(?:那条|这条|记录)|的)?[。!！]?$"
)
_NOT_THAT = re.compile(
    r"^(?P<name>.{2,40}?)(?:的?(?:那条|这条|记录))?(?P<what>不记了|不要了|取消|撤销|撤回|算了)[吧。!！]?$"
)
_FORCE = re.compile(r"^先记(?:下|上|着)(?:来|吧)?(?:[,，]?(?:不计有效|不算有效))?[。!！]?$")
_LATER = re.compile(r"延后|推迟提醒|缓[一两几0-9]|先别(?:催|提醒)")
_UNDO = re.compile(r"撤销|撤回|撤掉|删")
_QUESTION = re.compile(r"[?？吗呢么]$")


async def hear(desk: Desk) -> None:
    """One text (or transcript)."""
    text = spoken_text(desk)
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    for take in (_take_order, _take_word):
        if await take(desk, text, open_drafts):
            return
    records = _read(desk, text)
    if not _tells_a_story(records):
        for draft in open_drafts:
            if await answers.take(desk, draft, text, records[0]):
                return
    await _by_intent(desk, records, text, open_drafts)


async def cancel(desk: Desk) -> None:
    """«取消»: the open draft. Nothing that is stored."""
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if open_drafts:
        await drafts.cancel(desk, open_drafts[0])
        return
    last = await undoing.last_record(desk)
    if last is None:
        desk.say(dialog.NOTHING_TO_CANCEL)
        return
    account = await desk.tx.accounts.get(last.account_id)
    desk.say(dialog.nothing_to_cancel_but(last.title, account.name))


async def undo(desk: Desk) -> None:
    """«撤销»: what the speaker did last, the open draft or the record."""
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if open_drafts and not await undoing.happened_after(desk, open_drafts[0]):
        await drafts.cancel(desk, open_drafts[0])
    else:
        await undoing.undo(desk)


def spoken_text(desk: Desk) -> str:
    """The words of a message: typed, or heard in its recording."""
    heard = [_meant(desk, file.transcript) for file in desk.incoming.files if file.transcript]
    text = " ".join([desk.message.text, *heard]).strip()
    return text[:MAX_TEXT]


def _meant(desk: Desk, transcript: str) -> str:
    """Names as the speaker's own customers and our products are written."""
    office = desk.office
    own = office.customers.names_of(desk.person.id) if desk.person else []
    return as_meant(transcript, customers=own, products=office.policy.products)


async def _by_intent(
    desk: Desk, records: tuple[Record, ...], text: str, open_drafts: list[Draft]
) -> None:
    first = records[0]
    if first.vague_intent and first.intent_level is None and len(records) == 1:
        desk.say(dialog.VAGUE_INTENT)
    elif await _puts_off(desk, first, text) or await _file_answer(desk, first):
        return
    elif any(record.intent in LOGS for record in records):
        await _log(desk, records, text, open_drafts)
    elif (act := _ACTS.get(first.intent)) is not None:
        await act(desk, first, open_drafts)
    elif first.intent is Intent.CREATE_CUSTOMER and first.customer_mention:
        await customers.ask_to_create(desk, first.customer_mention)
    else:
        await _small_talk(desk, first, text, open_drafts)


async def _confirm(desk: Desk, _: Record, open_drafts: list[Draft]) -> None:
    if open_drafts:
        await recording.confirm_one(desk, open_drafts[0])
    else:
        desk.say(dialog.NOTHING_TO_CONFIRM)


async def _cancel(desk: Desk, record: Record, _: list[Draft]) -> None:
    if _UNDO.search(record.words.get("intent", "")):
        await undo(desk)
    else:
        await cancel(desk)


async def _correct(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    await correcting.correct(desk, record, open_drafts)


async def _snooze(desk: Desk, record: Record, _: list[Draft]) -> None:
    await queries.snooze(desk, record)


async def _query(desk: Desk, record: Record, _: list[Draft]) -> None:
    await queries.answer(desk, record)


_ACTS: dict[Intent, Callable[[Desk, Record, list[Draft]], Awaitable[None]]] = {
    Intent.CONFIRM: _confirm,
    Intent.CANCEL: _cancel,
    Intent.CORRECT: _correct,
    Intent.SNOOZE: _snooze,
    Intent.QUERY: _query,
}


async def _small_talk(desk: Desk, record: Record, text: str, open_drafts: list[Draft]) -> None:
    """Words without an intent: a customer's name, a value, a name for an unknown customer, a
    remark on the open draft; else a hint."""
    if record.customer is not None:
        await _bare_name(desk, record, open_drafts)
        return
    for draft in open_drafts:
        if await answers.take_value(desk, draft, text):
            return
        if await answers.take_name(desk, draft, text, record):
            return
    talk = record.words.get("intent") or _QUESTION.search(text) or len(text) < LEAST_REMARK
    if open_drafts and not talk:
        await answers.take_remark(desk, open_drafts[0], text)
    else:
        desk.say(dialog.CHITCHAT if not open_drafts else dialog.CHITCHAT_IN_BETWEEN)


async def _bare_name(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    """«恒锐机电»: back to its draft, else its card."""
    assert record.customer is not None
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        desk.say(dialog.CHITCHAT)
        return
    for draft in open_drafts:
        if draft.account_id == account.id:
            await drafts.fill(desk, draft, {})
            return
    await customers.show(desk, account)


async def _take_order(desk: Desk, text: str, _: list[Draft]) -> bool:
    return await team.take_order(desk, text)


async def _take_word(desk: Desk, text: str, open_drafts: list[Draft]) -> bool:
    """«全部确认», «确认恒锐机电», «先记下»: words about drafts that name which."""
    if (match := _ALL.match(text)) and open_drafts:
        if "确认" in (match["what"], match["first"]):
            await recording.confirm_all(desk, open_drafts)
        else:
            for draft in open_drafts:
                await drafts.cancel(desk, draft)
        return True
    if _FORCE.match(text) and open_drafts:
        await recording.confirm(desk, open_drafts[0], force=True)
        return True
    for pattern in (_ONE, _NOT_THAT):
        match = pattern.match(text)
        account = await customers.exactly(desk, match["name"]) if match else None
        if match is not None and account is not None:
            await _act_on(desk, match["what"], account, open_drafts)
            return True
    return False


async def _act_on(desk: Desk, what: str, account: Account, open_drafts: Sequence[Draft]) -> None:
    """«确认恒锐机电»: that customer's draft; «撤销» else its last record."""
    draft = next((one for one in open_drafts if one.account_id == account.id), None)
    if draft is not None and what == "确认":
        await recording.confirm_one(desk, draft)
    elif draft is not None:
        await drafts.cancel(desk, draft)
    elif what in ("撤销", "撤回"):
        await undoing.undo(desk, account_id=account.id)
    else:
        desk.say(dialog.no_draft_of(account.name))


def _read(desk: Desk, text: str) -> tuple[Record, ...]:
    """The speaker's own customers first; then everybody's, to say whose a foreign one is."""
    book, reader, now = desk.office.customers, desk.office.reader, answers.said_at(desk)
    if desk.rep.roles & SEES_MORE:
        return reader.read(text, now=now, customers=book.index)
    person_id = desk.rep.id
    own = reader.read(
        text,
        now=now,
        customers=book.index,
        visible=lambda name: book.owned_by(person_id, name),
    )
    if all(record.customer or record.ambiguous for record in own):
        return own
    everybody = reader.read(text, now=now, customers=book.index)
    found = any(record.customer and not record.needs_confirm for record in everybody)
    return everybody if found else own


def _tells_a_story(records: Sequence[Record]) -> bool:
    """Whether the text is a story of its own: then it answers nothing, however well a part of
    it would fit. Who is asked for a customer may answer with a whole sentence."""
    if len(records) > 1:
        return True
    record = records[0]
    named = record.customer or record.ambiguous or record.customer_mention
    return record.intent in LOGS and bool(named)


async def _file_answer(desk: Desk, record: Record) -> bool:
    """«恒锐机电», «这是恒锐机电的方案» after "for whom is this file?"."""
    says_more = record.intent is not Intent.CHITCHAT and (
        record.intent is not Intent.SET_NEXT or record.next_contact is not None
    )
    if record.customer is None or says_more:
        return False
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    account = await desk.tx.accounts.find_by_name(record.customer) if loose else None
    if account is None:
        return False
    await files.give_to(desk, account)
    return True


async def _puts_off(desk: Desk, record: Record, text: str) -> bool:
    """«恒锐机电延后2天，客户出差», as our own card of lights suggests to say it."""
    if record.intent is not Intent.SET_NEXT or record.customer is None or not _LATER.search(text):
        return False
    return await queries.put_off(desk, record)


async def _log(
    desk: Desk, records: tuple[Record, ...], text: str, open_drafts: list[Draft]
) -> None:
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
            if not await _complete(desk, record, open_drafts):
                clock = telling.stated_clock(desk, record, part, now)
                await drafts.open_draft(desk, record, number=number, text=part, clock=clock)
        except UserError as error:
            if len(told) == 1:
                raise
            refusals.append(str(error))
    for refusal in refusals:
        desk.say(refusal)


async def _complete(desk: Desk, record: Record, open_drafts: Sequence[Draft]) -> bool:
    """«聊了25分钟» after a draft without a duration adds to it; with another customer, or
    another kind of action, or what says something else, it is a new one."""
    slots = drafting.slots_of(record)
    for draft in open_drafts:
        if not await _customer_fits(desk, record, draft) or not _adds(desk, record, draft, slots):
            continue
        account = None
        if record.customer is not None and draft.account_id is None:
            account = await desk.tx.accounts.find_by_name(record.customer)
        if account is None:
            await drafts.fill(desk, draft, slots)
        else:
            changed = replace(draft, slots={**draft.slots, **slots})
            await drafts.give_customer(desk, changed, account)
        return True
    return False


def _adds(desk: Desk, record: Record, draft: Draft, slots: Mapping[str, object]) -> bool:
    """Whether what was said goes together with the draft: the same kind of action, nothing
    that contradicts, and something new. A bare next contact may take the old one's place."""
    if record.intent is Intent.SET_NEXT:
        return bool(slots) and (not record.customer or "next_contact" not in draft.slots)
    unit = drafts.unit_of(desk, draft)
    if unit is None or unit.intent is not record.intent:
        return False
    if any(draft.slots.get(key, value) != value for key, value in slots.items()):
        return False
    told_again = record.customer is not None and draft.account_id is not None
    return told_again or bool(slots.keys() - draft.slots.keys())


async def _customer_fits(desk: Desk, record: Record, draft: Draft) -> bool:
    """The record names the draft's customer, or none; or the one that the draft asks for."""
    if record.ambiguous or record.needs_confirm or record.customer_mention:
        return False
    if record.customer is None:
        return True
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        return False
    if draft.account_id is None:
        return not draft.slots.get("customer_mention") and bool(draft.awaiting)
    return draft.account_id == account.id
