"""Taking a record back, and opening it again to be corrected. Nothing stored is edited: a
later entry points at the earlier one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, DraftState, Intent, retraction_of
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from handlers.conversation import draft_card, habits
from handlers.conversation.draft_card import DraftView
from handlers.conversation.judging import stream_of
from handlers.deadlines import settling
from handlers.deals import amounts, deal_changes
from handlers.desk import Desk
from handlers.receivables import withdrawing
from handlers.texts import dialog

UNDO_WITHIN = timedelta(hours=48)
OWN_ENTRIES = ("draft:", "unlock:")  # how the sources of what a rep recorded begin
LOOKED_AT = 50
_BOOKKEEPING = ("intent", "state_before", "unlocked", drafting.AMOUNT_BEFORE)


async def undo(desk: Desk, *, account_id: int | None = None) -> None:
    """«撤销»: take the speaker's last record back (with that customer), by a new entry that
    points at it."""
    last = await last_record(desk, account_id=account_id)
    if last is None:
        desk.say(dialog.NOTHING_TO_UNDO)
        return
    account = await retract(desk, last)
    desk.say(dialog.undone(last.title, account.name))
    await withdrawing.after_undoing(desk, last)


async def undo_entry(desk: Desk, activity_id: int) -> bool:
    """«撤销» on the card of a record: whether it was taken back now."""
    entry = await desk.tx.activities.get(activity_id)
    if not await may_undo(desk, entry):
        return False
    account = await retract(desk, entry)
    desk.say(dialog.undone(entry.title, account.name))
    await withdrawing.after_undoing(desk, entry)
    return True


async def may_undo(desk: Desk, entry: Activity) -> bool:
    """Whether a record can still be taken back or replaced; says why not."""
    taken_back = await desk.tx.activities.is_retracted(entry.id)
    if taken_back or not _is_fresh(desk, entry):
        desk.say(dialog.ALREADY_UNDONE if taken_back else dialog.TOO_LATE_TO_UNDO)
        return False
    return True


async def last_record(desk: Desk, *, account_id: int | None = None) -> Activity | None:
    """The speaker's newest record that can still be taken back."""
    past = await desk.tx.activities.last_of_actor(desk.rep.id, LOOKED_AT)
    taken_back = await desk.tx.activities.retracted_among([one.id for one in past])
    for one in past:
        own = one.source_id.startswith(OWN_ENTRIES) and account_id in (None, one.account_id)
        if own and one.id not in taken_back and _is_fresh(desk, one):
            return one
    return None


async def happened_after(desk: Desk, draft: Draft) -> bool:
    """Whether the speaker recorded something since they last touched the draft."""
    last = await last_record(desk)
    return last is not None and last.recorded_at > _touched(draft)


async def reopen(desk: Desk, last: Activity) -> Draft:
    """A record as an open draft (not shown yet); confirming it replaces the record."""
    for draft in await desk.tx.drafts.open_of(desk.conversation, desk.rep.id):
        if draft.slots.get("replaces") == last.id:
            return draft
    slots = {key: value for key, value in last.slots.items() if key not in _BOOKKEEPING}
    return await desk.tx.drafts.add(
        Draft(
            id=0,
            conversation=desk.conversation,
            person_id=desk.rep.id,
            unit=last.unit or str(last.slots.get("intent") or Intent.LOG_MESSAGE),
            source_id=f"{desk.incoming.source_id}:again",
            text=last.text,
            state=DraftState.OPEN,
            occurred_at=last.occurred_at,
            created_at=desk.at,
            touched_at=desk.at,
            expires_at=desk.at + desk.policy.drafts.ttl,
            account_id=last.account_id,
            opportunity_id=last.opportunity_id,
            slots={**slots, "replaces": last.id},
            file_hashes=last.file_hashes,
            library=last.library,
        )
    )


async def retract(desk: Desk, last: Activity, *, corrected: bool = False) -> Account:
    """The entry counts no more; the promise, the state and the light go back to what the
    stream still says. corrected: another entry takes its place."""
    account = await desk.tx.accounts.get(last.account_id)
    why = dialog.why_retracted(desk.rep.name, corrected=corrected)
    await desk.tx.activities.add(retraction_of(last, why, by=desk.rep.id, at=desk.at))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="retract_activity",
        subject=f"activity:{last.id}",
        before={"valid": last.valid},
        after=None,
    )
    await settling.after_retracting(desk, last, corrected=corrected)
    await habits.undo(desk, last)
    await _close_card(desk, last, account, corrected=corrected)
    await _give_files_back(desk, last)
    if last.opportunity_id is not None:
        deal = await desk.tx.opportunities.get_for_update(last.opportunity_id)
        await _restore(desk, deal, last)
    return account


async def _give_files_back(desk: Desk, last: Activity) -> None:
    """Unless another entry of the customer's stream still carries them."""
    page, _ = await desk.tx.activities.page(last.account_id, limit=LOOKED_AT, before=None)
    taken_back = {one.retracts_id for one in page}
    carried = {sha256 for one in page if one.id not in taken_back for sha256 in one.file_hashes}
    for sha256 in last.file_hashes:
        if sha256 not in carried:
            await desk.tx.files.give_back(sha256, last.account_id)


async def _restore(desk: Desk, deal: Opportunity, last: Activity) -> None:
    promise = drafting.standing_promise(await stream_of(desk, deal.id), desk.office.zone)
    state_before = last.slots.get("state_before")
    state = OpportunityState(str(state_before)) if state_before else deal.state
    restored = replace(deal, next_contact_at=promise, state=state)
    if drafting.AMOUNT_BEFORE in last.slots:
        restored = await amounts.set_standing(desk, restored)
    await desk.tx.opportunities.save(restored)
    desk.add(await deal_changes.follow(desk.tx, desk.office, deal, restored, desk.at))
    await desk.tx.stages.note_state(
        deal, restored, by=desk.rep.id, at=desk.at, calendar=desk.office.calendar
    )
    desk.add(await desk.office.lights.on_retracted(desk.tx, restored, desk.at))


async def _close_card(desk: Desk, last: Activity, account: Account, *, corrected: bool) -> None:
    """The card of a record that was stored without a press still has its buttons."""
    kind, _, number = last.source_id.partition(":")
    if kind != "draft":
        return
    draft = await desk.tx.drafts.get_for_update(int(number))
    shown = await desk.tx.cards.get(draft.card_id)
    if shown is None or shown.state != "open":
        return
    view = DraftView(
        draft,
        last.title,
        unit=desk.office.libraries.of(last.library).unit(last.unit),
        customer=account.name,
    )
    note = dialog.CARD_CORRECTED if corrected else dialog.CARD_UNDONE
    pressed = desk.message.action is not None and desk.message.action.card_id == draft.card_id
    await desk.change(
        draft_card.closed(view, note), subject=shown.subject, only_in_place=not pressed
    )


def _is_fresh(desk: Desk, entry: Activity) -> bool:
    return desk.at - entry.recorded_at < UNDO_WITHIN


def _touched(draft: Draft) -> datetime:
    return draft.touched_at or draft.created_at
