"""A draft becomes a fact: the entry, what it changes on the deal, the lights, the audit."""

from __future__ import annotations

from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, DraftState, Intent
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.valid_actions import Verdict
from bot.errors import Refused
from bot.messages import OutboundMessage
from handlers.conversation import habits, judging, undoing
from handlers.conversation.judging import entry_of, stream_of, verdict_on
from handlers.customers import customers
from handlers.deadlines import settling
from handlers.deals import amounts, deal_changes
from handlers.desk import Desk
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog

CLOSES = {Intent.LOG_WIN: OpportunityState.WON, Intent.LOG_LOSS: OpportunityState.LOST}


async def store(
    desk: Desk, draft: Draft, account: Account, *, pressed: bool = True
) -> tuple[Activity | None, Verdict | None]:
    """The activity, the opportunity, the lights and the audit entry: all or none. No activity
    where it stood there before; no verdict where no rule judges. pressed: a person confirmed.

    Raises Refused, before anything is written, for what may not be recorded at all.
    """
    await desk.tx.opportunities.lock_of_account(account.id)
    replaced = draft.slots.get("replaces")
    entry = entry_of(desk, draft)
    verdict = await verdict_on(desk, entry, replaces=replaced)
    if verdict is not None and verdict.refused:
        raise Refused(dialog.cannot_be_stored(account.name, alert_texts.invalid_words(verdict)))
    if isinstance(replaced, int):
        await undoing.retract(desk, await desk.tx.activities.get(replaced), corrected=True)
    deal = await _deal(desk, draft, account)
    entry = _judged(desk, entry, deal, verdict)
    activity = await desk.tx.activities.add(entry)
    if activity is None:  # stored before: a replay
        return None, verdict
    await settling.after_storing(desk, activity)
    desk.recorded.append(activity)
    for sha256 in draft.file_hashes:
        await desk.tx.files.use(sha256, account.id, desk.at)
    contact = draft.slots.get("contact")
    if isinstance(contact, str):
        await desk.tx.accounts.add_contact(account.id, contact)
    await _advance(desk, deal, activity)
    await habits.learn(desk, draft, account, activity)
    await desk.tx.drafts.save(confirmed(desk, draft, activity))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="log_activity",
        subject=f"activity:{activity.id}",
        before=None,
        after={
            "unit": activity.unit,
            "valid": activity.valid,
            "account_id": account.id,
            "pressed": pressed,
        },
    )
    return activity, verdict


def confirmed(desk: Desk, draft: Draft, activity: Activity) -> Draft:
    """The draft that has become this entry."""
    return replace(
        draft,
        state=DraftState.CONFIRMED,
        touched_at=desk.at,
        awaiting="",
        activity_id=activity.id,
    )


def _judged(desk: Desk, entry: Activity, deal: Opportunity, verdict: Verdict | None) -> Activity:
    """The entry as it is stored. What changes a deal remembers how the deal stood before."""
    slots = entry.slots
    if _closing_state(entry) is not None:
        slots = {**slots, "state_before": str(deal.state)}
    if amounts.sets_amount(desk, entry, deal):
        slots = {**slots, drafting.AMOUNT_BEFORE: deal.amount_fen}
    if verdict is None:
        return replace(entry, opportunity_id=deal.id, slots=slots)
    return replace(
        entry,
        opportunity_id=deal.id,
        slots=slots,
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
    if not past or judging.begins_anew(desk, draft, past):
        return await customers.open_opportunity(desk, account, since=draft.occurred_at)
    return await desk.tx.opportunities.get_for_update(past[-1].id)


async def _advance(desk: Desk, deal: Opportunity, activity: Activity) -> None:
    """What the activity changes: the promised next contact, the state, the amount, the light."""
    promise = drafting.standing_promise(await stream_of(desk, deal.id), desk.office.zone)
    state = _closing_state(activity) or deal.state
    changed = replace(deal, next_contact_at=promise, state=state)
    if drafting.AMOUNT_BEFORE in activity.slots:
        changed = await amounts.set_standing(desk, changed)
    about_light = await _save(desk, deal, changed, activity)
    desk.add(await deal_changes.follow(desk.tx, desk.office, deal, changed, desk.at))
    await desk.tx.stages.note_state(
        deal, changed, by=desk.rep.id, at=desk.at, calendar=desk.office.calendar
    )
    desk.add(about_light)


async def _save(
    desk: Desk, before: Opportunity, deal: Opportunity, activity: Activity
) -> list[OutboundMessage]:
    """The deal with its light: what its end or rise has to tell."""
    lights = desk.office.lights
    if activity.valid:
        return await lights.on_valid_action(desk.tx, deal, activity.occurred_at, desk.at)
    await desk.tx.opportunities.save(deal)
    if deal.state is before.state:
        return []
    return await lights.on_state_changed(desk.tx, deal, desk.at)


def _closing_state(entry: Activity) -> OpportunityState | None:
    intent = entry.slots.get("intent")
    return CLOSES.get(Intent(str(intent))) if intent and not entry.unit else None
