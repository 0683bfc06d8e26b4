"""What came too late, or did not come at all, is locked; who leads the rep may unlock it, with
a reason.

A record that came too late is appended anew, as one that counts, and points at the locked one.
What a record still lacks may be made good once more within its hours.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.activities import Activity
from bot.domain.deadlines import Awaited, Deadline, DeadlineState, planned
from bot.domain.opportunities import Account
from bot.domain.people import Person
from bot.domain.valid_actions import Invalid
from bot.errors import NotAllowed
from bot.messages import Button, Card, Field, Option, OutboundMessage, Text
from handlers.conversation.judging import verdict_on
from handlers.customers import customers
from handlers.deadlines import settling
from handlers.desk import Desk
from handlers.people.leaders import leaders_of
from handlers.texts import alerts as alert_texts
from handlers.texts import customers as customer_texts
from handlers.texts import deadlines as deadline_texts
from handlers.texts import team as texts

UNLOCK = "unlock"
KEEP = "keep"
REASON = "reason"
NOT_CHOSEN = "-"
DECIDED = "decided"  # who decided what, kept with the cards that asked
LOOKED_AT = 50  # newest entries of a customer among which «解锁» looks


async def ask(desk: Desk, entry: Activity, account: Account) -> None:
    """A locked entry was stored: its rep's supervisor is asked, and the rep told so."""
    leaders = await send_questions(desk, entry, account)
    desk.say_on(texts.asked_to_unlock([leader.name for leader in leaders], account.name))


async def send_questions(desk: Desk, entry: Activity, account: Account) -> list[Person]:
    """Ask who leads the rep whether to unlock, unless they are being asked; answers whom."""
    leaders = [
        leader
        for leader in await leaders_of(desk.tx, entry.actor_id or 0, desk.at)
        if leader.id != desk.rep.id and desk.office.address_of(leader) is not None
    ]
    for leader in leaders:
        card_id = f"unlock-{entry.id}-{leader.id}"
        card = await _question(desk, entry, account, card_id=card_id)
        await _send_card(desk, card, leader, entry)
    return leaders


async def press(desk: Desk) -> None:
    """«解锁» or «不解锁» on the supervisor's card. Raises NotAllowed for anybody else."""
    action = desk.message.action
    assert action is not None
    _, entry_id, _ = action.card_id.split("-")
    entry = await desk.tx.activities.get(int(entry_id))
    await _refuse_others(desk, entry)
    account = await desk.tx.accounts.get(entry.account_id)
    card = await _question(desk, entry, account, card_id=action.card_id)
    if entry.opportunity_id is not None:  # two who press at the same moment come one by one
        await desk.tx.opportunities.get_for_update(entry.opportunity_id)
    known = await desk.tx.cards.get(action.card_id)
    reason = action.values.get(REASON, "").strip()
    unlock = action.action == UNLOCK
    if known is not None and DECIDED in known.data:
        words = known.data[DECIDED]
        told = texts.decided_before(words)
    elif unlock and reason in ("", NOT_CHOSEN):
        # A new revision, so that the same press again is not taken for a repeated delivery.
        await desk.change(card, subject=f"activity:{entry.id}")
        desk.say(texts.unlock_needs_reason(account.name))
        return
    else:
        told = await _decide(desk, entry, account, reason=reason, unlock=unlock)
        words = texts.decision(desk.rep.name, reason, unlocked=unlock)
    words = texts.CARD_DONE if told == texts.ALREADY_DECIDED else words
    closed = replace(card, fields=(), buttons=(), closed=words)
    await desk.change(closed, subject=f"activity:{entry.id}", data={DECIDED: words})
    desk.say(told)


async def by_words(desk: Desk, account: Account, *, reason: str, unlock: bool) -> None:
    """«解锁 恒锐机电 出差没信号»: what was locked last with that customer."""
    entry = await _newest_locked(desk, account)
    if entry is None:
        desk.say(texts.nothing_locked(account.name))
        return
    await _refuse_others(desk, entry)
    if unlock and not reason:
        desk.say(texts.unlock_needs_reason(account.name))
        return
    desk.say(await _decide(desk, entry, account, reason=reason, unlock=unlock))


async def _newest_locked(desk: Desk, account: Account) -> Activity | None:
    """A record that came too late, else one that lacks something."""
    page, _ = await desk.tx.activities.page(account.id, limit=LOOKED_AT, before=None)
    taken_back = await desk.tx.activities.retracted_among([one.id for one in page])
    locked = [
        one for one in page if one.invalid_reason == Invalid.LOCKED and one.id not in taken_back
    ]
    if locked:
        return max(locked, key=lambda one: one.id)
    waiting = await desk.tx.deadlines.waiting_of_account(account.id)
    ids = [owed.activity_id for owed in waiting if owed.state is DeadlineState.LOCKED]
    return await desk.tx.activities.get(ids[-1]) if ids else None


async def _decide(
    desk: Desk, entry: Activity, account: Account, *, reason: str, unlock: bool
) -> str:
    """What to say to the supervisor; the rep is told too."""
    owed = await desk.tx.deadlines.of_activity(entry.id)
    lacking = owed is not None and owed.awaited is not Awaited.LATE
    decided = lacking and owed is not None and owed.state is not DeadlineState.LOCKED
    if decided or await desk.tx.activities.is_retracted(entry.id):
        return texts.ALREADY_DECIDED
    await desk.tx.delivery.drop_subjects([_subject(entry)], at=desk.at)
    words = texts.decision(desk.rep.name, reason, unlocked=unlock)
    await _note_decision(desk, entry, words)
    if not unlock:
        if owed is not None and not lacking:  # nobody is waited for any more
            await settling.settle(desk.tx, [owed], state=DeadlineState.DROPPED, at=desk.at)
        await _audit(desk, "keep_locked", entry, {"reason": reason})
        await _tell_rep(desk, entry, texts.kept_locked(account.name, entry.title, desk.rep.name))
        return texts.you_kept_locked(account.name, entry.title)
    if owed is not None and lacking:
        return await _reopen(desk, owed, entry, reason)
    again = await _append_unlocked(desk, entry, reason)
    await _audit(desk, "unlock_activity", entry, {"reason": reason, "activity_id": again.id})
    why_not = "" if again.valid else alert_texts.reason(again.invalid_reason)
    told = texts.unlocked(account.name, entry.title, desk.rep.name, reason, why_not)
    await _tell_rep(desk, entry, told)
    return texts.you_unlocked(account.name, entry.title, why_not)


