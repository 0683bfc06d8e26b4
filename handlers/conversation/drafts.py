"""Drafts in a conversation: open one, show it, fill it, settle its customer, end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time

from bot.domain import confirming, drafting
from bot.domain.activities import Activity, Draft, DraftState, Intent, Moment, Record
from bot.domain.library import ActionUnit, SlotSpec
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.valid_actions import Invalid
from bot.errors import NotAllowed
from bot.messages import Address, CardUpdate, OutboundMessage, Platform, StoredFile, Text
from handlers.conversation import at_once, draft_card, habits, judging, own_fields
from handlers.conversation.draft_card import DraftView
from handlers.conversation.judging import entry_of, files_of, title_of, verdict_on
from handlers.customers import creating, customers
from handlers.deals import losing
from handlers.desk import Desk, Office
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog
from handlers.texts.customers import when
from handlers.understanding.names import take_apart
from handlers.understanding.normal import normalise
from storage.unit_of_work import UnitOfWork

RECENT_CHOICES = 4
NEW = "new"  # the action of the button that creates the customer a draft names
PICK = "pick-"
NOT_THESE = "not_these"  # the slot with the customers that the rep has ruled out


async def open_draft(
    desk: Desk, record: Record, *, number: int, text: str, clock: time | None = None
) -> Draft:
    """A new draft from what was said; shows its card. The customer may still be unclear.

    text: the words that tell of this customer. clock: at what hour it was, if they say so.
    """
    found = await customers.settle(desk, record)
    loose = await take_loose(desk)
    if found.account is not None and desk.policy.drafts.auto_confirm:
        await desk.tx.opportunities.lock_of_account(found.account.id)
    slots = drafting.slots_of(record)
    if found.mention and found.account is None:
        slots[habits.MENTION] = found.mention
    if record.habit:
        slots[habits.HABIT] = record.habit
    opportunity = await _the_opportunity(desk, found.account)
    past = await _past_with(desk, found.account, opportunity)
    unit = drafting.choose_unit(desk.library, record.intent, drafting.units_done(past), text)
    if unit is not None:
        slots = {**own_fields.told(unit.slots, text), **slots}
    if unit is not None and unit.intent is Intent.BOOK_VISIT:
        today = desk.at.astimezone(desk.office.zone).date()
        slots = {**drafting.pending_visit(past, unit, today), **slots}
    sent_at = desk.message.sent_at
    draft = Draft(
        id=0,
        conversation=desk.conversation,
        person_id=desk.rep.id,
        unit=unit.key if unit else str(record.intent),
        source_id=f"{desk.incoming.source_id}:{number}",
        text=text,
        state=DraftState.OPEN,
        occurred_at=drafting.occurred_at(record, sent_at, desk.office.zone, clock),
        created_at=desk.at,
        touched_at=desk.at,
        expires_at=desk.at + desk.policy.drafts.ttl,
        account_id=found.account.id if found.account else None,
        opportunity_id=opportunity.id if opportunity else None,
        slots=slots,
        confidence=drafting.confidence_of(record, slots),
        candidates=tuple(account.id for account in found.candidates),
        file_hashes=loose,
        library=desk.library.ref,
    )
    if desk.message.in_group:
        await desk.tx.group_words.mark_recorded(desk.incoming.source_id)
    return await show(desk, draft)


async def show(desk: Desk, draft: Draft) -> Draft:
    """Show a draft as it stands, on a fresh card at the end of the chat, or in place when a
    press on its own card changed it. Notes which answer is awaited, and keeps the draft, also one
    that is new; where the policy wants no press for it, it is stored."""
    view = await look_at(desk, draft)
    awaiting = "customer" if view.question else ""
    if not awaiting and view.missing:
        awaiting = view.missing[0].key
    action = desk.message.action
    in_place = action is not None and action.card_id == draft.card_id
    if not in_place and draft.card_no:
        old = draft_card.closed(view, dialog.CARD_MOVED)
        await desk.change(old, subject=_subject(draft), only_in_place=True)
    card_no = draft.card_no if in_place else draft.card_no + 1
    draft = replace(draft, awaiting=awaiting, card_no=card_no)
    is_new = not draft.id
    if is_new:
        kept = await desk.tx.drafts.add(draft)
        if kept != replace(draft, id=kept.id):  # a draft of the same words stands there
            return await show(desk, with_files(kept, draft.file_hashes))
        draft = kept
    view = replace(view, draft=draft)
    if at_once.is_due(desk, view):
        draft, card = await at_once.store(desk, view)
    else:
        if not is_new:
            await desk.tx.drafts.save(draft)
        today = desk.at.astimezone(desk.office.zone).date()
        card = draft_card.render(view, today=today, calendar=desk.office.calendar)
    if in_place:
        await desk.change(card, subject=_subject(draft))
    else:
        await desk.show(card, subject=_subject(draft))
    return draft


async def look_at(desk: Desk, draft: Draft) -> DraftView:
    """A draft with its customer, files, what is missing, and what speaks against it."""
    view = await _plain_view(desk.tx, desk.office, draft)
    local = draft.occurred_at.astimezone(desk.office.zone)
    if local.date() != desk.at.astimezone(desk.office.zone).date():
        known_hour = local.time() != drafting.END_OF_DAY
        happened = when(local) if known_hour else dialog.day_words(Moment(local.date()))
        view = replace(view, happened=happened)
    warnings, notes = tuple(await _warnings(desk, view)), _notes(desk, view)
    if not view.customer:
        return await _with_choices(desk, replace(view, warnings=warnings, notes=notes))
    choices = tuple(losing.choices(view))
    return replace(view, warnings=warnings, notes=notes, choices=choices)


async def fill(
    desk: Desk,
    draft: Draft,
    slots: Mapping[str, object],
    confidence: Mapping[str, float] | None = None,
) -> Draft:
    """Add or change slots and show the result. confidence: of what a sentence said, where
    that was no answer to a question."""
    return await show(desk, filled(desk, draft, slots, confidence))


def filled(
    desk: Desk,
    draft: Draft,
    slots: Mapping[str, object],
    confidence: Mapping[str, float] | None = None,
) -> Draft:
    ttl = desk.policy.drafts.ttl
    return drafting.fill(draft, slots, at=desk.at, ttl=ttl, confidence=confidence)


async def give_customer(
    desk: Desk, draft: Draft, account: Account, confidence: float = 1.0
) -> Draft:
    """The answer to "which customer?". Raises NotAllowed for somebody else's.

    The words that were unclear are kept, to be learnt, unless another customer than those
    offered for them was meant.
    """
    await customers.refuse_foreign(desk, account)
    if draft.account_id not in (None, account.id) or not _names(draft, account):
        draft = await habits.drop(desk, draft)
    opportunity = await _the_opportunity(desk, account)
    done = drafting.units_done(await _past_with(desk, account, opportunity))
    library = desk.office.libraries.of(draft.library)
    unit = library.unit(draft.unit)
    if unit is not None:
        chosen = drafting.choose_unit(library, unit.intent, done, draft.text)
        draft = replace(draft, unit=chosen.key if chosen else draft.unit)
    draft = replace(
        draft,
        account_id=account.id,
        opportunity_id=opportunity.id if opportunity else None,
        confidence={**draft.confidence, "customer": confidence},
        candidates=(),
    )
    return await fill(desk, draft, {})


async def choose(desk: Desk, draft: Draft, action: str) -> Draft:
    """An answer to "which customer?" by its button: one that was offered, or the new one,
    unless something like it exists: then the draft waits.

    Raises NotAllowed for somebody else's, Refused and InvalidInput for a name that cannot be
    created.
    """
    if action == NEW:
        name = str(draft.slots.get("customer_mention") or "")
        created = await creating.for_record(desk, name, since=draft.occurred_at)
        if created is None:
            return draft
        account = created
    else:
        account = await desk.tx.accounts.get(int(action.removeprefix(PICK)))
    return await give_customer(desk, draft, account)


def _names(draft: Draft, account: Account) -> bool:
    """Whether the words said may be another name of the customer now chosen: one that was
    offered for them, or none was and they are no company's name in full."""
    if draft.candidates:
        return account.id in draft.candidates
    said = take_apart(normalise(str(draft.slots.get(habits.MENTION) or "")))
    return said.place in ("", take_apart(normalise(account.name)).place)


