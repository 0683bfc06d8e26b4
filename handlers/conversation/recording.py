"""From a draft to a fact: presses on its card, confirm, store. What counts is judged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.activities import Draft, DraftState
from bot.domain.valid_actions import Invalid
from bot.errors import UserError
from handlers.conversation import answers, at_once, draft_card, drafts, storing, undoing
from handlers.customers import customers
from handlers.deadlines import unlocking
from handlers.deals import losing, stage_moves
from handlers.desk import Desk
from handlers.leading import morning
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog


async def press(desk: Desk) -> None:
    """A button of a draft's card. Only the rep it belongs to, only while it is open, or while
    what was stored without a press can still be taken back."""
    action = desk.message.action
    assert action is not None
    draft = await drafts.own_draft(desk, int(action.card_id.split("-")[1]))
    if await at_once.is_shown(desk, draft):
        await _press_stored(desk, draft, action.action)
        return
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
    elif action.action.startswith(losing.REASON):
        await drafts.fill(desk, draft, losing.pressed(draft, action.action))
    else:
        await confirm(desk, draft, action.values, force=action.action == "force")


async def _press_stored(desk: Desk, draft: Draft, action: str) -> None:
    """«撤销» and «修改» on the card of what was stored without a press."""
    view = await drafts.look_at(desk, draft)
    assert draft.activity_id is not None
    if action != draft_card.EDIT:
        await at_once.press(desk, view, action)
        return
    entry = await desk.tx.activities.get(draft.activity_id)
    may = await undoing.may_undo(desk, entry)
    note = dialog.CARD_MOVED if may else dialog.CARD_STORED
    await desk.change(draft_card.closed(view, note), subject=f"draft:{draft.id}")
    if may:
        await drafts.show(desk, await undoing.reopen(desk, entry))
        desk.say(dialog.CORRECT_WHAT)


async def confirm(
    desk: Desk, draft: Draft, values: Mapping[str, str] | None = None, *, force: bool = False
) -> bool:
    """Store a draft, or say what it still lacks; whether it was stored. force: store it as
    not valid."""
    form = answers.read_form(values or {}, desk, drafts.unit_of(desk, draft))
    if form:
        draft = drafts.filled(desk, draft, form)
    view = await drafts.look_at(desk, draft)
    if draft.account_id is None or (view.missing and not force):
        await drafts.show(desk, draft)
        desk.say(dialog.not_yet_stored(view.title, view.customer, view.missing))
        return False
    account = await desk.tx.accounts.get(draft.account_id)
    await customers.refuse_foreign(desk, account)
    activity, verdict = await storing.store(desk, draft, account)
    corrected = "replaces" in draft.slots
    valid = None if verdict is None else verdict.valid
    note = dialog.card_stored(valid=valid, corrected=corrected)
    closed = draft_card.closed(replace(view, draft=draft), note)
    await desk.change(closed, subject=f"draft:{draft.id}")
    locked = verdict is not None and verdict.reason is Invalid.LOCKED
    reason = alert_texts.invalid_words(verdict) if verdict else ""
    reason = dialog.LOCKED if locked else reason
    desk.say(dialog.recorded(view.title, account.name, note=note, reason=reason))
    if losing.lacks_reason(draft):
        desk.say_on(dialog.LOSS_REASON_LATER)
    if valid:
        await stage_moves.propose(desk, draft, account)
    if locked and activity is not None:
        await unlocking.ask(desk, activity, account)
    await morning.follow(desk)
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


async def _show_settled(desk: Desk, draft: Draft) -> None:
    """A late press: the card shows how it ended, and so do words."""
    note, told = dialog.SETTLED[draft.state]
    if draft.activity_id and await desk.tx.activities.is_retracted(draft.activity_id):
        note, told = dialog.CARD_UNDONE, dialog.ALREADY_UNDONE
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
