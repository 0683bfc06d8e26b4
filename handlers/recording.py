"""From a draft to a fact: confirm, store, take back. Everything that counts happens here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, DraftState, Grade, Intent, Moment
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.valid_actions import ActionFacts, Verdict, earlier_facts, judge
from bot.errors import Refused
from handlers import customers, draft_card, drafts
from handlers.desk import Desk
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog

UNDO_WITHIN = timedelta(hours=48)
LOOK_BACK = timedelta(days=120)
CLOSES = {Intent.LOG_WIN: OpportunityState.WON, Intent.LOG_LOSS: OpportunityState.LOST}


async def press(desk: Desk) -> None:
    """A button of a draft's card. Only the rep it belongs to, only while it is open."""
    action = desk.message.action
    assert action is not None
    draft = await drafts.own_open_draft(desk, int(action.card_id.split("-")[1]))
    if draft.state is not DraftState.OPEN:
        await _show_settled(desk, draft)
        return
    known = await desk.tx.cards.get(action.card_id)
    if action.card_id != draft.card_id or (known and action.revision < known.revision):
        desk.say(dialog.CARD_OUTDATED)
        await drafts.show(desk, draft)
        return
    if action.action == "cancel":
        await drafts.cancel(desk, draft)
    elif action.action == "new":
        name = str(draft.slots.get("customer_mention") or "")
        await drafts.give_customer(
            desk, draft, await customers.create(desk, name, since=draft.occurred_at)
        )
    elif action.action.startswith("pick-"):
        account = await desk.tx.accounts.get(int(action.action.removeprefix("pick-")))
        await drafts.give_customer(desk, draft, account)
    else:
        await confirm(desk, draft, action.values, force=action.action == "force")


async def confirm(
    desk: Desk, draft: Draft, values: Mapping[str, str] | None = None, *, force: bool = False
) -> None:
    """Store a draft, or say what it still lacks. force: store it as not valid."""
    filled = drafts.read_form(values or {}, desk)
    if filled:
        draft = drafting.fill(draft, filled, at=desk.at, ttl=drafts.ttl(desk.office))
    view = await drafts.look_at(desk, draft)
    if draft.account_id is None or (view.missing and not force):
        await drafts.show(desk, draft)
        return
    account = await desk.tx.accounts.get(draft.account_id)
    await customers.refuse_foreign(desk, account)
    verdict = await _store(desk, draft, account)
    reason = alert_texts.invalid_words(verdict) if verdict else ""
    valid = verdict is not None and verdict.valid
    note = "已记录 · 有效跟进" if valid else "已记录"
    told = dialog.recorded(view.title, account.name, valid=valid, reason=reason)
    closed = draft_card.closed(replace(view, draft=draft), note)
    await desk.change(closed, subject=f"draft:{draft.id}")
    desk.say(told)


async def undo(desk: Desk) -> None:
    """«撤销»: take the speaker's last record back, by a new entry that points at it."""
    last = await _last_record(desk)
    if last is None:
        desk.say(dialog.NOTHING_TO_UNDO)
        return
    account = await _retract(desk, last)
    desk.say(dialog.undone(last.title, account.name))


async def reopen_last(desk: Desk) -> Draft | None:
    """The last record as an open draft, to be corrected; confirming it replaces the record."""
    last = await _last_record(desk)
    if last is None:
        return None
    return await desk.tx.drafts.add(
        Draft(
            id=0,
            conversation=desk.conversation,
            person_id=desk.rep.id,
            unit=last.unit or str(Intent.LOG_MESSAGE),
            source_id=f"{desk.incoming.source_id}:again",
            text=last.text,
            state=DraftState.OPEN,
            occurred_at=last.occurred_at,
            created_at=desk.at,
            touched_at=desk.at,
            expires_at=desk.at + drafts.ttl(desk.office),
            account_id=last.account_id,
            opportunity_id=last.opportunity_id,
            slots={**last.slots, "replaces": last.id},
            file_hashes=last.file_hashes,
        )
    )


async def _store(desk: Desk, draft: Draft, account: Account) -> Verdict | None:
    """The activity, the opportunity, the lights and the audit entry: all or none."""
    replaces = draft.slots.get("replaces")
    if isinstance(replaces, int):
        await _retract(desk, await desk.tx.activities.get(replaces))
    deal = await _deal(desk, draft, account)
    verdict = await _judge(desk, draft, deal)
    if verdict is not None and verdict.refused:
        raise Refused(alert_texts.invalid_words(verdict))
    activity = await desk.tx.activities.add(_activity(desk, draft, account, deal, verdict))
    if activity is None:  # stored before: a replay
        return verdict
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
    return verdict


async def _deal(desk: Desk, draft: Draft, account: Account) -> Opportunity:
    """The opportunity to book on, locked; a customer without an open one gets a new one."""
    if draft.opportunity_id is not None:
        deal = await desk.tx.opportunities.get_for_update(draft.opportunity_id)
        if deal.state in (OpportunityState.OPEN, OpportunityState.ON_HOLD):
            return deal
    return await customers.open_opportunity(desk, account, since=draft.occurred_at)