async def ask_again(desk: Desk, draft: Draft, words: str) -> Draft:
    """The customer that those words led to was wrong: ask which one they mean."""
    found = [
        candidate.key
        for mention in desk.office.customers.index.find(words)
        for candidate in mention.candidates
        if candidate.key is not None and candidate.key != draft.account_id
    ]
    slots = {key: value for key, value in draft.slots.items() if key != habits.HABIT}
    draft = replace(
        draft,
        account_id=None,
        opportunity_id=None,
        candidates=tuple(dict.fromkeys(found))[:5],
        slots={**slots, habits.MENTION: words},
    )
    return await fill(desk, draft, {})


async def adopt(desk: Desk, account: Account, *, asked: str = "") -> None:
    """A customer was created while a draft waited to hear its name: it is that draft's.
    asked: the name that led to it, where it has another."""
    for draft in await desk.tx.drafts.open_of(desk.conversation, desk.rep.id):
        mention = str(draft.slots.get("customer_mention") or "")
        known = mention in account.name or mention == asked
        if draft.account_id is None and mention and known:
            await give_customer(desk, draft, account)


async def cancel(desk: Desk, draft: Draft) -> None:
    view = await look_at(desk, draft)
    await desk.tx.drafts.save(replace(draft, state=DraftState.CANCELLED, touched_at=desk.at))
    await desk.change(draft_card.closed(view, dialog.CARD_CANCELLED), subject=_subject(draft))
    desk.say(dialog.cancelled(f"{view.customer} {view.title}".strip()))


