"""What a rep calls a customer: learnt when a record is confirmed, used when they say it again,
taken away when it was wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.activities import Activity, Draft, Record
from bot.domain.aliases import (
    LearntAlias,
    LearntState,
    may_be_learnt,
    meaning,
    shared_by_all,
)
from bot.domain.opportunities import Account
from handlers.customers import customers
from handlers.desk import Desk
from handlers.understanding.customers import SHORT_NAME
from handlers.understanding.names import everyday_words
from handlers.understanding.normal import normalise

OWN, OTHERS = 0.95, 0.85
"""How sure a customer is who was found by the speaker's own habit, or by that of colleagues."""

HABIT = "habit"
"""The slot of a draft with the words that stand for its customer by habit only."""

MENTION = "customer_mention"


async def apply(desk: Desk, records: Iterable[Record]) -> tuple[Record, ...]:
    """The records, with customers put in whose name was unclear but was settled before."""
    if not desk.policy.drafts.use_habits:
        return tuple(records)
    return tuple([await _by_habit(desk, record) for record in records])


async def learn(desk: Desk, draft: Draft, account: Account, activity: Activity) -> None:
    """The words that were unclear mean this customer, now that the rep has confirmed it."""
    alias = normalise(str(draft.slots.get(MENTION) or "")).strip()
    if HABIT in draft.slots or not _is_new_name(desk, alias):
        return
    known = await desk.tx.aliases.of(alias)
    learnt = LearntAlias(alias, account.id, desk.rep.id)
    if learnt not in known:
        await desk.tx.aliases.put(learnt, activity_id=activity.id, at=desk.at)
        await _note(desk, learnt, account)


async def undo(desk: Desk, activity: Activity) -> None:
    """A record was taken back: what it had taught is forgotten."""
    for forgotten in await desk.tx.aliases.undo(activity.id):
        await _note(desk, forgotten, await desk.tx.accounts.get(forgotten.account_id))


async def drop(desk: Desk, draft: Draft) -> Draft:
    """The draft's customer was wrong: the words that led there mean it no more."""
    words = draft.slots.get(HABIT)
    if isinstance(words, str) and draft.account_id is not None:
        account = await desk.tx.accounts.get(draft.account_id)
        await _forget(desk, normalise(words).strip(), account, LearntState.UNDONE)
    slots = {key: value for key, value in draft.slots.items() if key not in (HABIT, MENTION)}
    return replace(draft, slots=slots)


async def deny(desk: Desk, words: str, account: Account) -> bool:
    """«恒锐不是恒锐机电»: whether those words had stood for that customer."""
    alias = normalise(words).strip()
    meant = meaning(await desk.tx.aliases.of(alias), desk.rep.id)
    if meant is None or meant.account_id != account.id:
        return False
    await _forget(desk, alias, account, LearntState.DENIED)
    return True


async def _by_habit(desk: Desk, record: Record) -> Record:
    words = customers.mention_of(record)
    if not words or (record.customer is not None and not record.needs_confirm):
        return record
    meant = meaning(await desk.tx.aliases.of(normalise(words).strip()), desk.rep.id)
    if meant is None:
        return record
    account = await desk.tx.accounts.get(meant.account_id)
    return replace(
        record,
        customer=account.name,
        ambiguous=(),
        customer_mention=None,
        needs_confirm=False,
        habit=words,
        confidence={**record.confidence, "customer": OWN if meant.own else OTHERS},
    )


def _is_new_name(desk: Desk, alias: str) -> bool:
    """Whether these words are no name in full of any customer, nor everyday talk."""
    if not may_be_learnt(alias) or alias in everyday_words():
        return False
    return not any(
        one.score == 1.0
        for found in desk.office.customers.index.find(alias)
        if (found.start, found.end) == (0, len(alias))
        for one in found.candidates
    )


async def _forget(desk: Desk, alias: str, account: Account, state: LearntState) -> None:
    learnt = LearntAlias(alias, account.id, desk.rep.id, state)
    await desk.tx.aliases.put(learnt, activity_id=None, at=desk.at)
    await _note(desk, learnt, account)


async def _note(desk: Desk, learnt: LearntAlias, account: Account) -> None:
    """Into the audit; and the name of all who say it, as far as they agree."""
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="alias",
        subject=f"account:{account.id}",
        before=None,
        after={"alias": learnt.alias, "state": str(learnt.state)},
    )
    shared = shared_by_all(await desk.tx.aliases.of(learnt.alias)) == account.id
    if shared and not _fits_others(desk, learnt.alias, account):
        desk.office.customers.put(await desk.tx.accounts.add_alias(account.id, learnt.alias))
    elif not shared and learnt.alias in account.aliases:
        desk.office.customers.put(await desk.tx.accounts.remove_alias(account.id, learnt.alias))


def _fits_others(desk: Desk, alias: str, account: Account) -> bool:
    """恒锐 is a part of two customers' names: each rep means their own by it."""
    return any(
        one.name != account.name and one.reason == SHORT_NAME
        for found in desk.office.customers.index.find(alias)
        for one in found.candidates
    )
