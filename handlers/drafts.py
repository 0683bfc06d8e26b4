"""Drafts in a conversation: open one, show it, fill it, settle its customer, expire it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import drafting
from bot.domain.activities import Draft, DraftState, Intent, Moment, Record
from bot.domain.library import ActionUnit
from bot.domain.opportunities import Account, Opportunity
from bot.errors import NotAllowed
from bot.messages import OutboundMessage, StoredFile, Text
from handlers import customers, draft_card
from handlers.desk import Desk, Office
from handlers.draft_card import DraftView
from handlers.texts import dialog
from storage.unit_of_work import UnitOfWork

RECENT_CHOICES = 4
NOT_CHOSEN = "-"  # what a drop-down of WeCom submits when it was left alone


def ttl(office: Office) -> timedelta:
    return timedelta(hours=office.policy.drafts.ttl_h)


async def open_draft(desk: Desk, record: Record, *, number: int, text: str) -> Draft:
    """A new draft from what was said; shows its card. The customer may still be unclear."""
    found = await customers.settle(desk, record)
    slots = drafting.slots_of(record)
    if found.mention:
        slots["customer_mention"] = found.mention
    opportunity = await _the_opportunity(desk, found.account)
    done = await _units_done(desk.tx, opportunity)
    unit = drafting.choose_unit(desk.office.library, record.intent, done)
    sent_at = desk.message.sent_at
    draft = await desk.tx.drafts.add(
        Draft(
            id=0,
            conversation=desk.conversation,
            person_id=desk.rep.id,
            unit=unit.key if unit else str(record.intent),
            source_id=f"{desk.incoming.source_id}:{number}",
            text=text,
            state=DraftState.OPEN,
            occurred_at=drafting.occurred_at(record, sent_at, desk.office.zone),
            created_at=desk.at,
            touched_at=desk.at,
            expires_at=desk.at + ttl(desk.office),
            account_id=found.account.id if found.account else None,
            opportunity_id=opportunity.id if opportunity else None,
            slots=slots,
            candidates=tuple(account.id for account in found.candidates),
        )
    )
    await attach_loose(desk, draft)
    return await show(desk, await desk.tx.drafts.get_for_update(draft.id))


async def show(desk: Desk, draft: Draft) -> Draft:
    """Show a draft as it stands, on a fresh card at the end of the chat, or in place when a
    press on its own card changed it. Notes which answer is awaited."""
    view = await look_at(desk, draft)
    awaiting = "customer" if view.question else ""
    if not awaiting and view.missing:
        awaiting = view.missing[0].key
    action = desk.message.action
    in_place = action is not None and action.card_id == draft.card_id
    if not in_place and draft.card_no:
        old = draft_card.closed(view, "已更新，见下方新卡片")
        await desk.change(old, subject=_subject(draft), only_in_place=True)
    draft = replace(
        draft,
        awaiting=awaiting,
        card_no=draft.card_no if in_place else draft.card_no + 1,
    )
    await desk.tx.drafts.save(draft)
    today = desk.at.astimezone(desk.office.zone).date()
    card = draft_card.render(replace(view, draft=draft), today=today, calendar=desk.office.calendar)
    if in_place:
        await desk.change(card, subject=_subject(draft))
    else:
        await desk.show(card, subject=_subject(draft))
    return draft


async def look_at(desk: Desk, draft: Draft) -> DraftView:
    """A draft with its customer, files and what is missing."""
    account = await desk.tx.accounts.get(draft.account_id) if draft.account_id else None
    files = await files_of(desk.tx, draft)
    unit = desk.office.library.unit(draft.unit)
    missing = drafting.missing_slots(unit, draft.slots, [file.media_type for file in files])
    view = DraftView(
        draft=draft,
        title=title_of(desk.office, draft),
        customer=account.name if account else "",
        missing=tuple(missing),
        file_names=tuple(file.name for file in files),
        warnings=(dialog.VAGUE_INTENT,) if draft.slots.get("vague_intent") else (),
    )
    if account is not None:
        return view
    return await _with_choices(desk, view)


async def _with_choices(desk: Desk, view: DraftView) -> DraftView:
    """The question about an unclear customer: the candidates, or to create the one named, or
    those the speaker last worked on."""
    mention = str(view.draft.slots.get("customer_mention") or "")
    accounts = [await desk.tx.accounts.get(number) for number in view.draft.candidates]
    if not accounts and not mention:
        accounts = await customers.recent(desk, limit=RECENT_CHOICES)
    choices = [(f"pick-{account.id}", account.name) for account in accounts]
    if not accounts and mention:
        choices = [("new", f"新建「{mention}」")]
    question = dialog.which_customer(mention, [account.name for account in accounts])
    return replace(view, choices=tuple(choices), question=question)


async def fill(desk: Desk, draft: Draft, slots: Mapping[str, object]) -> Draft:
    """Add or change slots and show the result."""
    draft = drafting.fill(draft, slots, at=desk.at, ttl=ttl(desk.office))
    return await show(desk, draft)


async def give_customer(desk: Desk, draft: Draft, account: Account) -> Draft:
    """The answer to "which customer?". Raises NotAllowed for somebody else's."""
    await customers.refuse_foreign(desk, account)
    opportunity = await _the_opportunity(desk, account)
    done = await _units_done(desk.tx, opportunity)
    unit = desk.office.library.unit(draft.unit)
    if unit is not None:
        chosen = drafting.choose_unit(desk.office.library, unit.intent, done)
        draft = replace(draft, unit=chosen.key if chosen else draft.unit)
    draft = replace(
        draft,
        account_id=account.id,
        opportunity_id=opportunity.id if opportunity else None,
        candidates=(),
    )
    return await fill(desk, draft, {})