async def attach(desk: Desk, draft: Draft, files: Sequence[StoredFile]) -> Draft:
    """Hang files on a draft (without showing it)."""
    draft = filled(desk, with_files(draft, [file.sha256 for file in files]), {})
    await desk.tx.drafts.save(draft)
    return draft


async def take_loose(desk: Desk) -> tuple[str, ...]:
    """Files sent just before, without saying for whom, belong to the draft that follows: their
    hashes."""
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    if loose:
        await desk.tx.drafts.settle_loose([item.id for item in loose], desk.at)
    return tuple(dict.fromkeys(item.sha256 for item in loose))


def with_files(draft: Draft, hashes: Iterable[str]) -> Draft:
    return replace(draft, file_hashes=tuple(dict.fromkeys([*draft.file_hashes, *hashes])))


async def own_draft(desk: Desk, draft_id: int) -> Draft:
    """The draft behind a pressed card. Raises NotAllowed for a bystander."""
    draft = await desk.tx.drafts.get_for_update(draft_id)
    if draft.person_id != desk.rep.id:
        owner = await desk.tx.people.get(draft.person_id)
        raise NotAllowed(dialog.not_yours_to_press(owner.name))
    return draft


async def expire(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    """The job: drafts nobody touched for long end with a word, at night kept for the morning, and
    their cards close."""
    morning = office.first_allowed(at)
    told = []
    for draft in await tx.drafts.due_to_expire(at, limit=200):
        await tx.drafts.save(replace(draft, state=DraftState.EXPIRED))
        view = await _plain_view(tx, office, draft)
        shown = await tx.cards.get(draft.card_id)
        if shown is not None:
            card = draft_card.closed(view, dialog.CARD_EXPIRED)
            card = replace(card, revision=shown.revision + 1)
            update = CardUpdate(card, only_in_place=True)
            to = _chat(draft.conversation)
            told.append(OutboundMessage(f"draft:{draft.id}:closed", to, update))
        address = office.address_of(await tx.people.get(draft.person_id))
        if address is not None:
            text = dialog.expired(draft, view.title, view.customer)
            key = f"draft:{draft.id}:expired"
            told.append(OutboundMessage(key, address, Text(text), not_before=morning))
    return told


def unit_of(desk: Desk, draft: Draft) -> ActionUnit | None:
    return desk.office.libraries.of(draft.library).unit(draft.unit)


async def _plain_view(tx: UnitOfWork, office: Office, draft: Draft) -> DraftView:
    account = await tx.accounts.get(draft.account_id) if draft.account_id else None
    files = await files_of(tx, draft.file_hashes)
    unit = office.libraries.of(draft.library).unit(draft.unit)
    missing = drafting.missing_slots(unit, draft.slots, [file.media_type for file in files])
    if losing.lacks_reason(draft):
        missing.insert(0, losing.SPEC)
    if draft.unit == Intent.SET_NEXT and "next_contact" not in draft.slots:
        missing.insert(0, SlotSpec("next_contact", dialog.NEXT_LABEL, dialog.NEXT_QUESTION))
    if drafting.lacks_hour(unit, draft.slots):
        missing.insert(0, SlotSpec("next_contact", dialog.HOUR_LABEL, dialog.HOUR_QUESTION))
    return DraftView(
        draft=draft,
        title=title_of(office, draft),
        unit=unit,
        customer=account.name if account else "",
        missing=tuple(missing),
        file_names=tuple(file.name for file in files),
    )


def _notes(desk: Desk, view: DraftView) -> tuple[str, ...]:
    """What the rep should look at: a customer put in by habit, values that may be misread."""
    draft = view.draft
    notes = []
    words = draft.slots.get(habits.HABIT)
    if isinstance(words, str) and view.customer:
        own = draft.confidence.get("customer", 1.0) >= habits.OWN
        notes.append(dialog.by_habit(words, view.customer, own=own))
    unsure = [
        slot
        for slot in confirming.unsure(desk.policy.drafts, draft)
        if slot in dialog.SLOT_LABELS and slot in draft.slots
    ]
    if unsure:
        notes.append(dialog.look_closely([draft_card.label(view.unit, slot) for slot in unsure]))
    return tuple(notes)


async def _warnings(desk: Desk, view: DraftView) -> list[str]:
    """What the rep should know before confirming."""
    draft = view.draft
    warnings = [dialog.VAGUE_INTENT] if draft.slots.get("vague_intent") else []
    replaced = draft.slots.get("replaces")
    if isinstance(replaced, int):
        earlier = await desk.tx.activities.get(replaced)
        recorded_at = when(earlier.recorded_at.astimezone(desk.office.zone))
        warnings.append(dialog.will_replace(recorded_at))
    lacking = next((spec for spec in view.missing if spec.key == "files"), None)
    if view.file_names and lacking is not None:
        warnings.append(dialog.other_file_wanted(view.file_names, lacking.label))
    if draft.account_id is None:
        return warnings
    if draft.opportunity_id is None:
        past = await desk.tx.opportunities.of_account(draft.account_id)
        warnings += [dialog.BEGINS_ANEW] if past and judging.begins_anew(desk, draft, past) else []
    if view.missing:
        return warnings
    verdict = await verdict_on(desk, entry_of(desk, draft), replaces=replaced)
    if verdict is None or verdict.reason is None:
        return warnings
    if verdict.reason is Invalid.LOCKED:
        return [*warnings, dialog.WILL_BE_LOCKED]
    reason = alert_texts.invalid_words(verdict)
    return [*warnings, dialog.will_not_count(reason, refused=verdict.refused)]


async def _with_choices(desk: Desk, view: DraftView) -> DraftView:
    """The question about an unclear customer: the candidates, or to create the one named, or
    those the speaker last worked on."""
    mention = str(view.draft.slots.get("customer_mention") or "")
    accounts = [await desk.tx.accounts.get(number) for number in view.draft.candidates]
    if not accounts and not mention:
        refused = view.draft.slots.get(NOT_THESE)
        besides = set(refused) if isinstance(refused, list) else set()
        first = await _likely(desk, view.draft)
        accounts = await customers.recent(desk, limit=RECENT_CHOICES, besides=besides, first=first)
    choices = [(f"{PICK}{account.id}", account.name) for account in accounts]
    if mention and len(view.draft.candidates) < 2:
        choices.append((NEW, f"新建「{mention}」"))
    question = dialog.which_customer(mention, [account.name for account in accounts])
    return replace(view, choices=tuple(choices), question=question)


async def _likely(desk: Desk, draft: Draft) -> list[int]:
    """Customers of the speaker where the person works who was named; then those just told of."""
    contact = draft.slots.get("contact")
    theirs = (
        await desk.tx.accounts.with_contact(desk.rep.id, contact)
        if isinstance(contact, str)
        else []
    )
    told = await desk.tx.drafts.open_of(draft.conversation, desk.rep.id)
    return [*theirs, *(one.account_id for one in told if one.account_id is not None)]


async def _the_opportunity(desk: Desk, account: Account | None) -> Opportunity | None:
    """The open opportunity with a customer; of several, the one last worked on."""
    if account is None:
        return None
    open_ones = await desk.tx.opportunities.open_of_account(account.id)
    return max(
        open_ones, key=lambda one: (one.last_valid_at or one.assigned_at, one.id), default=None
    )


async def _past_with(
    desk: Desk, account: Account | None, opportunity: Opportunity | None
) -> list[Activity]:
    """What was recorded on the deal in hand, or on the one that was won last."""
    if account is not None and opportunity is None:
        past = await desk.tx.opportunities.of_account(account.id)
        won = [deal for deal in past if deal.state is OpportunityState.WON]
        opportunity = won[-1] if won else None
    if opportunity is None:
        return []
    since = min(opportunity.created_at, desk.at - judging.LOOK_BACK)  # the verdict asks as well
    past_of_deal = await desk.tx.activities.list_of_opportunity(opportunity.id, since=since)
    return [one for one in past_of_deal if one.occurred_at >= opportunity.created_at]


def _chat(conversation: str) -> Address:
    """`Address.key` read back."""
    platform, app, kind, name = conversation.split(":", 3)
    if kind == "u":
        return Address(Platform(platform), app, user_id=name)
    return Address(Platform(platform), app, chat_id=name)


def _subject(draft: Draft) -> str:
    return f"draft:{draft.id}"
