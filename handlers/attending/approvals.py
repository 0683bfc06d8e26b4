"""One approval as the platform tells it now: kept, told in its customer's stream, and let take
effect on bonuses at once. What was withdrawn is taken back there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from bot.domain.activities import Activity, Grade, withdrawal_of
from bot.domain.approvals import (
    Approval,
    ApprovalState,
    amount_fen,
    contract_number,
    customer_words,
)
from bot.messages import OutboundMessage
from handlers.attending import effects
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office
from handlers.texts import attending as texts
from storage.approvals import StoredApproval
from storage.unit_of_work import UnitOfWork


async def take(
    tx: UnitOfWork, office: Office, app: str, *, meaning: str, told: Approval, at: datetime
) -> list[OutboundMessage]:
    """Told again as it was, it changes nothing."""
    before = await tx.approvals.find(told.platform, told.number)
    messages: list[OutboundMessage] = []
    if told.revokes and told.state is ApprovalState.PASSED:
        messages += await _revoke(tx, office, told, at)
    now = await _stored(tx, office, told, meaning=meaning, app=app, at=at)
    if before is not None and before.digest == now.digest:
        return messages
    if before is not None and before.revoked_by:
        now = replace(now, state=ApprovalState.REVOKED, revoked_by=before.revoked_by)
    now = replace(now, activity_id=await _enter(tx, before, now, at))
    await tx.approvals.save(now)
    return messages + await _have_effect(tx, office, before, now, at)


async def gone(
    tx: UnitOfWork, office: Office, platform: str, number: str, at: datetime
) -> list[OutboundMessage]:
    """The platform knows it no more."""
    before = await tx.approvals.find(platform, number)
    if before is None or before.state is ApprovalState.DELETED:
        return []
    now = replace(before, state=ApprovalState.DELETED, digest=f"gone:{at.isoformat()}", told_at=at)
    now = replace(now, activity_id=await _enter(tx, before, now, at))
    await tx.approvals.save(now)
    return await _have_effect(tx, office, before, now, at)


async def _revoke(
    tx: UnitOfWork, office: Office, told: Approval, at: datetime
) -> list[OutboundMessage]:
    """Of the instance that this one takes back."""
    before = await tx.approvals.find(told.platform, told.revokes)
    if before is None or before.revoked_by:
        return []
    now = replace(before, state=ApprovalState.REVOKED, revoked_by=told.number, told_at=at)
    now = replace(now, activity_id=await _enter(tx, before, now, at))
    await tx.approvals.save(now)
    return await _have_effect(tx, office, before, now, at)


async def _stored(
    tx: UnitOfWork, office: Office, told: Approval, *, meaning: str, app: str, at: datetime
) -> StoredApproval:
    person = await tx.people.find_by_identity(told.platform, told.applicant)
    number = contract_number(told)
    contract = await tx.contracts.find(number) if number else None
    account_id = contract.account_id if contract is not None else None
    if contract is None:
        account_id = await _customer(tx, office.customers, told)
    one = StoredApproval(
        id=0,
        platform=told.platform,
        app=app,
        number=told.number,
        template=told.template,
        meaning=meaning,
        title=told.title[:200],
        state=told.state,
        applicant=told.applicant,
        person_id=person.id if person is not None else None,
        account_id=account_id,
        contract_id=contract.id if contract is not None else None,
        amount_fen=amount_fen(told),
        applied_at=told.applied_at,
        decided_at=told.decided_at,
        controls=tuple((control.name, control.text) for control in told.controls),
        nodes=told.nodes,
        revoked_by="",
        digest="",
        activity_id=None,
        told_at=at,
    )
    told_words = repr(replace(one, told_at=one.applied_at))
    return replace(one, digest=hashlib.sha256(told_words.encode()).hexdigest())


async def _customer(tx: UnitOfWork, book: CustomerBook, told: Approval) -> int | None:
    """Only where one is clearly meant: an approval for the wrong customer is worse than for
    none."""
    for words in customer_words(told):
        exact = await tx.accounts.find_by_name(words)
        if exact is not None:
            return exact.id
        sure = [mention.sure for mention in book.index.find(words)]
        if len(sure) == 1 and sure[0] is not None:
            account = await tx.accounts.find_by_name(sure[0].name)
            if account is not None:
                return account.id
    return None


async def _enter(
    tx: UnitOfWork, before: StoredApproval | None, now: StoredApproval, at: datetime
) -> int | None:
    """The stream's entry of how it stands. Progress is a further entry; what turned out otherwise
    (withdrawn, taken back, filled in anew) takes the former one back."""
    stood = before.activity_id if before is not None else None
    if before is not None and _shown(before) == _shown(now):
        return stood
    progress = before is not None and before.state is ApprovalState.RUNNING
    is_same = before is not None and _filled_in(before) == _filled_in(now)
    taken_back = None if progress and is_same and now.state in _DECIDED else stood
    if before is not None and taken_back is not None and before.account_id != now.account_id:
        await _take_back(tx, before, at)
        taken_back = None
    if now.account_id is None:
        return None
    applicant = (await tx.people.names([now.person_id])).get(now.person_id) if now.person_id else ""
    made = await tx.activities.add(
        Activity(
            id=0,
            account_id=now.account_id,
            opportunity_id=None,
            actor_id=None,  # or it would bury what the applicant recorded
            unit="",
            title=texts.approval_title(now.meaning, now.state),
            text=texts.approval_entry(now.title, applicant or "", now.amount_fen, now.controls),
            occurred_at=(now.decided_at or at) if now.state in _DECIDED else now.applied_at,
            recorded_at=at,
            source_id=f"approval:{now.platform}:{now.number}:{now.state}:{now.digest[:16]}"[:200],
            grade=Grade.PLATFORM_PROVEN,
            retracts_id=taken_back,
        )
    )
    return made.id if made is not None else stood


async def _take_back(tx: UnitOfWork, before: StoredApproval, at: datetime) -> None:
    """In the stream of the customer that it no longer names."""
    assert before.activity_id is not None
    original = await tx.activities.get(before.activity_id)
    await tx.activities.add(
        withdrawal_of(
            original, texts.WITHDRAWN, source_id=f"{original.source_id[:180]}:back", at=at
        )
    )


_DECIDED = (ApprovalState.PASSED, ApprovalState.REJECTED)


def _filled_in(approval: StoredApproval) -> object:
    return (
        approval.account_id,
        approval.contract_id,
        approval.amount_fen,
        approval.controls,
        approval.title,
    )


def _shown(approval: StoredApproval) -> object:
    return approval.state, _filled_in(approval)


async def _have_effect(
    tx: UnitOfWork,
    office: Office,
    before: StoredApproval | None,
    now: StoredApproval,
    at: datetime,
) -> list[OutboundMessage]:
    """审批即生效: on the bonuses of the contract that it names, else of its customer's."""
    field = f"approval_{now.meaning}"
    touched = await effects.contracts_of(tx, [one for one in (before, now) if one is not None])
    return await effects.follow(tx, office, touched, {field}, at)