async def _reopen(desk: Desk, owed: Deadline, entry: Activity, reason: str) -> str:
    """Its hours run once more; what comes within them counts although late."""
    office = desk.office
    actions = office.policies.of(owed.person_id).actions
    again = replace(
        owed, state=DeadlineState.OPEN, since=desk.at, reopened_at=desk.at, locked_at=None
    )
    await desk.tx.deadlines.save(planned(again, actions, office.calendar, at=desk.at))
    await _audit(desk, "reopen_activity", entry, {"reason": reason})
    told = (owed.account_name, entry.title)
    by = desk.rep.name
    await _tell_rep(desk, entry, deadline_texts.reopened(*told, by, reason, owed.hours))
    return deadline_texts.you_reopened(*told, owed.hours)


async def _append_unlocked(desk: Desk, entry: Activity, reason: str) -> Activity:
    verdict = await verdict_on(
        desk, replace(entry, recorded_at=desk.at), replaces=entry.id, unlocked=True
    )
    assert verdict is not None, "only action units are locked"
    again = await desk.tx.activities.add(
        replace(
            entry,
            source_id=f"unlock:{entry.id}",
            recorded_at=desk.at,
            slots={**entry.slots, "unlocked": texts.unlock_note(desk.rep.name, reason)},
            valid=verdict.valid,
            invalid_reason=str(verdict.reason or ""),
            late=True,
            retracts_id=entry.id,
        )
    )
    assert again is not None, "an entry that was not taken back was not unlocked before"
    await settling.after_retracting(desk, entry, corrected=True)
    await settling.after_storing(desk, again)
    if again.valid and again.opportunity_id is not None:
        deal = await desk.tx.opportunities.get_for_update(again.opportunity_id)
        lights = desk.office.lights
        desk.add(await lights.on_valid_action(desk.tx, deal, again.occurred_at, desk.at))
    return again


async def _refuse_others(desk: Desk, entry: Activity) -> None:
    actor_id = entry.actor_id or 0
    if actor_id == desk.rep.id or not await customers.leads(desk.tx, desk.rep, actor_id):
        raise NotAllowed(texts.NOT_YOURS_TO_UNLOCK)


async def _question(desk: Desk, entry: Activity, account: Account, *, card_id: str) -> Card:
    zone = desk.office.zone
    owed = await desk.tx.deadlines.of_activity(entry.id)
    late = owed is None or owed.awaited is Awaited.LATE
    asks = texts.unlock_question(entry.text)
    if owed is not None and not late:
        asks = deadline_texts.locked_question(owed, entry.text)
    options = tuple(Option(words, words) for words in texts.UNLOCK_REASONS)
    return Card(
        card_id=card_id,
        title=texts.UNLOCK_TITLE,
        lines=(asks, texts.HOW_TO_UNLOCK),
        facts=(
            ("客户", account.name),
            ("动作", entry.title),
            ("发生", customer_texts.when(entry.occurred_at.astimezone(zone))),
            ("补录" if late else "记录", customer_texts.when(entry.recorded_at.astimezone(zone))),
        ),
        fields=(Field(REASON, texts.UNLOCK_REASON, options=options),),
        buttons=(Button(UNLOCK, "解锁", style="primary"), Button(KEEP, "不解锁")),
    )


async def _send_card(desk: Desk, card: Card, leader: Person, entry: Activity) -> None:
    """At night it waits for the morning, as lights do."""
    to = desk.office.address_of(leader)
    assert to is not None
    known = await desk.tx.cards.get(card.card_id)
    if known is not None and known.state == "open":
        return
    card = replace(card, revision=known.revision + 1 if known is not None else card.revision)
    await desk.tx.cards.show(card, to.key, subject=f"activity:{entry.id}", at=desk.at)
    morning = desk.office.first_allowed(desk.at)
    key = f"{card.card_id}@{card.revision}"
    desk.add([OutboundMessage(key, to, card, not_before=morning, subject=_subject(entry))])


async def _note_decision(desk: Desk, entry: Activity, words: str) -> None:
    """The first decision stands: whoever else was asked is told of it when they press."""
    for leader in await leaders_of(desk.tx, entry.actor_id or 0, desk.at):
        known = await desk.tx.cards.get(f"unlock-{entry.id}-{leader.id}")
        if known is not None:
            await desk.tx.cards.close(known, data={DECIDED: words}, at=desk.at)


def _subject(entry: Activity) -> str:
    return f"unlock:{entry.id}"


async def _tell_rep(desk: Desk, entry: Activity, text: str) -> None:
    to = desk.office.address_of(await desk.tx.people.get(entry.actor_id or 0))
    if to is not None:
        key = f"unlock:{entry.id}:{desk.incoming.source_id}"
        desk.add([OutboundMessage(key, to, Text(text))])


async def _audit(desk: Desk, action: str, entry: Activity, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=f"activity:{entry.id}",
        before={"valid": False, "reason": entry.invalid_reason},
        after=after,
    )