async def _judge(desk: Desk, draft: Draft, deal: Opportunity) -> Verdict | None:
    """Whether it counts; None for entries that are no action unit."""
    unit = desk.office.library.unit(draft.unit)
    if unit is None:
        return None
    files = await drafts.files_of(desk.tx, draft)
    counts = {}
    for file in files:
        others = await desk.tx.files.accounts_using(file.sha256)
        counts[file.sha256] = others
    since = desk.at - LOOK_BACK
    past = await desk.tx.activities.list_of_opportunity(deal.id, since=since)
    return judge(
        unit,
        ActionFacts(
            occurred_at=draft.occurred_at,
            recorded_at=max(desk.at, desk.message.sent_at),
            slots=draft.slots,
            files={file.sha256: file.media_type for file in files},
        ),
        earlier_facts(past, desk.office.library, file_customers=counts),
        desk.office.policy.actions,
        desk.office.calendar,
    )


def _activity(
    desk: Desk, draft: Draft, account: Account, deal: Opportunity, verdict: Verdict | None
) -> Activity:
    grade = Grade.FILE_ATTACHED if draft.file_hashes else Grade.SELF_REPORTED
    return Activity(
        id=0,
        account_id=account.id,
        opportunity_id=deal.id,
        actor_id=desk.rep.id,
        unit=draft.unit if desk.office.library.unit(draft.unit) else "",
        title=drafts.title_of(desk.office, draft),
        text=draft.text,
        occurred_at=draft.occurred_at,
        recorded_at=desk.at,
        source_id=f"draft:{draft.id}",
        slots={key: value for key, value in draft.slots.items() if key not in _DRAFT_ONLY},
        file_hashes=draft.file_hashes,
        valid=verdict.valid if verdict else False,
        invalid_reason=str(verdict.reason or "") if verdict else "",
        grade=verdict.grade if verdict else grade,
        late=verdict.late if verdict else False,
    )


async def _advance(desk: Desk, draft: Draft, deal: Opportunity, activity: Activity) -> None:
    """What the activity changes: the promised next contact, the state, the light."""
    promised = draft.slots.get("next_contact")
    next_at = (
        drafting.starts_at(Moment.parse(str(promised)), desk.office.zone) if promised else None
    )
    state = CLOSES.get(Intent(draft.unit), deal.state) if draft.unit in _INTENTS else deal.state
    changed = replace(deal, next_contact_at=next_at, state=state)
    await desk.tx.opportunities.save(changed)
    if activity.valid:
        desk.add(
            await desk.office.lights.on_valid_action(
                desk.tx, changed, activity.occurred_at, desk.at
            )
        )
    elif state is not deal.state:
        desk.add(await desk.office.lights.on_state_changed(desk.tx, changed, desk.at))


async def _last_record(desk: Desk) -> Activity | None:
    past = await desk.tx.activities.last_of_actor(desk.rep.id, 20)
    taken_back = await desk.tx.activities.retracted_among([one.id for one in past])
    for one in past:
        own_entry = one.retracts_id is None and one.source_id.startswith("draft:")
        if own_entry and one.id not in taken_back and desk.at - one.recorded_at < UNDO_WITHIN:
            return one
    return None


async def _retract(desk: Desk, last: Activity) -> Account:
    account = await desk.tx.accounts.get(last.account_id)
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=last.account_id,
            opportunity_id=last.opportunity_id,
            actor_id=desk.rep.id,
            unit="",
            title=f"撤回：{last.title}",
            text=desk.message.text,
            occurred_at=desk.at,
            recorded_at=desk.at,
            source_id=f"retract:{last.id}",
            retracts_id=last.id,
        )
    )
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="retract_activity",
        subject=f"activity:{last.id}",
        before={"valid": last.valid},
        after=None,
    )
    if last.opportunity_id is not None:
        deal = await desk.tx.opportunities.get_for_update(last.opportunity_id)
        desk.add(await desk.office.lights.on_retracted(desk.tx, deal, desk.at))
    return account


async def _show_settled(desk: Desk, draft: Draft) -> None:
    """A late press: the card shows how it ended."""
    note = {
        DraftState.CONFIRMED: "已记录",
        DraftState.CANCELLED: "已取消，没有记录",
        DraftState.EXPIRED: "已过期，没有记录",
    }[draft.state]
    action = desk.message.action
    view = await drafts.look_at(desk, draft)
    card = draft_card.closed(replace(view, choices=(), question=""), note)
    if action is not None:
        card = replace(card, card_id=action.card_id)
    await desk.change(card, subject=f"draft:{draft.id}")


_INTENTS = frozenset(Intent)
_DRAFT_ONLY = ("customer_mention", "replaces", "vague_intent")
