"""From a draft to a fact: presses on its card, confirm, store. What counts is judged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, DraftState, Intent
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.valid_actions import Invalid, Verdict
from bot.errors import Refused, UserError
from handlers import answers, customers, draft_card, drafts, undoing, unlocking
from handlers.desk import Desk
from handlers.judging import entry_of, stream_of, verdict_on
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog

CLOSES = {Intent.LOG_WIN: OpportunityState.WON, Intent.LOG_LOSS: OpportunityState.LOST}


async def press(desk: Desk) -> None:
    """A button of a draft's card. Only the rep it belongs to, only while it is open."""
    action = desk.message.action
    assert action is not None
    draft = await drafts.own_draft(desk, int(action.card_id.split("-")[1]))
    if draft.state is not DraftState.OPEN:
        await _show_settled(desk, draft)
        return
    known = await desk.tx.cards.get(action.card_id)
    if action.card_id != draft.card_id or (known and action.revision < known.revision):
        desk.say(dialog.CARD_OUTDATED)
        await drafts.show(desk, draft)
    elif action.action == "cancel":
        await drafts.cancel(desk, draft)
    elif action.action == drafts.NEW or action.action.startswith(drafts.PICK):
        await drafts.choose(desk, draft, action.action)
    else:
        await confirm(desk, draft, action.values, force=action.action == "force")


async def confirm(
    desk: Desk, draft: Draft, values: Mapping[str, str] | None = None, *, force: bool = False
) -> bool:
    """Store a draft, or say what it still lacks; whether it was stored. force: store it as
    not valid."""
    form = answers.read_form(values or {}, desk)
    if form:
        draft = drafts.filled(desk, draft, form)
    view = await drafts.look_at(desk, draft)
    if draft.account_id is None or (view.missing and not force):
        await drafts.show(desk, draft)
        desk.say(dialog.not_yet_stored(view.title, view.customer, view.missing))
        return False
    account = await desk.tx.accounts.get(draft.account_id)
    await customers.refuse_foreign(desk, account)
    activity, verdict = await _store(desk, draft, account)
    corrected = "replaces" in draft.slots
    valid = None if verdict is None else verdict.valid
    note = dialog.card_stored(valid=valid, corrected=corrected)
    closed = draft_card.closed(replace(view, draft=draft), note)
    await desk.change(closed, subject=f"draft:{draft.id}")
    locked = verdict is not None and verdict.reason is Invalid.LOCKED
    reason = alert_texts.invalid_words(verdict) if verdict else ""
    reason = dialog.LOCKED if locked else reason
    desk.say(dialog.recorded(view.title, account.name, note=note, reason=reason))
    if locked and activity is not None:
        await unlocking.ask(desk, activity, account)
    return True


async def confirm_one(desk: Desk, draft: Draft) -> None:
    """«确认»: that draft; the others that wait are named."""
    stored = await confirm(desk, draft)
    rest = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    others = [other for other in rest if other.id != draft.id]
    if others:
        desk.say(dialog.still_open(await _names(desk, others), instead=not stored))


async def confirm_all(desk: Desk, open_drafts: Sequence[Draft]) -> None:
    """«全部确认»: each that is complete; why not, for the others."""
    for draft in reversed(open_drafts):
        try:
            await confirm(desk, draft)
        except UserError as refusal:  # raised before anything was written
            desk.say(str(refusal))