async def cancel(desk: Desk, draft: Draft) -> None:
    view = await look_at(desk, draft)
    await desk.tx.drafts.save(replace(draft, state=DraftState.CANCELLED, touched_at=desk.at))
    await desk.change(draft_card.closed(view, "已取消，没有记录"), subject=_subject(draft))
    desk.say(dialog.cancelled(f"{view.customer} {view.title}".strip()))


async def attach(desk: Desk, draft: Draft, files: Sequence[StoredFile]) -> Draft:
    """Hang files on a draft (without showing it)."""
    hashes = dict.fromkeys([*draft.file_hashes, *(file.sha256 for file in files)])
    draft = drafting.fill(
        replace(draft, file_hashes=tuple(hashes)), {}, at=desk.at, ttl=ttl(desk.office)
    )
    await desk.tx.drafts.save(draft)
    return draft


async def attach_loose(desk: Desk, draft: Draft) -> None:
    """Files sent just before, without saying for whom, belong to the draft that follows."""
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    if not loose:
        return
    hashes = dict.fromkeys([*draft.file_hashes, *(item.sha256 for item in loose)])
    await desk.tx.drafts.save(replace(draft, file_hashes=tuple(hashes)))
    await desk.tx.drafts.settle_loose([item.id for item in loose], desk.at)


async def files_of(tx: UnitOfWork, draft: Draft) -> list[StoredFile]:
    found = [await tx.files.get(sha256) for sha256 in draft.file_hashes]
    return [file for file in found if file is not None]


def read_form(values: Mapping[str, str], desk: Desk) -> dict[str, object]:
    """Form values of a card as slots; what cannot be read is left out and asked for again."""
    slots: dict[str, object] = {}
    now = desk.message.sent_at.astimezone(desk.office.zone)
    for key, value in values.items():
        if value in ("", NOT_CHOSEN):
            continue
        if key == "objections":
            slots[key] = [code for code in value.split("|") if code != "none"]
        elif key == "duration_min" and value.isascii() and value.isdigit():
            slots[key] = int(value[:6])
        elif key == "customer_received":
            slots[key] = value in ("yes", "true")
        elif key == "next_contact":
            moment = _moment(value) or desk.office.reader.read_answer(value, key, now=now)
            if isinstance(moment, Moment):
                slots[key] = str(moment)
        elif key in ("contact", "amount_fen", "duration_min"):
            answer = desk.office.reader.read_answer(value, key, now=now)
            if answer is not None:
                slots[key] = answer
    return slots


def title_of(office: Office, draft: Draft) -> str:
    unit = office.library.unit(draft.unit)
    if unit is not None:
        return unit.label
    return drafting.NOTES.get(Intent(draft.unit), "沟通记录")


async def own_open_draft(desk: Desk, draft_id: int) -> Draft:
    """The draft behind a pressed card. Raises NotAllowed for a bystander."""
    draft = await desk.tx.drafts.get_for_update(draft_id)
    if draft.person_id != desk.rep.id:
        raise NotAllowed(dialog.NOT_YOURS_TO_PRESS)
    return draft


async def expire(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    """The job: drafts nobody touched for long end with a word."""
    told = []
    for draft in await tx.drafts.due_to_expire(at, limit=200):
        await tx.drafts.save(replace(draft, state=DraftState.EXPIRED))
        account = await tx.accounts.get(draft.account_id) if draft.account_id else None
        person = await tx.people.get(draft.person_id)
        to = office.address_of(person)
        if to is None:
            continue
        name = account.name if account else ""
        text = dialog.expired(draft, title_of(office, draft), name)
        told.append(OutboundMessage(f"draft:{draft.id}:expired", to, Text(text)))
    return told


def unit_of(desk: Desk, draft: Draft) -> ActionUnit | None:
    return desk.office.library.unit(draft.unit)


async def _the_opportunity(desk: Desk, account: Account | None) -> Opportunity | None:
    """The open opportunity with a customer; of several, the one last worked on."""
    if account is None:
        return None
    open_ones = await desk.tx.opportunities.open_of_account(account.id)
    return max(
        open_ones, key=lambda one: (one.last_valid_at or one.assigned_at, one.id), default=None
    )


async def _units_done(tx: UnitOfWork, opportunity: Opportunity | None) -> set[str]:
    if opportunity is None:
        return set()
    past = await tx.activities.list_of_opportunity(opportunity.id, since=opportunity.created_at)
    return {activity.unit for activity in past}


def _moment(value: str) -> Moment | None:
    try:
        return Moment.parse(value)
    except ValueError:
        return None


def _subject(draft: Draft) -> str:
    return f"draft:{draft.id}"