async def _store(
    desk: Desk, draft: Draft, account: Account
) -> tuple[Activity | None, Verdict | None]:
    """The activity, the opportunity, the lights and the audit entry: all or none. No activity
    where it stood there before; no verdict where no rule judges.

    Raises Refused, before anything is written, for what may not be recorded at all.
    """
    replaced = draft.slots.get("replaces")
    verdict = await verdict_on(desk, entry_of(desk, draft), replaces=replaced)
    if verdict is not None and verdict.refused:
        raise Refused(dialog.cannot_be_stored(account.name, alert_texts.invalid_words(verdict)))
    if isinstance(replaced, int):
        await undoing.retract(desk, await desk.tx.activities.get(replaced), corrected=True)
    deal = await _deal(desk, draft, account)
    entry = _judged(entry_of(desk, draft), deal, verdict)
    activity = await desk.tx.activities.add(entry)
    if activity is None:  # stored before: a replay
        return None, verdict
    for sha256 in draft.file_hashes:
        await desk.tx.files.use(sha256, account.id, desk.at)
    contact = draft.slots.get("contact")
    if isinstance(contact, str):
        await desk.tx.accounts.add_contact(account.id, contact)
    await _advance(desk, draft, deal, activity)
    await desk.tx.drafts.save(
        replace(
            draft,
            state=DraftState.CONFIRMED,
            touched_at=desk.at,
            awaiting="",
            activity_id=activity.id,
        )
    )
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="log_activity",
        subject=f"activity:{activity.id}",
        before=None,
        after={"unit": activity.unit, "valid": activity.valid, "account_id": account.id},
    )
    return activity, verdict


def _judged(entry: Activity, deal: Opportunity, verdict: Verdict | None) -> Activity:
    """The entry as it is stored. What closes a deal remembers how the deal stood before."""
    slots = entry.slots
    if _closing_state(entry) is not None:
        slots = {**slots, "state_before": str(deal.state)}
    entry = replace(entry, opportunity_id=deal.id, slots=slots)
    if verdict is None:
        return entry
    return replace(
        entry,
        valid=verdict.valid,
        invalid_reason=str(verdict.reason or ""),
        grade=verdict.grade,
        late=verdict.late,
    )


async def _deal(desk: Desk, draft: Draft, account: Account) -> Opportunity:
    """The opportunity to book on, locked: the open one, else the last one, else a new one."""
    open_ones = await desk.tx.opportunities.open_of_account(account.id)
    known = [deal.id for deal in open_ones if deal.id == draft.opportunity_id]
    if open_ones:
        return await desk.tx.opportunities.get_for_update(known[0] if known else open_ones[0].id)
    past = await desk.tx.opportunities.of_account(account.id)
    if not past or drafts.begins_anew(desk, draft, past):
        return await customers.open_opportunity(desk, account, since=draft.occurred_at)
    return await desk.tx.opportunities.get_for_update(past[-1].id)


async def _advance(desk: Desk, draft: Draft, deal: Opportunity, activity: Activity) -> None:
    """What the activity changes: the promised next contact, the state, the light."""
    promise = drafting.standing_promise(await stream_of(desk, deal.id), desk.office.zone)
    state = _closing_state(activity) or deal.state
    changed = replace(deal, next_contact_at=promise, state=state)
    await desk.tx.opportunities.save(changed)
    if activity.valid:
        desk.add(
            await desk.office.lights.on_valid_action(
                desk.tx, changed, activity.occurred_at, desk.at
            )
        )
    elif state is not deal.state:
        desk.add(await desk.office.lights.on_state_changed(desk.tx, changed, desk.at))


def _closing_state(entry: Activity) -> OpportunityState | None:
    intent = entry.slots.get("intent")
    return CLOSES.get(Intent(str(intent))) if intent and not entry.unit else None


async def _show_settled(desk: Desk, draft: Draft) -> None:
    """A late press: the card shows how it ended, and so do words."""
    note, told = dialog.SETTLED[draft.state]
    action = desk.message.action
    view = await drafts.look_at(desk, draft)
    card = draft_card.closed(replace(view, choices=(), question=""), note)
    if action is not None:
        card = replace(card, card_id=action.card_id)
    await desk.change(card, subject=f"draft:{draft.id}")
    desk.say(told)


async def _names(desk: Desk, open_drafts: Sequence[Draft]) -> list[str]:
    views = [await drafts.look_at(desk, draft) for draft in open_drafts]
    return [f"{view.customer or '客户待定'} {view.title}" for view in views]
